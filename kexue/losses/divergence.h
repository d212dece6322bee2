// Distances between predictions.
#pragma once

#include "kexue/ir/value.h"

namespace kexue::losses {

// KL(p || q) = sum_c p_c (log p_c - log q_c), p and q the softmax of the
// logits.
//
// Shapes:   f[B,C], f[B,C] -> f[B].
// Numerics: f32 or wider, from log_softmax: no log of 0.
// Errors:   kInvalidArgument for other shapes.
Value kl_divergence(const Value& p_logits, const Value& q_logits);

// The weighted mean of KL(a || b) + KL(b || a) over rows: what R-Drop adds.
//
// Shapes: logits f[B,C], weights f[B] -> f[].
Value symmetric_kl(const Value& a, const Value& b, const Value& weights);

// R-Drop: two predictions a and b of the same rows under two dropout masks,
//   (CE(a) + CE(b)) / 2 + alpha / 4 (KL(a || b) + KL(b || a)),
// all as weighted means over the rows. The paper's loss is twice that.
//
// Shapes: logits f[B,C], labels i32[B], weights f32[B] -> f[].
// Source: Liang et al. 2021, arXiv:2106.14448; kexue.fm/archives/8496.
Value r_drop(const Value& a,
             const Value& b,
             const Value& labels,
             const Value& weights,
             double alpha = 4);

}  // namespace kexue::losses
