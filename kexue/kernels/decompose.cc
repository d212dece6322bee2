#include "kexue/kernels/decompose.h"

#include <Eigen/Cholesky>
#include <Eigen/LU>

#include "kexue/kernels/eigen_support.h"

namespace kexue::kernels {

using namespace detail;

namespace {

template <class T, unsigned kMode>
void solve_left(const Matrix<T>& a, Matrix<T>& x) {
  a.template triangularView<kMode>().solveInPlace(x);
}

template <class T>
void solve_left(const Matrix<T>& a, bool lower, bool unit, Matrix<T>& x) {
  if (lower) {
    unit ? solve_left<T, Eigen::UnitLower>(a, x)
         : solve_left<T, Eigen::Lower>(a, x);
  } else {
    unit ? solve_left<T, Eigen::UnitUpper>(a, x)
         : solve_left<T, Eigen::Upper>(a, x);
  }
}

}  // namespace

template <class T>
void cholesky(int64_t batch, int64_t n, const T* a, T* l) {
  if (n == 0) return;
  for_each_matrix(batch, n * n * n / 3, [=](int64_t b) {
    const auto in = view(a + b * n * n, n, n);
    T* to = l + b * n * n;
    const Eigen::LLT<Matrix<T>> llt(in);
    // A NaN pivot compares false and would pass for positive.
    const Matrix<T> out = llt.matrixL();
    if (llt.info() == Eigen::Success && out.allFinite()) {
      view(to, n, n) = out;
    } else {
      fill_nan(to, n * n);
    }
  });
}

template <class T>
void triangular_solve(const TriangularSpec& s, const T* a, const T* b, T* x) {
  const int64_t n = s.n;
  const int64_t k = s.columns;
  if (n == 0 || k == 0) return;
  // x op(a) = b is op(a)^T x^T = b^T.
  const bool flip = s.transpose == s.left;
  for_each_matrix(s.batch, n * n * k, [=](int64_t i) {
    const auto in = view(a + i * n * n, n, n);
    const Matrix<T> op = flip ? Matrix<T>(in.transpose()) : Matrix<T>(in);
    const auto rhs = view(b + i * n * k, s.left ? n : k, s.left ? k : n);
    Matrix<T> y = s.left ? Matrix<T>(rhs) : Matrix<T>(rhs.transpose());
    solve_left(op, s.lower != flip, s.unit, y);
    auto out = view(x + i * n * k, s.left ? n : k, s.left ? k : n);
    if (s.left) {
      out = y;
    } else {
      out = y.transpose();
    }
  });
}

template <class T>
void lu(
    int64_t batch, int64_t n, const T* a, T* packed, int32_t* perm, T* sign) {
  for_each_matrix(batch, n * n * n, [=](int64_t b) {
    const auto in = view(a + b * n * n, n, n);
    T* to = packed + b * n * n;
    int32_t* order = perm + b * n;
    sign[b] = 1;
    for (int64_t i = 0; i < n; ++i) order[i] = static_cast<int32_t>(i);
    if (n == 0) return;
    if (!in.allFinite()) {
      fill_nan(to, n * n);
      fill_nan(sign + b, 1);
      return;
    }
    const Eigen::PartialPivLU<Matrix<T>> f(in);
    view(to, n, n) = f.matrixLU();
    // Eigen's row i goes to indices()[i]; ours comes from perm[i].
    const auto& where = f.permutationP().indices();
    for (int64_t i = 0; i < n; ++i) {
      order[where[static_cast<Index>(i)]] = static_cast<int32_t>(i);
    }
    sign[b] = static_cast<T>(f.permutationP().determinant());
  });
}

template void cholesky<float>(int64_t, int64_t, const float*, float*);
template void triangular_solve<float>(const TriangularSpec&,
                                      const float*,
                                      const float*,
                                      float*);
template void lu<float>(
    int64_t, int64_t, const float*, float*, int32_t*, float*);
template void cholesky<double>(int64_t, int64_t, const double*, double*);
template void triangular_solve<double>(const TriangularSpec&,
                                       const double*,
                                       const double*,
                                       double*);
template void lu<double>(
    int64_t, int64_t, const double*, double*, int32_t*, double*);

}  // namespace kexue::kernels
