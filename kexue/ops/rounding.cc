// Rounding and bounds; declared in unary.h and elementwise.h.
#include <fmt/format.h>

#include <cstring>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

// Bits of exponent and mantissa.
struct Format {
  int64_t exponent, mantissa;
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return {5, 10};
    case DType::kBF16:
      return {8, 7};
    case DType::kF32:
      return {8, 23};
    default:
      return {11, 52};
  }
}

// The float with these bits in `from`, rounded to `to`, as bits again. A carry
// out of the mantissa moves into the exponent, as it should.
uint64_t reduced(uint64_t x, Format from, Format to) {
  const uint64_t sign = 1ULL << (from.exponent + from.mantissa);
  const uint64_t infinity = ((1ULL << from.exponent) - 1) << from.mantissa;
  const uint64_t magnitude = x & (sign - 1);
  if (magnitude > infinity) return x;  // NaN
  uint64_t m = magnitude;
  if (to.mantissa < from.mantissa) {
    const int64_t drop = from.mantissa - to.mantissa;
    const uint64_t last = m >> drop & 1;
    m = (m + last + (1ULL << (drop - 1)) - 1) >> drop << drop;
  }
  if (to.exponent < from.exponent) {
    const uint64_t bias = (1ULL << (from.exponent - 1)) - 1;
    const uint64_t small_bias = (1ULL << (to.exponent - 1)) - 1;
    const uint64_t exponent = m >> from.mantissa;
    if (exponent > bias + small_bias) m = infinity;
    if (exponent <= bias - small_bias) m = 0;
  }
  return (x & sign) | m;
}

}  // namespace

constexpr OpDef kRound{
    .name = "round",
    .infer = float_unary,
    .vjp = [](const VjpContext&) -> Values { return {Value{}}; },
    .lower = lower_as<"round_nearest_even">,
    .eval = eval_unary<[](double x) { return std::nearbyint(x); }>,
    .batch = batch_elementwise,
};

constexpr OpDef kReducePrecision{
    .name = "reduce_precision",
    .infer = [](const InferContext& c) -> TypeList {
      if (c.attrs.i("exponent_bits") < 1 || c.attrs.i("mantissa_bits") < 0) {
        refuse(c,
               fmt::format("wants exponent_bits >= 1 and mantissa_bits >= 0, "
                           "not {} and {}",
                           c.attrs.i("exponent_bits"),
                           c.attrs.i("mantissa_bits")));
      }
      return float_unary(c);
    },
    .vjp = [](const VjpContext& c) -> Values {
      const Attrs& a = c.node.attrs;
      return {
          reduce_precision(c.dy, a.i("exponent_bits"), a.i("mantissa_bits"))};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.reduce_precision",
                 fmt::format("exponent_bits = {} : i32, mantissa_bits = {} : "
                             "i32",
                             n.attrs.i("exponent_bits"),
                             n.attrs.i("mantissa_bits")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const Attrs& a = c.node.attrs;
      const Format from = format_of(c.x[0].dtype());
      const Format to = {a.i("exponent_bits"), a.i("mantissa_bits")};
      HostArray out = c.x[0].clone();
      const size_t width = size_bytes(out.dtype());
      for (size_t i = 0; i < out.bytes(); i += width) {
        uint64_t bits = 0;
        std::memcpy(&bits, out.data() + i, width);
        bits = reduced(bits, from, to);
        std::memcpy(out.mutable_data() + i, &bits, width);
      }
      return {out};
    },
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};

Value round(const Arg& x) {
  return unary(kRound, x);
}

Value trunc(const Arg& x) {
  return select(less(x, zeros_like(x)), ceil(x), floor(x));
}

Value reduce_precision(const Arg& x,
                       int64_t exponent_bits,
                       int64_t mantissa_bits) {
  return x.graph()
      .add(kReducePrecision,
           {x},
           {{"exponent_bits", exponent_bits}, {"mantissa_bits", mantissa_bits}})
      .out();
}

Value clamp(const Arg& x, const Value& low, const Value& high) {
  return select(
      less_equal(x, low), low, select(greater_equal(x, high), high, x));
}

Value clamp(const Arg& x, double low, double high) {
  if (!(low <= high)) {
    throw ir::located(
        {Code::kInvalidArgument,
         fmt::format("clamp: wants low <= high, got {} and {}", low, high)});
  }
  return clamp(x, scalar_like(x, low), scalar_like(x, high));
}

}  // namespace kexue::ops
