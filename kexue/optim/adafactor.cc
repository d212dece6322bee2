#include "kexue/optim/adafactor.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {
namespace {

constexpr const char* kName = "adafactor";

TensorType without(const TensorType& type, int64_t axis) {
  auto dims = type.shape.dims();
  dims.erase(dims.begin() + (type.shape.rank() + axis));
  return {type.dtype, Shape(dims)};
}

// x with a dimension of 1 at `axis` (negative, counted in the result).
Value with_one(const Value& x, int64_t axis) {
  auto dims = x.shape().dims();
  dims.insert(dims.end() + axis + 1, 1);
  return ops::reshape(x, dims);
}

}  // namespace

AdaFactor::AdaFactor(AdaFactorOptions options) : options_(options) {
  detail::want_unit(kName, "beta1", options_.beta1);
  detail::want_positive(kName, "rate_power", options_.rate_power);
  detail::want_positive(kName, "eps1", options_.eps1);
  detail::want_not_negative(kName, "eps2", options_.eps2);
  detail::want_not_negative(kName, "clip", options_.clip);
  detail::want_positive(
      kName, "min_factor", static_cast<double>(options_.min_factor));
}

bool AdaFactor::factors(const Target& target) const {
  const Shape& s = target.type.shape;
  return target.rank() >= 2 && s[s.rank() - 1] >= options_.min_factor &&
         s[s.rank() - 2] >= options_.min_factor;
}

std::vector<Slot> AdaFactor::slots(const Target& target) const {
  std::vector<Slot> out;
  if (options_.beta1 > 0) out.push_back({"m", target.type});
  if (factors(target)) {
    out.push_back({"row", without(target.type, -1)});
    out.push_back({"column", without(target.type, -2)});
  } else {
    out.push_back({"v", target.type});
  }
  return out;
}

Values AdaFactor::direction(const Update& u) const {
  const Value g = u.clipped();
  const Value q = g * g + options_.eps1;
  const auto [rank, stack] = std::pair(u.param.rank(), u.stack);
  const Value rest = ops::exp(ops::log(u.step) * -options_.rate_power);
  const auto follow = [&](const Value& old, const Value& now) {
    return old + (now - old) * rest;
  };
  size_t at = options_.beta1 > 0 ? 1 : 0;
  Values slots;
  Value d;
  if (factors(u.target())) {
    const Value row = follow(u.slots.at(at), ops::mean(q, {rank - 1}));
    const Value column = follow(u.slots.at(at + 1), ops::mean(q, {rank - 2}));
    // The mean is divided out of the rows first: r c alone might underflow.
    const Value share = row / ops::mean(row, {row.rank() - 1}, true);
    d = g * with_one(ops::rsqrt(share), -1) * with_one(ops::rsqrt(column), -2);
    slots = {row, column};
  } else {
    const Value v = follow(u.slots.at(at), q);
    d = g * ops::rsqrt(v);
    slots = {v};
  }
  if (options_.clip > 0) {
    const Value rms = slice_rms(d, stack) * (1 / options_.clip);
    d = d / ops::maximum(rms, ops::ones_like(rms));
  }
  if (options_.beta1 > 0) {
    d = u.slots.at(0) * options_.beta1 + d * (1 - options_.beta1);
    slots.insert(slots.begin(), d);
  }
  if (options_.scale_parameter) {
    const Value rms = slice_rms(u.param, stack);
    d = d * ops::maximum(rms, ops::full_like(rms, options_.eps2));
  }
  if (options_.relative_step) {
    // min(lr, 1 / sqrt(t)) in units of lr; 1 for lr = 0.
    const Value least = ops::rsqrt(u.step) / u.lr;
    d = d * ops::minimum(least, ops::ones_like(least));
  }
  slots.insert(slots.begin(), d);
  return slots;
}

}  // namespace kexue::optim
