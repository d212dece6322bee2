#include "kexue/kernels/decompose.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include "kexue/kernels/eigen_support.h"

namespace kexue::kernels {

using namespace detail;

template <class T>
void qr(int64_t batch, int64_t m, int64_t n, const T* a, T* q, T* r) {
  if (n == 0) return;
  for_each_matrix(batch, 4 * m * n * n, [=](int64_t b) {
    const auto in = view(a + b * m * n, m, n);
    auto out_q = view(q + b * m * n, m, n);
    auto out_r = view(r + b * n * n, n, n);
    if (!in.allFinite()) {
      fill_nan(out_q.data(), m * n);
      fill_nan(out_r.data(), n * n);
      return;
    }
    const Eigen::HouseholderQR<Matrix<T>> f(in);
    const auto rows = static_cast<Index>(n);
    Matrix<T> upper = f.matrixQR().topRows(rows);
    upper = Matrix<T>(upper.template triangularView<Eigen::Upper>());
    Matrix<T> thin = Matrix<T>::Identity(static_cast<Index>(m), rows);
    thin.applyOnTheLeft(f.householderQ());
    for (Index j = 0; j < rows; ++j) {
      if (!(upper(j, j) < 0)) continue;
      upper.row(j) = -upper.row(j);
      thin.col(j) = -thin.col(j);
    }
    out_q = thin;
    out_r = upper;
  });
}

template <class T>
void eigh(int64_t batch, int64_t n, const T* a, T* w, T* v) {
  if (n == 0) return;
  for_each_matrix(batch, 9 * n * n * n, [=](int64_t b) {
    const Matrix<T> in = view(a + b * n * n, n, n);
    T* values = w + b * n;
    T* vectors = v + b * n * n;
    if (!in.allFinite()) {
      fill_nan(values, n);
      fill_nan(vectors, n * n);
      return;
    }
    const Eigen::SelfAdjointEigenSolver<Matrix<T>> f(in);
    Matrix<T> out = f.eigenvectors();
    fix_signs<T>(out, nullptr);
    view(values, n, 1) = f.eigenvalues();
    view(vectors, n, n) = out;
  });
}

template void qr<float>(
    int64_t, int64_t, int64_t, const float*, float*, float*);
template void eigh<float>(int64_t, int64_t, const float*, float*, float*);
template void qr<double>(
    int64_t, int64_t, int64_t, const double*, double*, double*);
template void eigh<double>(int64_t, int64_t, const double*, double*, double*);

}  // namespace kexue::kernels
