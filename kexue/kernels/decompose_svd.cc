#include "kexue/kernels/decompose.h"

#include <Eigen/SVD>

#include "kexue/kernels/eigen_support.h"

namespace kexue::kernels {

using namespace detail;

template <class T>
void svd(int64_t batch, int64_t m, int64_t n, const T* a, T* u, T* s, T* v) {
  if (n == 0) return;
  for_each_matrix(batch, 12 * m * n * n, [=](int64_t b) {
    const Matrix<T> in = view(a + b * m * n, m, n);
    if (!in.allFinite()) {
      fill_nan(u + b * m * n, m * n);
      fill_nan(s + b * n, n);
      fill_nan(v + b * n * n, n * n);
      return;
    }
    const Eigen::BDCSVD<Matrix<T>> f(in,
                                     Eigen::ComputeThinU | Eigen::ComputeThinV);
    Matrix<T> left = f.matrixU();
    Matrix<T> right = f.matrixV();
    fix_signs<T>(right, &left);
    view(u + b * m * n, m, n) = left;
    view(s + b * n, n, 1) = f.singularValues();
    view(v + b * n * n, n, n) = right;
  });
}

template void svd<float>(
    int64_t, int64_t, int64_t, const float*, float*, float*, float*);
template void svd<double>(
    int64_t, int64_t, int64_t, const double*, double*, double*, double*);

}  // namespace kexue::kernels
