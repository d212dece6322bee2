#include "kexue/optim/rmsprop.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

RmsProp::RmsProp(RmsPropOptions options) : options_(options) {
  detail::want_unit("rmsprop", "alpha", options_.alpha);
  detail::want_positive("rmsprop", "eps", options_.eps);
  detail::want_unit("rmsprop", "momentum", options_.momentum);
}

std::vector<Slot> RmsProp::slots(const Target& target) const {
  std::vector<Slot> out = {{"v", target.type}};
  if (options_.centered) out.push_back({"mean", target.type});
  if (options_.momentum > 0) out.push_back({"momentum", target.type});
  return out;
}

Values RmsProp::direction(const Update& u) const {
  const double a = options_.alpha;
  const Value g = u.clipped();
  const Value v = u.slots.at(0) * a + g * g * (1 - a);
  Values slots = {v};
  Value spread = v;
  if (options_.centered) {
    const Value mean = u.slots.at(1) * a + g * (1 - a);
    slots.push_back(mean);
    // Rounding may take a variance of 0 below it.
    spread = ops::maximum(v - mean * mean, ops::zeros_like(v));
  }
  Value d = g / (ops::sqrt(spread) + options_.eps);
  if (options_.momentum > 0) {
    d = u.slots.at(slots.size()) * options_.momentum + d;
    slots.push_back(d);
  }
  slots.insert(slots.begin(), d);
  return slots;
}

}  // namespace kexue::optim
