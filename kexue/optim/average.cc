#include "kexue/optim/average.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

Lookahead::Lookahead(OptimizerPtr inner, LookaheadOptions options)
    : Wrapper(std::move(inner)), options_(options) {
  detail::want_positive(
      "lookahead", "steps", static_cast<double>(options_.steps));
  detail::want_share("lookahead", "rate", options_.rate);
}

std::vector<Slot> Lookahead::slots(const Target& target) const {
  auto out = inner().slots(target);
  out.push_back({"slow", target.type, 0, true});
  return out;
}

Values Lookahead::apply(const Update& u) const {
  Values out = inner().apply(inner_update(u));
  const Value slow = u.slots.back();
  const Value k = ops::full_like(u.step, static_cast<double>(options_.steps));
  const Value sync =
      ops::equal(ops::remainder(u.step, k), ops::zeros_like(u.step));
  const Value next =
      ops::select(sync, slow + (out[0] - slow) * options_.rate, slow);
  out[0] = ops::select(sync, next, out[0]);
  out.push_back(next);
  return out;
}

MovingAverage::MovingAverage(OptimizerPtr inner, double decay)
    : Wrapper(std::move(inner)), decay_(decay) {
  detail::want_unit("moving average", "decay", decay);
  detail::want_positive("moving average", "decay", decay);
}

std::vector<Slot> MovingAverage::slots(const Target& target) const {
  auto out = inner().slots(target);
  out.push_back({"ema", target.type});
  return out;
}

Values MovingAverage::apply(const Update& u) const {
  Values out = inner().apply(inner_update(u));
  out.push_back(u.slots.back() * decay_ + out[0] * (1 - decay_));
  return out;
}

Value MovingAverage::evaluation(const Update& u) const {
  const Value one = ops::ones_like(u.step);
  const Value none = ops::less(u.step, one);
  const Value weight = ops::select(none, one, bias_correction(u.step, decay_));
  return ops::select(none, u.param, u.slots.back() / weight);
}

ScheduleFree::ScheduleFree(RulePtr inner, ScheduleFreeOptions options)
    : inner_(std::move(inner)), options_(options) {
  detail::want_unit("schedule free", "beta", options_.beta);
  detail::want_positive("schedule free", "beta", options_.beta);
  detail::want_not_negative("schedule free", "power", options_.power);
}

std::vector<Slot> ScheduleFree::slots(const Target& target) const {
  auto out = inner_->slots(target);
  const TensorType scalar{target.type.dtype, {}};
  out.push_back({"z", target.type, 0, true});
  out.push_back({"weight_sum", scalar});
  out.push_back({"max_lr", scalar});
  return out;
}

Values ScheduleFree::apply(const Update& u) const {
  Update inner = u;
  const size_t own = u.slots.size() - 3;
  inner.slots.resize(own);
  Values out = inner_->direction(inner);
  const Value d = out.at(0);
  const Value& z = u.slots[own];
  const Value rate = ops::maximum(u.slots[own + 2], u.lr);
  const Value weight =
      options_.power == 2
          ? rate * rate
          : ops::pow(rate, ops::full_like(rate, options_.power));
  const Value sum = u.slots[own + 1] + weight;
  const Value zero = ops::zeros_like(sum);
  const Value none = ops::equal(sum, zero);  // while the rate is still 0
  const Value c = ops::select(
      none, zero, weight / ops::select(none, ops::ones_like(sum), sum));
  // y' = (1-b) z' + b ((1-c) x + c z'), with x put in and sorted by y, z and d.
  const Value pull = 1.0 - (1.0 - c) * options_.beta;
  out[0] = u.param + (z - u.param) * c - d * (u.lr * pull);
  out.push_back(z - d * u.lr);
  out.push_back(sum);
  out.push_back(rate);
  return out;
}

Value ScheduleFree::evaluation(const Update& u) const {
  const Value& z = u.slots.at(u.slots.size() - 3);
  return z + (u.param - z) * (1 / options_.beta);
}

}  // namespace kexue::optim
