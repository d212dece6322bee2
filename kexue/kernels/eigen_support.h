// What the files around Eigen share. Private to kexue/kernels.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kexue/kernels/parallel.h"

namespace kexue::kernels::detail {

using Eigen::Dynamic;
using Eigen::Index;

template <class T>
using Matrix = Eigen::Matrix<T, Dynamic, Dynamic>;
template <class T>
using Rows = Eigen::Matrix<T, Dynamic, Dynamic, Eigen::RowMajor>;

template <class T>
Eigen::Map<const Rows<T>> view(const T* x, int64_t rows, int64_t cols) {
  return {x, static_cast<Index>(rows), static_cast<Index>(cols)};
}
template <class T>
Eigen::Map<Rows<T>> view(T* x, int64_t rows, int64_t cols) {
  return {x, static_cast<Index>(rows), static_cast<Index>(cols)};
}

// Matrices below this many operations are not worth a thread of their own.
constexpr int64_t kChunkWork = 100000;

// f(index of the matrix) for each of the batch; `work` operations each.
template <class F>
void for_each_matrix(int64_t batch, int64_t work, F&& f) {
  const int64_t step =
      std::max<int64_t>(1, kChunkWork / std::max<int64_t>(1, work));
  parallel_for((batch + step - 1) / step, [&](int64_t chunk) {
    const int64_t end = std::min(batch, (chunk + 1) * step);
    for (int64_t b = chunk * step; b < end; ++b) f(b);
  });
}

template <class T>
void fill_nan(T* x, int64_t count) {
  std::fill_n(x, count, std::numeric_limits<T>::quiet_NaN());
}

// Flips pairs of columns so that in each column of `leads` the first entry of
// at least 0.99 of the largest magnitude is positive.
template <class T>
void fix_signs(Matrix<T>& leads, Matrix<T>* follows) {
  for (Index j = 0; j < leads.cols(); ++j) {
    const T floor = leads.col(j).cwiseAbs().maxCoeff() * T(0.99);
    Index i = 0;
    while (i + 1 < leads.rows() && !(std::abs(leads(i, j)) >= floor)) ++i;
    if (!(leads(i, j) < 0)) continue;
    leads.col(j) = -leads.col(j);
    if (follows != nullptr) follows->col(j) = -follows->col(j);
  }
}

}  // namespace kexue::kernels::detail
