// What the works of Transformers share.
//
//   L layers, H width, B batch, T tokens, V vocabulary
//   (heads of 64, feed-forward 4 H, no dropout so that losses compare)
#pragma once

#include "benchmarks/works/trainer.h"

namespace kexue::works {

// Parameters of L encoder layers, stacked, and of the embeddings.
void add_layers(ParamTable& table, int64_t depth, int64_t h);
void add_embeddings(ParamTable& table, const Sizes& s);

// Last hidden states f[B,T,H] of a post-norm encoder. ids i32[B,T], mask
// bool[B,T]: true for tokens that may be seen.
Value encode(const ParamValues& p,
             int64_t h,
             const Value& ids,
             const Value& mask);

}  // namespace kexue::works
