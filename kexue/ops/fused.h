// Fused ops of a Transformer: each is defined by a composition of plain ops,
// and may run as one kernel where a profile showed that it pays.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// y = (x - mu) / sqrt(var + eps) * gamma + beta over the last axis, var biased.
//
// Shapes:   x f[...,D], gamma f[D], beta f[D] -> f[...,D].
// Numerics: runs in f32 or wider under every policy; a constant row gives beta.
// Source:   Ba et al. 2016, arXiv:1607.06450.
Value layer_norm(const Arg& x,
                 const Value& gamma,
                 const Value& beta,
                 double eps);

// 0.5 x (1 + erf(x / sqrt 2)). f[...] -> f[...]
// Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
Value gelu(const Arg& x);
// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), Google BERT's form.
Value gelu_tanh(const Arg& x);
// max(x, 0) with derivative 0 at 0.
Value relu(const Arg& x);

// exp(x) / sum(exp(x)) along `axis`.
//
// Numerics: the row maximum is subtracted first.
Value softmax(const Arg& x, int64_t axis = -1);
// The same over positions where `mask` (bool, broadcastable) holds. A row with
// no such position is all zeros, and so is its gradient.
Value masked_softmax(const Arg& x, const Value& mask, int64_t axis = -1);
// x - logsumexp(x) along `axis`.
Value log_softmax(const Arg& x, int64_t axis = -1);

// Sum over all axes but the last: the gradient of a row added to all rows.
//
// Shapes:   x f[...,D] of two axes or more -> f[D], f32 or wider.
// Numerics: sums in f32 or wider. A policy rounds x as it does the factors of
//           a product: the sum is one with ones.
Value column_sum(const Arg& x);

// loss = logsumexp(x) - x[label] for each row x of logits; 0, with gradient 0,
// where the label is not in 0 .. C-1.
//
// Shapes:   logits f[...,C], labels i32[...] -> f[...], f32 or wider.
// Numerics: always f32 or wider, under every policy, also where the logits are
//           16 bits wide; then only their gradient is rounded to 16 bits. The
//           row maximum is subtracted first.
// Source:   derived; the gradient is softmax(x) - one_hot(label).
Value softmax_cross_entropy(const Arg& logits, const Value& labels);

// o = dropout(masked_softmax(scale q k^T)) v for each head; if `is_causal`,
// query t sees only those of the allowed keys with s <= t.
//
// Shapes:   q f[B,T,H,D], k f[B,S,H,D], v f[B,S,H,D], mask bool[B,S] (true =
//           may be attended to), key u32[2] -> f[B,T,H,D].
// Numerics: softmax in f32; a query whose keys are all masked gives zeros.
//           Dropout of the probabilities counts in [B,H,T,S], causal or not.
// Errors:   kInvalidArgument for other types or shapes, for causal attention
//           with T != S, and for a rate outside [0, 1).
// Source:   Vaswani et al. 2017, arXiv:1706.03762; kernel after Dao et al.
//           2022, arXiv:2205.14135 (probabilities recomputed backward).
Value attention(const Arg& q,
                const Value& k,
                const Value& v,
                const Value& mask,
                const Value& key,
                double scale,
                double dropout_rate,
                bool is_causal = false);

}  // namespace kexue::ops
