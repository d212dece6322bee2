// Matrices are the last two axes of a tensor; everything before is a batch.
#pragma once

#include <cstdint>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// The last two axes swapped. [...,m,n] -> [...,n,m]
Value matrix_transpose(const Arg& x);
// The identity, in the graph being traced. -> f[n,n]
Value eye(int64_t n, DType dtype = DType::kF32);
// x where column - row <= k (tril) or >= k (triu), else 0; NaN and infinities
// outside vanish too. [...,m,n] -> [...,m,n]
// Errors: kInvalidArgument below rank 2.
Value tril(const Arg& x, int64_t k = 0);
Value triu(const Arg& x, int64_t k = 0);

// A matrix with v on its diagonal and 0 elsewhere. [...,n] -> [...,n,n]
Value diag(const Arg& v);
// [...,m,n] -> [...,min(m,n)]
Value diagonal(const Arg& x);
// The sum of the diagonal. [...,m,n] -> [...]
Value trace(const Arg& x);

// y[...,i,j] = a[...,i] b[...,j]; leading axes broadcast.
Value outer(const Arg& a, const Value& b);
// Each element of a times all of b: a [...,m,n], b [...,p,q] -> [...,mp,nq];
// leading axes broadcast.
Value kron(const Arg& a, const Value& b);
// x x ... x, n factors, by repeated squaring; n = 0 gives the identity.
// Errors: kInvalidArgument if n < 0 or x is no f[...,n,n].
Value matrix_power(const Arg& x, int64_t n);

}  // namespace kexue::ops
