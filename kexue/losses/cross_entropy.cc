#include "kexue/losses/cross_entropy.h"

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"

namespace kexue::losses {
namespace {

void check(const Value& logits, const Value& labels, const Value& weights) {
  const bool ok = logits.rank() == 2 && labels.rank() == 1 &&
                  weights.rank() == 1 && labels.dim(0) == logits.dim(0) &&
                  weights.dim(0) == logits.dim(0) &&
                  labels.dtype() == DType::kI32 && is_float(weights.dtype());
  if (!ok) {
    throw Error(Code::kInvalidArgument,
                "cross_entropy: wants logits f[B,C], labels i32[B], weights "
                "f[B], got " +
                    logits.type().str() + ", " + labels.type().str() + ", " +
                    weights.type().str())
        .with_scope(Scope::path());
  }
}

}  // namespace

Value weighted_mean(const Value& x, const Value& weights) {
  const Value total = ops::sum(weights);
  const Value some = ops::greater(total, ops::zeros_like(total));
  const Value divisor = ops::select(some, total, ops::ones_like(total));
  return ops::sum(x * ops::convert(weights, x.dtype())) /
         ops::convert(divisor, x.dtype());
}

Value cross_entropy(const Value& logits,
                    const Value& labels,
                    const Value& weights) {
  check(logits, labels, weights);
  const Scope scope("cross_entropy");
  const Value nll = ops::softmax_cross_entropy(logits, labels);
  return weighted_mean(nll, weights);
}

Value correct_count(const Value& logits,
                    const Value& labels,
                    const Value& weights) {
  check(logits, labels, weights);
  const Value hit = ops::equal(ops::argmax(logits, 1), labels);
  return ops::sum(ops::convert(hit, weights.dtype()) * weights);
}

}  // namespace kexue::losses
