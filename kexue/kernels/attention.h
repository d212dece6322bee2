// Fused multi-head attention: no tensor of size T x S in memory.
#pragma once

#include <cstdint>

#include "kexue/base/random.h"
#include "kexue/kernels/floats.h"

namespace kexue::kernels {

// B = batch, T = queries, S = keys, H = heads, D = dim of a head.
struct AttentionSpec {
  int64_t batch = 0;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t heads = 0;
  int64_t dim = 0;
  float scale = 1.0f;     // usually 1 / sqrt(D)
  bool causal = false;    // query t sees only keys s <= t; wants T = S
  int64_t threshold = 0;  // dropout of the probabilities: dropout.h
  Key key{};              // element i of the stream is i in [B,H,T,S]
};

// p[b,h,t,:] = softmax over the allowed s of scale * <q[b,t,h,:], k[b,s,h,:]>
// (mask[b,s] holds and, if causal, s <= t),
// o[b,t,h,:] = sum over s of dropout(p)[b,h,t,s] * v[b,s,h,:],
// lse[b,h,t] = log of the softmax's denominator, kept for the gradient.
//
// Shapes:   q, o [B,T,H,D]; k, v [B,S,H,D]; q, k, v all f32 or all bf16,
//           o either; mask bool[B,S], true where the key may be seen;
//           lse f32[B,H,T].
// Numerics: products and softmax in f32; for bf16 inputs the probabilities
//           are rounded to bf16 before they meet v, where the processor
//           multiplies bf16 (else they stay f32). A row without any allowed
//           key gives o = 0 and lse = 0. The same bits for any thread count.
// Errors:   kInvalidArgument (negative sizes, types, threshold, causal with
//           T != S).
//
// Keys after the last one allowed to a few queries (rounded up to 16) cost
// nothing: causal attention takes little more than half the work.
void attention(const AttentionSpec& spec,
               FloatsIn q,
               FloatsIn k,
               FloatsIn v,
               const bool* mask,
               FloatsOut o,
               float* lse);

// The gradient, with the probabilities computed again from lse:
//   dv = dropout(p)^T do,  dp = dropout(do v^T),
//   ds = p * (dp - <do, o>),  dq = scale * ds k,  dk = scale * ds^T q.
//
// Shapes:   d_o, o [B,T,H,D] f32 or bf16; dq as q, dk and dv as k, each f32
//           or bf16.
// Numerics: as above; for bf16 inputs d_o, dropout(p) and ds are rounded to
//           bf16 before the products. Masked keys and rows without any allowed
//           key get gradient 0.
void attention_grad(const AttentionSpec& spec,
                    FloatsIn q,
                    FloatsIn k,
                    FloatsIn v,
                    const bool* mask,
                    FloatsIn o,
                    const float* lse,
                    FloatsIn d_o,
                    FloatsOut dq,
                    FloatsOut dk,
                    FloatsOut dv);

}  // namespace kexue::kernels
