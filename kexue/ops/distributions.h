// Samples of the usual distributions, from explicit keys.
//
// Bits depend on the key and the element's index alone: a longer sample starts
// with the shorter one. Draw once from a key; split_key or fold_in make more.
//
// Parameters that are Values broadcast to `shape` and set the dtype of the
// result; without them it is f32. Samples are functions of the parameters
// (noise, shifted and scaled), so gradients flow to these.
//
// Numerics: noise comes from f32 uniforms of 23 bits, so no sample lies beyond
//           the quantile of 2^-24: 16.6 for Gumbel and exponential, 15.9 for
//           Laplace. In 16 bits the sample is rounded.
#pragma once

#include <cstdint>

#include "kexue/base/shape.h"
#include "kexue/ir/location.h"
#include "kexue/ir/value.h"
#include "kexue/ops/random.h"

namespace kexue::ops {

// u32[n,2]: row i is the key fold_in(key, i).
// Errors: kInvalidArgument if n < 0.
Value split_key(const Arg& key, int64_t n);

// low + (high - low) u, u in [0, 1). Rounding may give `high` itself.
Value random_uniform(const Arg& key,
                     const Shape& shape,
                     const Value& low,
                     const Value& high);
Value random_uniform(const Arg& key,
                     const Shape& shape,
                     double low,
                     double high);

// mean + std z.
Value random_normal(const Arg& key,
                    const Shape& shape,
                    const Value& mean,
                    const Value& std);
Value random_normal(const Arg& key,
                    const Shape& shape,
                    double mean,
                    double std);

// A standard normal that is kept to [low, high], by its inverse distribution
// function; either end may be infinite. Gradients flow to the ends.
// Numerics: works through erf, so in f32 the interval should start within 4 of
//           0, else x sticks to an end; in f64 good to 1e-6 within 5.5 of 0.
// Errors:   kInvalidArgument unless low < high (numbers).
Value random_truncated_normal(const Arg& key,
                              const Shape& shape,
                              const Value& low,
                              const Value& high);
Value random_truncated_normal(const Arg& key,
                              const Shape& shape,
                              double low,
                              double high);

// Density e^-x, x > 0; with a rate r: x / r.
Value random_exponential(const Arg& key, const Shape& shape);
Value random_exponential(const Arg& key, const Shape& shape, const Value& rate);

// -log(-log(u)); with a location and a scale: location + scale g.
Value random_gumbel(const Arg& key, const Shape& shape);
Value random_gumbel(const Arg& key,
                    const Shape& shape,
                    const Value& location,
                    const Value& scale);

// Density e^-|x| / 2; with a location and a scale: location + scale x.
Value random_laplace(const Arg& key, const Shape& shape);
Value random_laplace(const Arg& key,
                     const Shape& shape,
                     const Value& location,
                     const Value& scale);

// bool, true with probability p, rounded up to a multiple of 2^-23. No
// gradient.
// Errors: kInvalidArgument unless 0 <= p <= 1 (a number).
Value random_bernoulli(const Arg& key, const Shape& shape, const Value& p);
Value random_bernoulli(const Arg& key, const Shape& shape, double p);

// i32 classes with probabilities softmax(logits) along `axis`, which vanishes:
// the argmax of logits + Gumbel noise. Broadcast the logits to draw more. A
// logit of -infinity is never drawn beside a finite one. No gradient.
Value random_categorical(const Arg& key,
                         const Value& logits,
                         int64_t axis = -1);

// i32 in [low, high), the remainder of 63 bits: a value's probability is off
// by less than 2^-63, absolute.
// Errors: kInvalidArgument unless low < high and both ends fit in i32.
Value random_integers(const Arg& key,
                      const Shape& shape,
                      int64_t low,
                      int64_t high);

// i32[n]: 0..n-1 in random order. Sorts 63-bit keys; two are equal (and then
// keep their order) with probability below n^2 / 2^64.
// Errors: kInvalidArgument if n < 0.
Value random_permutation(const Arg& key, int64_t n);
// x with the places along one axis permuted, all lines alike.
Value shuffle(const Arg& key, const Value& x, int64_t axis = 0);

}  // namespace kexue::ops
