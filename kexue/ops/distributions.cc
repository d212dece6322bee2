#include "kexue/ops/distributions.h"

#include <fmt/format.h>

#include <numbers>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/index.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/sort.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

// Uniform in (0, 1): the odd multiples of 2^-24, symmetric about 1/2.
Value open_uniform(const Value& key, const Shape& shape) {
  const Value bits = random_bits(key, shape);
  const Value top = shift_right_logical(bits, scalar_like(bits, 9));
  return (convert(top, DType::kF32) + 0.5) * 0x1.0p-23;
}

// location + scale * noise, in the location's dtype.
Value moved(const Value& noise, const Value& location, const Value& scale) {
  const Shape& shape = noise.shape();
  return broadcast_to(location, shape) +
         broadcast_to(scale, shape) * convert(noise, location.dtype());
}

// i64[shape]: 63 random bits, never negative.
Value long_bits(const Value& key, const Shape& shape) {
  auto dims = shape.dims();
  dims.push_back(2);
  const Value both = random_bits(key, Shape(dims));
  dims.pop_back();
  const auto word = [&](int64_t i) {
    return reshape(slice_axis(both, -1, i, i + 1), dims);
  };
  const Value low = convert(word(1), DType::kI64);
  const Value high =
      convert(shift_right_logical(word(0), scalar_like(both, 1)), DType::kI64);
  return bit_or(shift_left(high, scalar_like(high, 32)), low);
}

void want_count(const char* who, int64_t n) {
  if (n < 0) {
    throw Error(Code::kInvalidArgument, fmt::format("{}: n is {}", who, n));
  }
}

}  // namespace

Value split_key(const Arg& key, int64_t n) {
  want_count("split_key", n);
  // The words of counter i are those of fold_in(key, i).
  return random_bits(key, {n, 2});
}

Value random_uniform(const Arg& key,
                     const Shape& shape,
                     const Value& low,
                     const Value& high) {
  return moved(random_uniform(key, shape), low, high - low);
}

Value random_uniform(const Arg& key,
                     const Shape& shape,
                     double low,
                     double high) {
  return random_uniform(key, shape) * (high - low) + low;
}

Value random_normal(const Arg& key,
                    const Shape& shape,
                    const Value& mean,
                    const Value& std) {
  return moved(random_normal(key, shape), mean, std);
}

Value random_normal(const Arg& key,
                    const Shape& shape,
                    double mean,
                    double std) {
  return random_normal(key, shape) * std + mean;
}

Value random_truncated_normal(const Arg& key,
                              const Shape& shape,
                              const Value& low,
                              const Value& high) {
  constexpr double kHalf = 1 / std::numbers::sqrt2;
  const Value a = broadcast_to(widen(low), shape);
  const Value b = broadcast_to(widen(high), shape);
  const Value u = convert(open_uniform(key, shape), a.dtype());
  const Value from = erf(a * kHalf);
  const Value at = from + u * (erf(b * kHalf) - from);
  // Where rounding has reached 1, the largest number below it: finite x.
  const double edge = 1 - (a.dtype() == DType::kF64 ? 0x1p-53 : 0x1p-24);
  const Value inner =
      minimum(maximum(at, full_like(at, -edge)), full_like(at, edge));
  const Value x = erf_inv(inner) * std::numbers::sqrt2;
  return convert(minimum(maximum(x, a), b), low.dtype());
}

Value random_truncated_normal(const Arg& key,
                              const Shape& shape,
                              double low,
                              double high) {
  if (!(low < high)) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "random_truncated_normal: [{}, {}] is no interval", low, high));
  }
  const auto number = [&](double v) {
    const auto value = HostArray::scalar(static_cast<float>(v));
    return key.graph().add(kConstant, {}, {{"value", value}}).out();
  };
  return random_truncated_normal(key, shape, number(low), number(high));
}

Value random_exponential(const Arg& key, const Shape& shape) {
  return -log1p(-open_uniform(key, shape));
}

Value random_exponential(const Arg& key,
                         const Shape& shape,
                         const Value& rate) {
  return convert(random_exponential(key, shape), rate.dtype()) /
         broadcast_to(rate, shape);
}

Value random_gumbel(const Arg& key, const Shape& shape) {
  return -log(-log(open_uniform(key, shape)));
}

Value random_gumbel(const Arg& key,
                    const Shape& shape,
                    const Value& location,
                    const Value& scale) {
  return moved(random_gumbel(key, shape), location, scale);
}

Value random_laplace(const Arg& key, const Shape& shape) {
  const Value u = open_uniform(key, shape) * 2.0 - 1.0;
  return -(sign(u) * log1p(-abs(u)));
}

Value random_laplace(const Arg& key,
                     const Shape& shape,
                     const Value& location,
                     const Value& scale) {
  return moved(random_laplace(key, shape), location, scale);
}

Value random_bernoulli(const Arg& key, const Shape& shape, const Value& p) {
  const Value u = random_uniform(key, shape);
  return less(u, broadcast_to(convert(p, DType::kF32), shape));
}

Value random_bernoulli(const Arg& key, const Shape& shape, double p) {
  if (!(p >= 0 && p <= 1)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("random_bernoulli: {} is no probability", p));
  }
  const Value u = random_uniform(key, shape);
  return less(u, full_like(u, p));
}

Value random_categorical(const Arg& key, const Value& logits, int64_t axis) {
  canonical_axis(axis, logits.rank(), "random_categorical");
  const Value w = widen(logits);
  const Value noise = random_gumbel(key, logits.shape());
  return argmax(w + convert(noise, w.dtype()), axis);
}

Value random_integers(const Arg& key,
                      const Shape& shape,
                      int64_t low,
                      int64_t high) {
  if (low >= high || low < INT32_MIN || high > int64_t{INT32_MAX} + 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("random_integers: no i32 in [{}, {})", low, high));
  }
  const Value bits = long_bits(key, shape);
  const Value n = full_like(bits, static_cast<double>(high - low));
  const Value y = remainder(bits, n) + static_cast<double>(low);
  return convert(y, DType::kI32);
}

Value random_permutation(const Arg& key, int64_t n) {
  want_count("random_permutation", n);
  return argsort(long_bits(key, {n}));
}

Value shuffle(const Arg& key, const Value& x, int64_t axis) {
  axis = canonical_axis(axis, x.rank(), "shuffle");
  if (x.dim(axis) == 0) return x;
  return take(x, random_permutation(key, x.dim(axis)), axis);
}

}  // namespace kexue::ops
