// Losses that hold the size of a gradient: second order.
#pragma once

#include "kexue/ir/value.h"

namespace kexue::losses {

// loss + penalty of v = d loss / d x, for a loss that is the mean over a batch:
//   squared  weight / 2 mean_b |v_b|^2
//   norm     weight mean_b |v_b|        (slope 0 at v_b = 0)
//   wgan     weight mean_b (|v_b| - 1)^2
// per_sample: v_b is row b of v times the batch size, the gradient of one row's
// own loss. batch_mean: v as it is, as one vector: squared is then weight / 2
// |v|^2, bert4keras' form, which also serves parameters and tables.
//
// Shapes: loss f[]; x f[B,...] (per_sample), f[...] (batch_mean) -> f[].
// Errors: kInvalidArgument for a weight < 0, per_sample without rows, or an x
//         that is not float (token ids: take the embedding's output) or that
//         the loss does not depend on; kUnsupported naming an op without a
//         second derivative.
// Source: kexue.fm/archives/7234; arXiv:1704.00028 (wgan).
struct GradientPenalty {
  enum class Form { kSquared, kNorm, kWgan };
  enum class Reduction { kPerSample, kBatchMean };
  Form form = Form::kSquared;
  Reduction reduction = Reduction::kPerSample;
  double weight = 1;
};
Value gradient_penalty(const Value& loss,
                       const Value& x,
                       const GradientPenalty& options = {});
// The penalty of several tensors as one vector (batch_mean): parameters.
Value gradient_penalty(const Value& loss,
                       const Values& xs,
                       const GradientPenalty& options);

}  // namespace kexue::losses
