#include "kexue/optim/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::optim {

Clipped clip_by_global_norm(const Values& grads, double limit) {
  Value squares;
  for (const Value& g : grads) {
    const Value s = ops::sum(g * g);
    squares = squares ? squares + s : s;
  }
  if (!squares) throw Error(Code::kInvalidArgument, "clip: no gradients");
  const Value norm = ops::sqrt(squares);
  if (limit <= 0 || !std::isfinite(limit)) return {grads, norm, {}};
  const Value over = ops::maximum(norm * (1.0 / limit), ops::ones_like(norm));
  const Value scale = 1.0 / over;
  Values out;
  for (const Value& g : grads) out.push_back(g * scale);
  return {out, norm, scale};
}

AdamW::AdamW(AdamWOptions options) : options_(std::move(options)) {
  const auto in_unit = [](double b) { return b >= 0 && b < 1; };
  if (!in_unit(options_.beta1) || !in_unit(options_.beta2) ||
      !(options_.eps > 0) || !(options_.weight_decay >= 0)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("adamw: wants betas in [0,1), eps > 0, decay >= 0, "
                            "got {}, {}, {}, {}",
                            options_.beta1,
                            options_.beta2,
                            options_.eps,
                            options_.weight_decay));
  }
}

Values AdamW::apply(const Update& u) const {
  const Value one = ops::ones_like(u.lr);
  Value rate = u.lr;
  Value eps = ops::full_like(u.lr, options_.eps);
  if (options_.bias_correction) {
    // mhat / (sqrt(vhat) + eps) = (c2/c1) m / (sqrt(v) + c2 eps), so the
    // corrections touch scalars only; c_i = 1 - b_i^t, c2 under the root.
    const auto correction = [&](double beta) {
      return 1.0 - ops::exp(u.step * std::log(beta));
    };
    const Value c2 = ops::sqrt(correction(options_.beta2));
    rate = u.lr * c2 / correction(options_.beta1);
    eps = eps * c2;
  }
  const bool excluded = std::any_of(
      options_.no_decay.begin(),
      options_.no_decay.end(),
      [&](const auto& part) { return u.name.find(part) != std::string::npos; });
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

Value linear_warmup_decay(const Value& peak,
                          const Value& warmup,
                          const Value& total,
                          const Value& s) {
  const Value one = ops::ones_like(s);
  const Value up = s / ops::maximum(warmup, one);
  const Value down = (total - s) / ops::maximum(total - warmup, one);
  const Value slope = ops::select(
      ops::less(s, warmup), up, ops::maximum(down, ops::zeros_like(down)));
  return peak * slope;
}

}  // namespace kexue::optim
