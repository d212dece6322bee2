#include "kexue/optim/adan.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

Adan::Adan(AdanOptions options) : options_(options) {
  detail::want_unit("adan", "beta1", options_.beta1);
  detail::want_unit("adan", "beta2", options_.beta2);
  detail::want_unit("adan", "beta3", options_.beta3);
  detail::want_positive("adan", "eps", options_.eps);
}

std::vector<Slot> Adan::slots(const Target& target) const {
  return {{"m", target.type},
          {"v", target.type},
          {"n", target.type},
          {"grad", target.type}};
}

Values Adan::direction(const Update& u) const {
  const auto& [b1, b2, b3, eps] = options_;
  const Value g = u.clipped();
  const Value first = ops::less_equal(u.step, ops::ones_like(u.step));
  const Value e = ops::select(first, ops::zeros_like(g), g - u.slots.at(3));
  const Value h = g + e * b2;
  const Value m = u.slots.at(0) * b1 + g * (1 - b1);
  const Value v = u.slots.at(1) * b2 + e * (1 - b2);
  const Value n = u.slots.at(2) * b3 + h * h * (1 - b3);
  const Value rise =
      m / bias_correction(u.step, b1) + v * b2 / bias_correction(u.step, b2);
  const Value spread = ops::sqrt(n / bias_correction(u.step, b3));
  return {rise / (spread + eps), m, v, n, g};
}

}  // namespace kexue::optim
