// Functions of one tensor, element by element. f[...] -> f[...] unless said.
// Those marked (c) also take complex tensors: principal values, and gradients
// by the convention of complex.h.
#pragma once

#include <cstdint>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

Value negate(const Arg& x);  // also integers (c)
// Also i32, i64. Real for complex x; derivative sign(x), 0 at 0. (c)
Value abs(const Arg& x);
// Also i32, i64: -1, 0, 1; derivative 0. Complex: z/|z|, 0 at 0. (c)
Value sign(const Arg& x);
Value square(const Arg& x);      // x x, also integers
Value reciprocal(const Arg& x);  // 1 / x

// ---- exponentials ---------------------------------------------------------
Value exp(const Arg& x);       // (c)
Value expm1(const Arg& x);     // e^x - 1, exact near 0
Value log(const Arg& x);       // (c)
Value log1p(const Arg& x);     // log(1 + x), exact near 0
Value logistic(const Arg& x);  // 1 / (1 + e^-x) (c)
// log(1 + e^x), without overflow; the derivative is logistic(x), so that every
// order is finite for every finite x.
Value softplus(const Arg& x);
Value log_sigmoid(const Arg& x);  // log(logistic(x)) = -softplus(-x)
Value tanh(const Arg& x);         // (c)
Value sinh(const Arg& x);
Value cosh(const Arg& x);
Value asinh(const Arg& x);
Value acosh(const Arg& x);  // NaN for x < 1; derivative infinite at 1
Value atanh(const Arg& x);  // infinite at -1, 1, NaN outside

// ---- the normal distribution ----------------------------------------------
Value erf(const Arg& x);
Value erfc(const Arg& x);     // 1 - erf(x), exact where erf is near 1
Value erf_inv(const Arg& x);  // infinite at -1, 1, NaN outside

// ---- roots ----------------------------------------------------------------
Value sqrt(const Arg& x);   // derivative infinite at 0; see ops::norm (c)
Value rsqrt(const Arg& x);  // 1 / sqrt(x) (c)
Value cbrt(const Arg& x);   // also x < 0; derivative 0 at 0

// ---- angles ---------------------------------------------------------------
Value sin(const Arg& x);  // (c)
Value cos(const Arg& x);  // (c)
Value tan(const Arg& x);
Value asin(const Arg& x);  // NaN outside [-1, 1], derivative infinite there
Value acos(const Arg& x);  // the same
Value atan(const Arg& x);

// ---- rounding; derivative 0 -----------------------------------------------
Value floor(const Arg& x);
Value ceil(const Arg& x);
Value round(const Arg& x);  // to the nearest integer, halves to the even one
Value trunc(const Arg& x);  // towards 0

// x rounded to a float type with so many bits of exponent and mantissa, kept in
// x's dtype: (5, 10) are the values of f16, (8, 7) those of bf16.
//
// Numerics: nearest, halves to even. Too large becomes infinite; what the small
//           type would hold as a subnormal becomes 0. The derivative counts
//           the op as linear: cotangents are rounded in the same way.
// Errors:   kInvalidArgument if exponent_bits < 1 or mantissa_bits < 0.
Value reduce_precision(const Arg& x,
                       int64_t exponent_bits,
                       int64_t mantissa_bits);

Value is_finite(const Arg& x);  // bool[...]

}  // namespace kexue::ops
