// Integers and bool, bit by bit; declared in elementwise.h.
#include <bit>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

int64_t width_of(DType dtype) {
  return static_cast<int64_t>(8 * size_bytes(dtype));
}

// The low bits that a value of this width has.
uint64_t bits_of(int64_t x, int64_t width) {
  const auto u = static_cast<uint64_t>(x);
  return width == 64 ? u : u & ((1ULL << width) - 1);
}

TypeList bits_or_bool(const InferContext& c) {
  if (is_inexact(c.type(0).dtype)) refuse(c, "wants integers or bool");
  return {c.type(0)};
}

TypeList integers(const InferContext& c) {
  if (!is_integer(c.type(0).dtype)) refuse(c, "wants integers");
  return {c.type(0)};
}

template <int64_t (*kF)(int64_t, int64_t)>
std::vector<HostArray> eval_bits(const EvalContext& c) {
  auto a = c.x[0].to_ints();
  const auto b = c.x[1].to_ints();
  for (size_t i = 0; i < a.size(); ++i) a[i] = kF(a[i], b[i]);
  return {make_ints(c.node.types[0], a)};
}

// and, or, xor
template <Text kName, int64_t (*kF)(int64_t, int64_t)>
constexpr OpDef logical() {
  return {.name = std::string_view(kName.s),
          .infer = [](const InferContext& c) -> TypeList {
            same_binary(c);
            return bits_or_bool(c);
          },
          .lower = lower_as<kName>,
          .eval = eval_bits<kF>,
          .batch = batch_elementwise,
          .cast = Cast::kKeep};
}

// f(bits, count < width, width); `spill` is the result of longer shifts.
using Shift = int64_t (*)(uint64_t x, int64_t count, int64_t width);

int64_t left(uint64_t x, int64_t count, int64_t) {
  return static_cast<int64_t>(x << count);
}
int64_t right(uint64_t x, int64_t count, int64_t) {
  return static_cast<int64_t>(x >> count);
}
int64_t arithmetic(uint64_t x, int64_t count, int64_t width) {
  const int64_t up = 64 - width;  // the sign goes to bit 63
  return static_cast<int64_t>(x << up) >> up >> count;
}

template <Shift kF>
std::vector<HostArray> eval_shift(const EvalContext& c) {
  const int64_t width = width_of(c.x[0].dtype());
  auto a = c.x[0].to_ints();
  const auto b = c.x[1].to_ints();
  for (size_t i = 0; i < a.size(); ++i) {
    const bool longer = b[i] < 0 || b[i] >= width;
    const uint64_t x = bits_of(a[i], width);
    const int64_t rest = kF == arithmetic ? kF(x, width - 1, width) : 0;
    a[i] = longer ? rest : kF(x, b[i], width);
  }
  return {make_ints(c.node.types[0], a)};
}

template <Text kName, Shift kF>
constexpr OpDef shift() {
  return {.name = std::string_view(kName.s),
          .infer = [](const InferContext& c) -> TypeList {
            same_binary(c);
            return integers(c);
          },
          .lower = lower_as<kName>,
          .eval = eval_shift<kF>,
          .batch = batch_elementwise,
          .cast = Cast::kKeep};
}

// kF: how many of the 64 bits; `spare` of them are not in the value.
template <Text kName, int64_t (*kF)(uint64_t bits, int64_t spare)>
constexpr OpDef count() {
  return {.name = std::string_view(kName.s),
          .infer = [](const InferContext& c) -> TypeList {
            want_inputs(c, 1);
            return integers(c);
          },
          .lower = lower_as<kName>,
          .eval = [](const EvalContext& c) -> std::vector<HostArray> {
            const int64_t width = width_of(c.x[0].dtype());
            auto v = c.x[0].to_ints();
            for (auto& x : v) x = kF(bits_of(x, width), 64 - width);
            return {make_ints(c.node.types[0], v)};
          },
          .batch = batch_elementwise,
          .cast = Cast::kKeep};
}

int64_t ones(uint64_t bits, int64_t) {
  return std::popcount(bits);
}
int64_t leading_zeros(uint64_t bits, int64_t spare) {
  return std::countl_zero(bits) - spare;
}

// 32 or 64; 0: no type of these bits to convert to.
size_t plain_bits(DType dtype) {
  const bool plain = dtype == DType::kF32 || dtype == DType::kF64 ||
                     (is_integer(dtype) && dtype != DType::kU8);
  return plain ? 8 * size_bytes(dtype) : 0;
}

}  // namespace

constexpr OpDef kAnd =
    logical<"and", [](int64_t a, int64_t b) { return a & b; }>();
constexpr OpDef kOr =
    logical<"or", [](int64_t a, int64_t b) { return a | b; }>();
constexpr OpDef kXor =
    logical<"xor", [](int64_t a, int64_t b) { return a ^ b; }>();

constexpr OpDef kNot{
    .name = "not",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      return bits_or_bool(c);
    },
    .lower = lower_as<"not">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      auto v = c.x[0].to_ints();
      const bool logical = c.x[0].dtype() == DType::kBool;
      for (auto& x : v) x = logical ? (x == 0 ? 1 : 0) : ~x;
      return {make_ints(c.node.types[0], v)};
    },
    .batch = batch_elementwise,
    .cast = Cast::kKeep,
};

constexpr OpDef kShiftLeft = shift<"shift_left", left>();
constexpr OpDef kShiftRightLogical = shift<"shift_right_logical", right>();
constexpr OpDef kShiftRightArithmetic =
    shift<"shift_right_arithmetic", arithmetic>();
constexpr OpDef kPopcnt = count<"popcnt", ones>();
constexpr OpDef kCountLeadingZeros =
    count<"count_leading_zeros", leading_zeros>();

// The same bits under another type.
constexpr OpDef kBitcastConvert{
    .name = "bitcast_convert",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      const DType to = c.attrs.dtype("to");
      const size_t from_bits = plain_bits(c.type(0).dtype);
      if (from_bits == 0 || from_bits != plain_bits(to)) {
        refuse(
            c,
            "wants two types of 32 or of 64 bits, to " + std::string(name(to)));
      }
      return {{to, c.type(0).shape}};
    },
    .lower = lower_as<"bitcast_convert">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      std::copy_n(c.x[0].data(), c.x[0].bytes(), out.mutable_data());
      return {out};
    },
    .batch = batch_elementwise,
    // A float arrives as it was written: 32 bits, whatever the policy.
    .cast = Cast::kF32,
};

Value bit_and(const Arg& a, const Value& b) {
  return binary(kAnd, a, b);
}
Value bit_or(const Arg& a, const Value& b) {
  return binary(kOr, a, b);
}
Value bit_xor(const Arg& a, const Value& b) {
  return binary(kXor, a, b);
}
Value bit_not(const Arg& x) {
  return unary(kNot, x);
}
Value shift_left(const Arg& a, const Value& b) {
  return binary(kShiftLeft, a, b);
}
Value shift_right_logical(const Arg& a, const Value& b) {
  return binary(kShiftRightLogical, a, b);
}
Value shift_right_arithmetic(const Arg& a, const Value& b) {
  return binary(kShiftRightArithmetic, a, b);
}
Value popcnt(const Arg& x) {
  return unary(kPopcnt, x);
}
Value count_leading_zeros(const Arg& x) {
  return unary(kCountLeadingZeros, x);
}
Value bitcast_convert(const Arg& x, DType dtype) {
  return x.graph().add(kBitcastConvert, {x}, {{"to", dtype}}).out();
}

}  // namespace kexue::ops
