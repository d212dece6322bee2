// Classification losses.
#pragma once

#include "kexue/ir/value.h"

namespace kexue::losses {

// sum_i w_i x_i / sum_i w_i; 0 if all weights are 0.
//
// Shapes: x f[B], weights f[B] -> f[].
Value weighted_mean(const Value& x, const Value& weights);

// sum_i w_i (logsumexp(z_i) - z_i[label_i]) / sum_i w_i.
//
// Shapes:   logits f[B,C], labels i32[B], weights f32[B] -> f[].
// Numerics: always f32 or wider; 0 if all weights are 0. A label outside
//           0 .. C-1 adds nothing to the upper sum. Second derivatives agree
//           with those of the dense form.
// Source:   derived.
Value cross_entropy(const Value& logits,
                    const Value& labels,
                    const Value& weights);

// Weighted number of rows whose largest logit is the label, f32[].
Value correct_count(const Value& logits,
                    const Value& labels,
                    const Value& weights);

}  // namespace kexue::losses
