// Decompositions of matrices f[...,n,n] or f[...,m,n], batched over the leading
// axes.
//
// Numerics: f32 and f64; 16-bit floats run in f32 and are rounded at the end.
//           A matrix with a NaN or an infinity gives NaN results; the other
//           matrices of the batch are not touched. Gradients of any order are
//           the usual formulas, written with the same ops.
// Errors:   kInvalidArgument below rank 2, for other than float types, and
//           for matrices that are not square where squares are wanted.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// Lower triangular L with positive diagonal and L L^T = (a + a^T) / 2.
//
// Shapes:   a f[...,n,n] -> f[...,n,n].
// Numerics: a matrix that is not positive definite (a pivot <= 0) gives NaN
//           in all of its n x n results.
// Source:   gradient: Murray 2016, arXiv:1602.07527.
Value cholesky(const Arg& a);

struct TriangularOptions {
  bool lower = true;           // which triangle of a is read
  bool transpose = false;      // solve with a^T
  bool left = true;            // a x = b, else x a = b
  bool unit_diagonal = false;  // take the diagonal as 1 and do not read it
};

// x with op(a) x = b (or x op(a) = b), a triangular.
//
// Shapes:   a f[...,n,n], b f[...,n,k] (right: [...,k,n]) -> b's; leading axes
//           broadcast.
// Numerics: substitution as it is: a 0 on the diagonal gives infinity or NaN.
Value triangular_solve(const Arg& a,
                       const Value& b,
                       const TriangularOptions& options = {});

// a[perm] = L U with partial pivoting: row i of the product is row perm[i] of
// a. `packed` holds U in its upper triangle and L below; L's diagonal is 1.
//
// Numerics: of pivots of one size the first is taken. A singular matrix has a
//           0 on U's diagonal; its gradient is not finite.
// Source:   gradient: Walter and Lehmann 2013, Algorithmica 67.
struct Lu {
  Value packed;  // f[...,n,n]
  Value perm;    // i32[...,n]
  Value sign;    // f[...], of the permutation: 1 or -1, without derivative
};
Lu lu(const Arg& a);

// a = q r, q with orthonormal columns, r upper triangular, diagonal >= 0.
//
// Shapes:   a f[...,m,n] -> q f[...,m,k], r f[...,k,n], k = min(m, n).
// Numerics: q comes from the first k columns of a, and is unique if they are
//           independent; else q's columns at zeros of r's diagonal complete a
//           basis, may differ between platforms; the gradient is not finite.
// Source:   Householder reflections; gradient: Walter and Lehmann 2012,
//           arXiv:1009.6112.
struct Qr {
  Value q, r;
};
Qr qr(const Arg& a);

// (a + a^T) / 2 = v diag(w) v^T, w ascending, v orthogonal.
//
// Shapes:   a f[...,n,n] -> w f[...,n], v f[...,n,n], one eigenvector a column.
// Numerics: in each column the first entry of at least 0.99 of the largest
//           magnitude is positive. Vectors of equal eigenvalues span the right
//           space but are not unique. Their gradient has factors 1/(wi - wj),
//           taken as 0 at exact ties: right for functions that do not depend
//           on the choice within such a space, huge near a tie for others.
// Source:   Jacobi rotations, Brent and Luk 1985; gradient: Giles 2008,
//           "An extended collection of matrix derivative results".
struct Eigh {
  Value w, v;
};
Eigh eigh(const Arg& a);

// a = u diag(s) vt, s descending and >= 0.
//
// Shapes:   a f[...,m,n] -> u f[...,m,k], s f[...,k], vt f[...,k,n],
//           k = min(m, n).
// Numerics: signs as for eigh, in the k x k factor (vt's rows if m >= n, else
//           u's columns). Vectors of equal singular values, and of zeros, are
//           not unique. The gradient has factors 1/(si^2 - sj^2) and 1/si,
//           taken as 0 where the denominator is exactly 0.
// Source:   one-sided Jacobi after QR, Drmac and Veselic 2008; gradient:
//           Townsend 2016, "Differentiating the singular value decomposition".
struct Svd {
  Value u, s, vt;
};
Svd svd(const Arg& a);

}  // namespace kexue::ops
