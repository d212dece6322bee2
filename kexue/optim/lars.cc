#include "kexue/optim/lars.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {
namespace {

// a / b, or 1 where either is 0.
Value ratio(const Value& a, const Value& b) {
  const Value one = ops::ones_like(a);
  const Value zero = ops::zeros_like(a);
  const Value none = ops::bit_or(ops::equal(a, zero), ops::equal(b, zero));
  return ops::select(none, one, a / ops::select(none, one, b));
}

}  // namespace

LayerAdaptation::LayerAdaptation(RulePtr inner,
                                 std::vector<std::string> excluded)
    : inner_(std::move(inner)), excluded_(std::move(excluded)) {}

std::vector<Slot> LayerAdaptation::slots(const Target& target) const {
  return inner_->slots(target);
}

Values LayerAdaptation::direction(const Update& u) const {
  Values out = inner_->direction(u);
  if (!has_part(u.name, excluded_)) {
    out.at(0) = out[0] * ratio(slice_norm(u.param, u.stack),
                               slice_norm(out[0], u.stack));
  }
  return out;
}

Lars::Lars(LarsOptions options) : options_(std::move(options)) {
  detail::want_unit("lars", "momentum", options_.momentum);
  detail::want_positive("lars", "trust", options_.trust);
  detail::want_not_negative("lars", "weight_decay", options_.weight_decay);
}

std::vector<Slot> Lars::slots(const Target& target) const {
  return {{"momentum", target.type}};
}

Values Lars::apply(const Update& u) const {
  Value h = u.clipped();
  if (!has_part(u.name, options_.excluded)) {
    const double decay = options_.weight_decay;
    const Value w = slice_norm(u.param, u.stack);
    const Value g = slice_norm(h, u.stack);
    const Value r = ratio(w * options_.trust, g + w * decay);
    h = (h + u.param * decay) * r;
  }
  const Value b = u.slots.at(0) * options_.momentum + h * u.lr;
  return {u.param - b, b};
}

}  // namespace kexue::optim
