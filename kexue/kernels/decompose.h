// Decompositions of dense matrices with Eigen, a batch at a time.
//
// All arrays are dense and row-major. T is float or double. A matrix with a
// NaN or an infinity gives NaN; conventions (signs, order, what counts as not
// positive definite) are those of kexue/ops/decompose.h. Matrices of a batch
// are spread over the kernels' threads; results do not depend on how.
#pragma once

#include <cstdint>

namespace kexue::kernels {

// a, l [batch,n,n]; reads the lower triangle.
template <class T>
void cholesky(int64_t batch, int64_t n, const T* a, T* l);

struct TriangularSpec {
  int64_t batch;
  int64_t n;        // of a
  int64_t columns;  // of b; its rows for the right-hand form
  bool lower;
  bool transpose;
  bool left;
  bool unit;
};
// a [batch,n,n]; b, x [batch,n,columns], or [batch,columns,n] unless left.
template <class T>
void triangular_solve(const TriangularSpec& spec, const T* a, const T* b, T* x);

// a, packed [batch,n,n], perm [batch,n], sign [batch].
template <class T>
void lu(
    int64_t batch, int64_t n, const T* a, T* packed, int32_t* perm, T* sign);

// m >= n: a, q [batch,m,n], r [batch,n,n].
template <class T>
void qr(int64_t batch, int64_t m, int64_t n, const T* a, T* q, T* r);

// a, v [batch,n,n], w [batch,n]; reads the lower triangle.
template <class T>
void eigh(int64_t batch, int64_t n, const T* a, T* w, T* v);

// m >= n: a, u [batch,m,n], s [batch,n], v [batch,n,n].
template <class T>
void svd(int64_t batch, int64_t m, int64_t n, const T* a, T* u, T* s, T* v);

}  // namespace kexue::kernels
