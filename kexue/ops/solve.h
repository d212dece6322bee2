// Linear systems, made of decompose.h: derivatives of any order come from
// there. Dtypes, batches and errors as there.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// x with a x = b, by lu.
//
// Shapes:   a f[...,n,n], b f[...,n,k] or f[n] -> f[...,n,k] or f[...,n];
//           leading axes broadcast.
// Numerics: a singular a gives infinities or NaN.
Value solve(const Arg& a, const Value& b);
// a^-1. f[...,n,n] -> f[...,n,n]. To multiply with it, solve() is better.
Value inverse(const Arg& a);

// The determinant, f[...,n,n] -> f[...]. It may overflow where slogdet does
// not. The gradient is finite only for an invertible a.
Value det(const Arg& a);
// sign(det a) and log|det a|; 0 and -infinity for a singular a.
struct Slogdet {
  Value sign, log_abs;
};
Slogdet slogdet(const Arg& a);

// x that makes |a x - b| smallest, by qr; of several the one of smallest |x|.
//
// Shapes:   a f[...,m,n], b f[...,m,k] or f[m] -> f[...,n,k] or f[...,n].
// Numerics: a must have rank min(m, n); else use pinv.
Value lstsq(const Arg& a, const Value& b);

// The pseudo-inverse, by svd. f[...,m,n] -> f[...,n,m].
//
// Numerics: singular values <= rcond times the largest count as 0; rcond < 0
//           stands for max(m, n) times the dtype's epsilon. The gradient
//           wants distinct singular values, see svd.
Value pinv(const Arg& a, double rcond = -1);

}  // namespace kexue::ops
