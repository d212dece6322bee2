#include "kexue/ops/random.h"

#include <fmt/format.h>

#include <numbers>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

Value rotl(const Value& x, int r) {
  return bit_or(shift_left(x, scalar_like(x, r)),
                shift_right_logical(x, scalar_like(x, 32 - r)));
}

Value word(const Value& key, int64_t i) {
  return reshape(slice(key, {i}, {i + 1}), std::vector<int64_t>{});
}

struct Words {
  Value w0;
  Value w1;
};

// The same rounds as kexue::threefry2x32, on tensors of counters.
Words threefry(const Value& key, Value x0, Value x1) {
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const Value k0 = word(key, 0);
  const Value k1 = word(key, 1);
  const Value k2 = bit_xor(bit_xor(k0, k1), scalar_like(k0, 0x1BD11BDA));
  const Value ks[3] = {k0, k1, k2};
  x0 = x0 + k0;
  x1 = x1 + k1;
  for (int block = 0; block < 5; ++block) {
    for (const int r : kRotations[block % 2]) {
      x0 = x0 + x1;
      x1 = bit_xor(rotl(x1, r), x0);
    }
    x0 = x0 + ks[(block + 1) % 3];
    x1 = x1 + ks[(block + 2) % 3] + static_cast<double>(block + 1);
  }
  return {x0, x1};
}

// Both words for counters 0..n-1 (n < 2^32).
Words words(const Value& key, int64_t n) {
  if (key.type() != TensorType{DType::kU32, {2}}) {
    throw Error(Code::kInvalidArgument,
                "random: a key is u32[2], got " + key.type().str());
  }
  if (n >= int64_t{1} << 32) {
    throw Error(Code::kUnsupported,
                fmt::format("random: {} counters exceed 2^32", n));
  }
  const Value low = key.graph()
                        .add(kIota,
                             {},
                             {{"dtype", DType::kU32},
                              {"shape", std::vector<int64_t>{n}},
                              {"axis", int64_t{0}}})
                        .out();
  return threefry(key, zeros_like(low), low);
}

// [n] tensors side by side as one flat tensor, cut to `size`.
Value interleave(const Values& parts, int64_t size) {
  Values columns;
  const int64_t n = parts[0].dim(0);
  for (const Value& p : parts) columns.push_back(reshape(p, {n, 1}));
  const Value all = reshape(concatenate(columns, 1), {-1});
  return all.dim(0) == size ? all : slice(all, {0}, {size});
}

Values compose_dropout(const Node& n, const Values& in) {
  const auto threshold = static_cast<double>(n.attrs.i("threshold"));
  const int64_t size = in[0].shape().size();
  const Words w = words(in[1], (size + 3) / 4);
  const Value half = scalar_like(w.w0, 0xffff);
  const Value sixteen = scalar_like(w.w0, 16);
  const Value bits = interleave({bit_and(w.w0, half),
                                 shift_right_logical(w.w0, sixteen),
                                 bit_and(w.w1, half),
                                 shift_right_logical(w.w1, sixteen)},
                                size);
  const Value keep = reshape(greater_equal(bits, scalar_like(bits, threshold)),
                             in[0].shape().dims());
  return {select(
      keep, in[0] * (65536.0 / (65536.0 - threshold)), zeros_like(in[0]))};
}

std::string_view dropout_kernel(const Node& n) {
  return n.types[0].dtype == DType::kF32 ? "kexue_dropout" : "";
}

}  // namespace

// Inputs: x, key.
constexpr OpDef kDropout{
    .name = "dropout",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 2);
      want_float(c);
      if (c.type(1) != TensorType{DType::kU32, {2}}) {
        refuse(c, "wants a key u32[2]");
      }
      return {c.type(0)};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy.graph().add(kDropout, {c.dy, c.x[1]}, c.node.attrs).out(),
              Value{}};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(
              n,
              dropout_kernel(n),
              fmt::format("threshold = {} : i64", n.attrs.i("threshold")));
        },
    .compose = compose_dropout,
    .kernel = dropout_kernel,
};

// Inputs: key u32[2], index u32[1]. A fused op because the composition is 110
// scalar ops, and a model has one for each place that draws random numbers:
// they were most of its compile time.
constexpr OpDef kFoldIn{
    .name = "fold_in",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 2);
      if (c.type(0) != TensorType{DType::kU32, {2}} ||
          c.type(1) != TensorType{DType::kU32, {1}}) {
        refuse(c, "wants a key u32[2] and an index u32[1]");
      }
      return {c.type(0)};
    },
    .lower = [](Emitter& e,
                const Node& n) { e.custom_call(n, "kexue_fold_in", ""); },
    .compose = [](const Node&, const Values& in) -> Values {
      const Words w = threefry(in[0], zeros_like(in[1]), in[1]);
      return {concatenate({w.w0, w.w1}, 0)};
    },
    .kernel = [](const Node&) -> std::string_view { return "kexue_fold_in"; },
    .cast = Cast::kKeep,
};

Value fold_in(const Arg& key, const Value& index) {
  const Value i = reshape(convert(index, DType::kU32), {1});
  return key.graph().add(kFoldIn, {key, i}).out();
}

Value fold_in(const Arg& key, uint32_t index) {
  return fold_in(key,
                 key.graph()
                     .add(kConstant, {}, {{"value", HostArray::scalar(index)}})
                     .out());
}

Value random_bits(const Arg& key, const Shape& shape) {
  const int64_t size = shape.size();
  const Words w = words(key, (size + 1) / 2);
  return reshape(interleave({w.w0, w.w1}, size), shape.dims());
}

Value random_uniform(const Arg& key, const Shape& shape) {
  const Value bits = random_bits(key, shape);
  const Value top = shift_right_logical(bits, scalar_like(bits, 9));
  return convert(top, DType::kF32) * 0x1.0p-23;
}

Value random_normal(const Arg& key, const Shape& shape) {
  const Value u = random_uniform(fold_in(key, 0U), shape);
  const Value v = random_uniform(fold_in(key, 1U), shape);
  return sqrt(log(1.0 - u) * -2.0) * cos(v * (2 * std::numbers::pi));
}

int64_t dropout_threshold(double rate) {
  if (!(rate >= 0) || rate >= 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("dropout: rate {} is not in [0, 1)", rate));
  }
  return static_cast<int64_t>(std::lround(rate * 65536));
}

Value keep_mask(const Arg& key, const Shape& shape, double rate) {
  const Value ones =
      broadcast_to(key.graph()
                       .add(kConstant, {}, {{"value", HostArray::scalar(1.0f)}})
                       .out(),
                   shape);
  const Value kept = dropout(ones, key, rate);
  return greater(kept, zeros_like(kept));
}

Value dropout(const Arg& x, const Value& key, double rate) {
  const int64_t threshold = dropout_threshold(rate);
  if (threshold == 0) return x;
  return x.graph().add(kDropout, {x, key}, {{"threshold", threshold}}).out();
}

}  // namespace kexue::ops
