// Random numbers from explicit keys, and dropout.
//
// A key is u32[2]. Bits depend on the key and the element's index alone, never
// on the device or the number of threads.
#pragma once

#include <cstdint>

#include "kexue/base/shape.h"
#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// A key for part `index` (u32 or i32 scalar, or a number) of a key.
Value fold_in(const Arg& key, const Value& index);
Value fold_in(const Arg& key, uint32_t index);

// u32[...]: uniform bits. Threefry-2x32 (Salmon et al. 2011), 20 rounds, two
// words per counter.
Value random_bits(const Arg& key, const Shape& shape);
// f32[...]: uniform in [0, 1), multiples of 2^-23.
Value random_uniform(const Arg& key, const Shape& shape);
// f32[...]: standard normal by Box-Muller.
Value random_normal(const Arg& key, const Shape& shape);

// bool[...], true with probability 1 - t / 65536, t = round(65536 rate):
// element i of the flat tensor reads 16 of the 64 bits at counter i / 4.
Value keep_mask(const Arg& key, const Shape& shape, double rate);

// x / (1 - rate) where kept, else 0; x itself if rate = 0. Linear in x, so it
// is its own derivative. The rate is rounded to a multiple of 2^-16.
// Errors: kInvalidArgument unless 0 <= rate < 1.
// Source: Srivastava et al. 2014.
Value dropout(const Arg& x, const Value& key, double rate);

// round(65536 rate), checked.
int64_t dropout_threshold(double rate);

}  // namespace kexue::ops
