#include "kexue/losses/perturb.h"

#include <fmt/format.h>

#include <numeric>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/losses/cross_entropy.h"
#include "kexue/losses/divergence.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"

namespace kexue::losses {

Value perturbation(const Value& g, const Perturbation& options) {
  if (!(options.size >= 0) || !(options.floor >= 0)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("perturbation: wants size and floor >= 0, got {}, "
                            "{}",
                            options.size,
                            options.floor))
        .with_scope(Scope::path());
  }
  const Value v = ops::stop_gradient(g);
  Value length;
  if (options.by_row && v.rank() > 1) {
    std::vector<int64_t> axes(static_cast<size_t>(v.rank() - 1));
    std::iota(axes.begin(), axes.end(), 1);
    length = ops::norm(v, axes, true);
  } else {
    length = options.by_row ? ops::abs(v) : ops::norm(v);
  }
  // With a floor of 0 the zero vector would be 0 / 0.
  const Value zero = ops::zeros_like(length);
  const Value none = ops::equal(length, zero);
  const Value divisor =
      ops::select(none, ops::ones_like(length), length + options.floor);
  return ops::stop_gradient(v * (options.size / divisor));
}

Value fgm(const At& loss, const Value& x, const FgmOptions& options) {
  const Scope scope("fgm");
  const Value clean = loss(x);
  const Value g = transforms::gradients(clean, {x})[0];
  const Value moved = loss(x + perturbation(g, options.step));
  return options.add_clean ? clean + moved : moved;
}

Value vat(const At& logits,
          const Value& x,
          const Value& key,
          const VatOptions& options) {
  if (options.iterations < 1 || !(options.xi > 0)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("vat: wants iterations >= 1 and xi > 0, got {}, {}",
                            options.iterations,
                            options.xi))
        .with_scope(Scope::path());
  }
  const Scope scope("vat");
  const Value clean = ops::stop_gradient(logits(x));
  const auto divergence = [&](const Value& at) {
    const Value kl = kl_divergence(clean, logits(at));
    return options.weights ? weighted_mean(kl, options.weights) : ops::mean(kl);
  };
  Perturbation along = options.step;
  along.size = options.xi;
  Value r = ops::convert(ops::random_normal(key, x.shape()), x.dtype());
  for (int i = 0; i < options.iterations; ++i) {
    r = perturbation(r, along);
    r = transforms::gradients(divergence(x + r), {r})[0];
  }
  return divergence(x + perturbation(r, options.step));
}

}  // namespace kexue::losses
