#include "kexue/losses/gradient_penalty.h"

#include <fmt/format.h>

#include <numeric>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"

namespace kexue::losses {
namespace {

using Form = GradientPenalty::Form;
using Reduction = GradientPenalty::Reduction;

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw Error(Code::kInvalidArgument, "gradient_penalty: " + what, hint)
      .with_scope(Scope::path());
}

void check(const Values& xs, const GradientPenalty& o) {
  if (!(o.weight >= 0)) {
    refuse(fmt::format("wants a weight >= 0, got {}", o.weight), "");
  }
  for (const Value& x : xs) {
    if (!is_float(x.dtype())) {
      refuse("wants a float x, got " + x.type().str(),
             "for token ids take the embedding's output");
    }
  }
}

// From squares of lengths, of each row or of all.
Value penalty(const Value& squares, const GradientPenalty& o) {
  if (o.form == Form::kSquared) return ops::mean(squares) * (0.5 * o.weight);
  // The norm's slope at 0 is 0, not infinite.
  const Value zero = ops::zeros_like(squares);
  const Value some = ops::greater(squares, zero);
  const Value safe = ops::select(some, squares, ops::ones_like(squares));
  const Value length = ops::select(some, ops::sqrt(safe), squares);
  if (o.form == Form::kNorm) return ops::mean(length) * o.weight;
  const Value off = length - 1.0;
  return ops::mean(off * off) * o.weight;
}

}  // namespace

Value gradient_penalty(const Value& loss,
                       const Value& x,
                       const GradientPenalty& options) {
  if (options.reduction == Reduction::kBatchMean) {
    return gradient_penalty(loss, Values{x}, options);
  }
  check({x}, options);
  if (x.rank() == 0) {
    refuse("per_sample wants x f[B,...], got " + x.type().str(),
           "batch_mean takes any x");
  }
  const Scope scope("gradient_penalty");
  const Value v = ops::widen(transforms::gradients(
                      loss, {x}, {.refuse_independent = true})[0]) *
                  static_cast<double>(x.dim(0));
  Value squares = v * v;
  if (x.rank() > 1) {
    std::vector<int64_t> axes(static_cast<size_t>(x.rank() - 1));
    std::iota(axes.begin(), axes.end(), 1);
    squares = ops::sum(squares, axes);
  }
  return loss + ops::convert(penalty(squares, options), loss.dtype());
}

Value gradient_penalty(const Value& loss,
                       const Values& xs,
                       const GradientPenalty& options) {
  check(xs, options);
  if (xs.empty()) refuse("wants at least one tensor", "");
  const Scope scope("gradient_penalty");
  Value squares;
  for (const Value& g :
       transforms::gradients(loss, xs, {.refuse_independent = true})) {
    const Value v = ops::widen(g);
    const Value s = ops::sum(v * v);
    squares = squares ? squares + s : s;
  }
  return loss + ops::convert(penalty(squares, options), loss.dtype());
}

}  // namespace kexue::losses
