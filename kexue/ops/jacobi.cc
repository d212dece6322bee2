// eigh and svd by Jacobi rotations: n/2 disjoint pairs of rows are rotated at
// once, n - 1 rounds bring every pair together (a sweep), and the number of
// sweeps is fixed. Rows are arranged so that row i meets row i + n/2.
// Source: Brent and Luk 1985, SIAM J. Sci. Stat. Comput. 6.
#include <cmath>

#include "kexue/ops/control.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/factorize.h"
#include "kexue/ops/linalg.h"
#include "kexue/ops/matrix.h"
#include "kexue/ops/matrix_support.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/unary.h"

namespace kexue::ops::detail {
namespace {

// Enough for Hilbert matrices and for entries graded over many decades, which
// converge slowly; random matrices need half as many.
int64_t sweeps_for(const Value& a) {
  const auto n = static_cast<double>(a.dim(-1));
  const int64_t grows = static_cast<int64_t>(std::ceil(std::log2(n + 1)));
  return (a.dtype() == DType::kF64 ? 12 : 8) + grows;
}

struct Rotation {
  Value c, s;
};

// tan of the smaller angle that solves t^2 + 2 tau t = 1, with
// tau = (q - p) / (2 off); no rotation where off is 0.
Rotation rotation(const Value& p, const Value& q, const Value& off) {
  const Value zero = zeros_like(off);
  const Value one = ones_like(off);
  const Value idle = equal(off, zero);
  const Value tau = (q - p) / select(idle, one, off * 2.0);
  const Value sign = select(less(tau, zero), -one, one);
  const Value t = select(idle, zero, sign / (abs(tau) + sqrt(tau * tau + 1.0)));
  const Value c = rsqrt(t * t + 1.0);
  return {c, t * c};
}

// Rotates the upper half of the rows (axis -2) against the lower half.
Value rotate_rows(const Value& x, const Rotation& r) {
  const int64_t half = x.dim(-2) / 2;
  const Value top = slice_axis(x, -2, 0, half);
  const Value bottom = slice_axis(x, -2, half, 2 * half);
  const Value c = as_column(r.c);
  const Value s = as_column(r.s);
  return concatenate({c * top - s * bottom, s * top + c * bottom}, -2);
}

// The next round of the tournament: row 0 stays, the others move on by one.
Value next_round(const Value& x, int64_t axis) {
  const int64_t n = x.dim(axis);
  const int64_t half = n / 2;
  if (half < 2) return x;
  const auto part = [&](int64_t from, int64_t to) {
    return slice_axis(x, axis, from, to);
  };
  return concatenate({part(0, 1),
                      part(half, half + 1),
                      part(1, half - 1),
                      part(half + 1, n),
                      part(half - 1, half)},
                     axis);
}

Value padded(const Value& x, int64_t rows, int64_t cols) {
  const auto rank = static_cast<size_t>(x.rank());
  std::vector<int64_t> high(rank, 0);
  high[rank - 2] = rows;
  high[rank - 1] = cols;
  return pad(x, std::vector<int64_t>(rank, 0), high);
}

// The identity for each matrix of x's batch, [...,n,n].
Value eye_like(const Value& x, int64_t n) {
  Value v = slice_axis(slice_axis(x, -2, 0, 1), -1, 0, 1);
  return diag(
      broadcast_to(reshape(ones_like(v), vector_like(x.type(), 1).shape.dims()),
                   vector_like(x.type(), n).shape));
}

// P with P[i,k] = 1 where the i-th key is the k-th in ascending order; equal
// keys keep their order. [...,n] -> [...,n,n]
Value sorting_matrix(const Value& keys) {
  const int64_t n = keys.dim(-1);
  auto dims = keys.shape().dims();
  dims.push_back(n);
  const Value mine = broadcast_to(as_column(keys), Shape(dims));
  const Value theirs = broadcast_to(as_row(keys), Shape(dims));
  const Value i = index_like(mine, -2);
  const Value j = index_like(mine, -1);
  const Value before =
      bit_or(less(theirs, mine), bit_and(equal(theirs, mine), less(j, i)));
  const Value rank = sum(convert(before, DType::kI32), {-1}, true);
  return convert(equal(broadcast_to(rank, Shape(dims)), j), keys.dtype());
}

Value permuted(const Value& v, const Value& p) {
  return sum(as_column(v) * p, {-2});
}

// 1 or -1 for each column: the first entry that is within 1 % of the largest
// magnitude becomes positive. [...,m,n] -> [...,1,n]
Value column_signs(const Value& x) {
  const Value size = abs(x);
  const Value large = greater_equal(
      size, broadcast_to(max(size, {-2}, true) * 0.99, x.shape()));
  const Value first = argmax(convert(large, DType::kI32), -2);
  const Value hit =
      equal(index_like(x, -2), broadcast_to(as_row(first), x.shape()));
  const Value entry = sum(select(hit, x, zeros_like(x)), {-2}, true);
  return select(
      less(entry, zeros_like(entry)), -ones_like(entry), ones_like(entry));
}

// carry: [A | V^T], both [...,n,n] with n even.
Value eigh_round(const Value& m) {
  const int64_t n = m.dim(-2);
  const int64_t half = n / 2;
  const Value a = slice_axis(m, -1, 0, n);
  const Value d = diagonal(a);
  const Value off = diagonal(slice_axis(a, -1, half, n));
  const Rotation r =
      rotation(slice_axis(d, -1, 0, half), slice_axis(d, -1, half, n), off);
  const Value rows = next_round(rotate_rows(m, r), -2);
  const Value left = matrix_transpose(slice_axis(rows, -1, 0, n));
  // Left to itself the asymmetry of rounding keeps off-diagonals alive.
  const Value both = symmetrized(next_round(rotate_rows(left, r), -2));
  return concatenate({both, slice_axis(rows, -1, n, 2 * n)}, -1);
}

// carry: [W^T | J^T]: the rows of W^T become orthogonal.
Value svd_round(const Value& m) {
  const int64_t n = m.dim(-2);
  const int64_t half = n / 2;
  const Value w = slice_axis(m, -1, 0, n);
  const Value top = slice_axis(w, -2, 0, half);
  const Value bottom = slice_axis(w, -2, half, n);
  const Rotation r = rotation(sum(top * top, {-1}),
                              sum(bottom * bottom, {-1}),
                              sum(top * bottom, {-1}));
  return next_round(rotate_rows(m, r), -2);
}

// All sweeps over [x | identity], x [...,n,n] of any n >= 1.
Value sweep(const Value& x, Value (*round)(const Value&)) {
  const int64_t n = x.dim(-1);
  const int64_t odd = n % 2;
  const Value start =
      concatenate({padded(x, odd, odd), eye_like(x, n + odd)}, -1);
  const auto turn = [round](const Values& carry, const Values&) {
    return std::pair(Values{round(carry[0])}, Values{});
  };
  return scan(turn, {start}, {}, {.length = (n + odd - 1) * sweeps_for(x)})
      .carry[0];
}

}  // namespace

Values compose_eigh(const Value& a) {
  const int64_t n = a.dim(-1);
  if (n == 0) return {diagonal(a), a};
  const Value done = sweep(a, eigh_round);
  const int64_t even = n + n % 2;
  const Value w = slice_axis(diagonal(slice_axis(done, -1, 0, even)), -1, 0, n);
  const Value vt = slice_axis(slice_axis(done, -2, 0, n), -1, even, even + n);
  const Value p = sorting_matrix(w);
  const Value v = matmul(matrix_transpose(vt), p);
  const Value bad = poison(a);
  return {permuted(w, p) + reshape(bad, vector_like(a.type(), 1).shape.dims()),
          v * column_signs(v) + bad};
}

Values compose_svd(const Value& a) {
  const int64_t n = a.dim(-1);
  if (n == 0) return {a, diagonal(a), slice_axis(a, -2, 0, 0)};
  // Squares of elements up to 1 do not overflow.
  const Value bad = poison(a);
  const Value largest = max(abs(a), {-2, -1}, true);
  const Value scale =
      select(equal(largest, zeros_like(largest)), ones_like(largest), largest);
  const Values qr = compose_qr(a / scale);
  // R^T = (V diag(s)) J^T, so the rows of R are what becomes orthogonal.
  const Value done = sweep(qr[1], svd_round);
  const int64_t even = n + n % 2;
  const Value rows = slice_axis(done, -2, 0, n);
  const Value wt = slice_axis(rows, -1, 0, n);
  const Value jt = slice_axis(rows, -1, even, even + n);
  const Value s = sqrt(sum(wt * wt, {-1}));
  const Value p = sorting_matrix(-s);
  const Value w = matmul(matrix_transpose(wt), p);
  // Also completes the columns of zeros to an orthonormal set.
  const Value v = compose_qr(w)[0];
  const Value sign = column_signs(v);
  const Value u = matmul(qr[0], matmul(matrix_transpose(jt), p));
  const auto flat = vector_like(a.type(), 1).shape.dims();
  return {u * sign + bad,
          permuted(s, p) * reshape(scale, flat) + reshape(bad, flat),
          v * sign + bad};
}

}  // namespace kexue::ops::detail
