// Masked tokens, as training and evaluation guess them. Private to kexue/train.
#pragma once

#include "kexue/base/random.h"
#include "kexue/data/batch_source.h"
#include "kexue/data/masking.h"
#include "kexue/models/bert.h"
#include "kexue/train/step.h"

namespace kexue::train::detail {

// Masks the ids of a batch, each row with a key of its own, made of `key` and
// the row's number; positions i32[B,P], label i32[B,P] and weight f32[B,P] say
// what was there.
void mask_batch(const data::Masking& masking, Key key, data::Minibatch* batch);

// Graph code on such a batch.
struct TokenGuess {
  Value logits;   // f[B P,V]
  Value labels;   // i32[B P]
  Value weights;  // f32[B P]
};
TokenGuess guess_tokens(const models::Bert& model, const BatchValues& batch);

// f32[3]: losses, right answers, masked tokens, summed.
Value token_sums(const TokenGuess& guess);

}  // namespace kexue::train::detail
