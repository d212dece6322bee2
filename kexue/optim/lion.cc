#include "kexue/optim/lion.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

Lion::Lion(LionOptions options) : options_(options) {
  detail::want_unit("lion", "beta1", options_.beta1);
  detail::want_unit("lion", "beta2", options_.beta2);
}

std::vector<Slot> Lion::slots(const Target& target) const {
  return {{"m", target.type}};
}

Values Lion::direction(const Update& u) const {
  const auto& [beta1, beta2] = options_;
  const Value g = u.clipped();
  const Value& m = u.slots.at(0);
  return {ops::sign(m * beta1 + g * (1 - beta1)), m * beta2 + g * (1 - beta2)};
}

}  // namespace kexue::optim
