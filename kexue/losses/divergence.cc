#include "kexue/losses/divergence.h"

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/losses/cross_entropy.h"
#include "kexue/ops/ops.h"

namespace kexue::losses {

Value kl_divergence(const Value& p_logits, const Value& q_logits) {
  if (p_logits.rank() != 2 || p_logits.shape() != q_logits.shape()) {
    throw Error(Code::kInvalidArgument,
                "kl_divergence: wants two f[B,C], got " +
                    p_logits.type().str() + ", " + q_logits.type().str())
        .with_scope(Scope::path());
  }
  const Value p = ops::log_softmax(ops::widen(p_logits));
  const Value q = ops::log_softmax(ops::widen(q_logits));
  return ops::sum(ops::exp(p) * (p - q), {1});
}

Value symmetric_kl(const Value& a, const Value& b, const Value& weights) {
  return weighted_mean(kl_divergence(a, b) + kl_divergence(b, a), weights);
}

Value r_drop(const Value& a,
             const Value& b,
             const Value& labels,
             const Value& weights,
             double alpha) {
  const Scope scope("r_drop");
  const Value nll =
      (cross_entropy(a, labels, weights) + cross_entropy(b, labels, weights)) *
      0.5;
  const Value kl = symmetric_kl(a, b, weights);
  return nll + ops::convert(kl, nll.dtype()) * (alpha / 4);
}

}  // namespace kexue::losses
