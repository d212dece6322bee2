// Functions of one tensor, element by element. f[...] -> f[...] unless said.
#pragma once

#include "kexue/ir/value.h"

namespace kexue::ops {

Value negate(const Value& x);  // also integers
Value abs(const Value& x);     // derivative sign(x), 0 at 0
Value sign(const Value& x);    // -1, 0, 1; derivative 0
Value exp(const Value& x);
Value expm1(const Value& x);  // e^x - 1, exact near 0
Value log(const Value& x);
Value log1p(const Value& x);     // log(1 + x), exact near 0
Value logistic(const Value& x);  // 1 / (1 + e^-x)
Value tanh(const Value& x);
Value erf(const Value& x);
Value sqrt(const Value& x);   // derivative infinite at 0; see ops::norm
Value rsqrt(const Value& x);  // 1 / sqrt(x)
Value sin(const Value& x);
Value cos(const Value& x);
Value floor(const Value& x);      // derivative 0
Value ceil(const Value& x);       // derivative 0
Value is_finite(const Value& x);  // bool[...]

}  // namespace kexue::ops
