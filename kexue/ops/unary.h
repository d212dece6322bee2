// Functions of one tensor, element by element. f[...] -> f[...] unless said.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

Value negate(const Arg& x);  // also integers
Value abs(const Arg& x);     // derivative sign(x), 0 at 0
Value sign(const Arg& x);    // -1, 0, 1; derivative 0
Value exp(const Arg& x);
Value expm1(const Arg& x);  // e^x - 1, exact near 0
Value log(const Arg& x);
Value log1p(const Arg& x);     // log(1 + x), exact near 0
Value logistic(const Arg& x);  // 1 / (1 + e^-x)
Value tanh(const Arg& x);
Value erf(const Arg& x);
Value sqrt(const Arg& x);   // derivative infinite at 0; see ops::norm
Value rsqrt(const Arg& x);  // 1 / sqrt(x)
Value sin(const Arg& x);
Value cos(const Arg& x);
Value floor(const Arg& x);      // derivative 0
Value ceil(const Arg& x);       // derivative 0
Value is_finite(const Arg& x);  // bool[...]

}  // namespace kexue::ops
