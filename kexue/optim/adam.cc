#include "kexue/optim/adam.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {
namespace {

void check_adam(const char* rule, double beta1, double beta2, double eps) {
  detail::want_unit(rule, "beta1", beta1);
  detail::want_unit(rule, "beta2", beta2);
  detail::want_positive(rule, "eps", eps);
}

}  // namespace

Adam::Adam(AdamOptions options) : options_(options) {
  check_adam("adam", options_.beta1, options_.beta2, options_.eps);
}

std::vector<Slot> Adam::slots(const Target& target) const {
  std::vector<Slot> out;
  if (options_.beta1 > 0) out.push_back({"m", target.type});
  out.push_back({"v", target.type});
  return out;
}

Values Adam::direction(const Update& u) const {
  const auto& [beta1, beta2, eps, corrected, eps_hat] = options_;
  const Value g = u.clipped();
  const Value m =
      beta1 > 0 ? u.slots.at(0) * beta1 + g * (1 - beta1) : Value(g);
  const Value v = u.slots.at(beta1 > 0 ? 1 : 0) * beta2 + g * g * (1 - beta2);
  Value d;
  if (!corrected) {
    d = m / (ops::sqrt(v) + eps);
  } else {
    const Value c1 = bias_correction(u.step, beta1);
    const Value c2 = ops::sqrt(bias_correction(u.step, beta2));
    d = eps_hat ? m * (c2 / c1) / (ops::sqrt(v) + eps)
                : m / c1 / (ops::sqrt(v) / c2 + eps);
  }
  if (beta1 > 0) return {d, m, v};
  return {d, v};
}

AdamW::AdamW(AdamWOptions options) : options_(std::move(options)) {
  check_adam("adamw", options_.beta1, options_.beta2, options_.eps);
  detail::want_not_negative("adamw", "weight_decay", options_.weight_decay);
}

std::vector<Slot> AdamW::slots(const Target& target) const {
  return {{"m", target.type}, {"v", target.type}};
}

Values AdamW::apply(const Update& u) const {
  const Value one = ops::ones_like(u.lr);
  Value rate = u.lr;
  Value eps = ops::full_like(u.lr, options_.eps);
  if (options_.bias_correction) {
    // mhat / (sqrt(vhat) + eps) = (c2/c1) m / (sqrt(v) + c2 eps), so the
    // corrections touch scalars only; c_i = 1 - b_i^t, c2 under the root.
    const Value c2 = ops::sqrt(bias_correction(u.step, options_.beta2));
    rate = u.lr * c2 / bias_correction(u.step, options_.beta1);
    if (!options_.eps_hat) eps = eps * c2;
  }
  const bool excluded = has_part(u.name, options_.no_decay);
  const Value decay = u.lr * (excluded ? 0.0 : options_.weight_decay);
  return ops::adamw(u.param,
                    u.slots.at(0),
                    u.slots.at(1),
                    u.grad,
                    {.rate = rate,
                     .eps = eps,
                     .decay = decay,
                     .scale = u.scale ? u.scale : one,
                     .go = u.go ? ops::convert(u.go, one.dtype()) : one},
                    options_.beta1,
                    options_.beta2);
}

}  // namespace kexue::optim
