#include "kexue/optim/decay.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::optim {

void check_decay(const char* rule, double decay) {
  if (decay >= 0 && std::isfinite(decay)) return;
  throw Error(
      Code::kInvalidArgument,
      fmt::format("{}: wants a weight decay >= 0, got {}", rule, decay));
}

DecoupledDecay::DecoupledDecay(RulePtr inner, DecayOptions options)
    : inner_(std::move(inner)), options_(std::move(options)) {
  check_decay("decoupled decay", options_.weight_decay);
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

GradientDecay::GradientDecay(RulePtr inner, DecayOptions options)
    : inner_(std::move(inner)), options_(std::move(options)) {
  check_decay("gradient decay", options_.weight_decay);
}

std::vector<Slot> GradientDecay::slots(const Target& target) const {
  return inner_->slots(target);
}

Values GradientDecay::direction(const Update& u) const {
  const double decay = options_.weight_decay;
  if (decay == 0 || has_part(u.name, options_.no_decay)) {
    return inner_->direction(u);
  }
  Update with = u;
  with.grad = u.clipped() + u.param * decay;
  with.scale = {};
  return inner_->direction(with);
}

}  // namespace kexue::optim
