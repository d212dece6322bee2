// Running reductions along one axis: y[i] covers x[0..i], or x[i..] from the
// far end with `reverse`. The shape stays.
//
// Shapes:   x [...] with at least one axis -> [...] of x's type.
// Numerics: 16-bit sums and products run in f32 and are rounded once. Integers
//           wrap. NaN stays from where it enters.
// Errors:   kInvalidArgument for bool, and for an axis that is not there.
#pragma once

#include <cstdint>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

Value cumsum(const Arg& x, int64_t axis, bool reverse = false);
// Derivatives of every order are exact where factors are 0.
Value cumprod(const Arg& x, int64_t axis, bool reverse = false);
// Ties share the cotangent between them, not always equally.
Value cummax(const Arg& x, int64_t axis, bool reverse = false);
Value cummin(const Arg& x, int64_t axis, bool reverse = false);
// log(sum of exp(x[0..i])), stable, floats only.
// An x of -inf after the first has derivative 0.
Value cumlogsumexp(const Arg& x, int64_t axis, bool reverse = false);

}  // namespace kexue::ops
