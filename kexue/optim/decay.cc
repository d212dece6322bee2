#include "kexue/optim/decay.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

DecoupledDecay::DecoupledDecay(RulePtr inner, DecayOptions options)
    : inner_(std::move(inner)), options_(std::move(options)) {
  detail::want_not_negative(
      "decoupled decay", "weight_decay", options_.weight_decay);
}

std::vector<Slot> DecoupledDecay::slots(const Target& target) const {
  return inner_->slots(target);
}

Values DecoupledDecay::direction(const Update& u) const {
  Values out = inner_->direction(u);
  const double decay = options_.weight_decay;
  if (decay > 0 && !has_part(u.name, options_.no_decay)) {
    out.at(0) = out[0] + u.param * decay;
  }
  return out;
}

GradientDecay::GradientDecay(OptimizerPtr inner, DecayOptions options)
    : Wrapper(std::move(inner)), options_(std::move(options)) {
  detail::want_not_negative(
      "gradient decay", "weight_decay", options_.weight_decay);
}

Values GradientDecay::apply(const Update& u) const {
  const double decay = options_.weight_decay;
  if (decay == 0 || has_part(u.name, options_.no_decay)) {
    return inner().apply(u);
  }
  Update with = u;
  with.grad = u.clipped() + u.param * decay;
  with.scale = {};
  return inner().apply(with);
}

ProximalDecay::ProximalDecay(OptimizerPtr inner, DecayOptions options)
    : Wrapper(std::move(inner)), options_(std::move(options)) {
  detail::want_not_negative(
      "proximal decay", "weight_decay", options_.weight_decay);
}

Values ProximalDecay::apply(const Update& u) const {
  Values out = inner().apply(u);
  const double decay = options_.weight_decay;
  if (decay > 0 && !has_part(u.name, options_.no_decay)) {
    out.at(0) = out[0] / (1.0 + u.lr * decay);
  }
  return out;
}

}  // namespace kexue::optim
