#include "kexue/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "kexue/kernels/parallel.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {
namespace {

constexpr int64_t kChunkElements = 65536;

// Calls row(r) for each row, many rows a chunk if they are short.
template <class Row>
void for_rows(int64_t rows, int64_t classes, const Row& row) {
  const int64_t step = std::max<int64_t>(1, kChunkElements / (classes + 1));
  parallel_for((rows + step - 1) / step, [&](int64_t chunk) {
    const int64_t end = std::min(rows, (chunk + 1) * step);
    for (int64_t r = chunk * step; r < end; ++r) row(r);
  });
}

float element(const FloatsIn& x, int64_t i) {
  if (x.dtype == DType::kF32) return static_cast<const float*>(x.data)[i];
  return static_cast<float>(static_cast<const BFloat16*>(x.data)[i]);
}

const uint16_t* bits(const FloatsIn& x, int64_t i) {
  return static_cast<const uint16_t*>(x.data) + i;
}

// Of a row whose largest element is infinite or hidden by NaN.
float extreme_lse(const FloatsIn& x, int64_t at, int64_t n, float top) {
  for (int64_t i = 0; i < n; ++i) {
    if (std::isnan(element(x, at + i))) return NAN;
  }
  return top;
}

}  // namespace

void cross_entropy(int64_t rows,
                   int64_t classes,
                   FloatsIn x,
                   const int32_t* labels,
                   float* loss,
                   float* lse) {
  const auto& simd = detail::simd();
  for_rows(rows, classes, [&](int64_t r) {
    const int64_t at = r * classes;
    float top = 0, total = 0;
    if (x.dtype == DType::kF32) {
      const float* row = static_cast<const float*>(x.data) + at;
      simd.exp_sum(row, classes, &top, &total);
    } else {
      simd.exp_sum_bf16(bits(x, at), classes, &top, &total);
    }
    const float rest = std::log(total);
    const bool plain = std::isfinite(top);
    lse[r] = plain ? rest + top : extreme_lse(x, at, classes, top);
    if (labels[r] < 0 || labels[r] >= classes) {
      loss[r] = 0;
    } else {
      const float own = element(x, at + labels[r]);
      // The difference first: it is exact where the label's logit is close to
      // the largest, however large both are.
      loss[r] = plain ? rest + (top - own) : lse[r] - own;
    }
  });
}

void cross_entropy_grad(int64_t rows,
                        int64_t classes,
                        const float* dy,
                        FloatsIn x,
                        const int32_t* labels,
                        const float* lse,
                        FloatsOut dx) {
  const auto& simd = detail::simd();
  const bool narrow = x.dtype == DType::kBF16 && dx.dtype == DType::kBF16;
  for_rows(rows, classes, [&](int64_t r) {
    const int64_t at = r * classes;
    const bool counts = labels[r] >= 0 && labels[r] < classes;
    // Before the row is written: dx may be x. expm1 keeps the small slope of a
    // label that is all but certain.
    const float own =
        counts ? std::expm1(element(x, at + labels[r]) - lse[r]) * dy[r] : 0;
    if (!counts) {
      float* to = dx.stage(at, detail::thread_floats(0, classes));
      std::fill_n(to, classes, 0.0f);
      dx.write(at, classes, to);
    } else if (narrow) {
      auto* to = static_cast<uint16_t*>(dx.data) + at;
      simd.scaled_exp_bf16(bits(x, at), classes, lse[r], dy[r], to);
      static_cast<BFloat16*>(dx.data)[at + labels[r]] = BFloat16(own);
    } else {
      const float* row = x.read(at, classes, detail::thread_floats(0, classes));
      float* to = dx.stage(at, detail::thread_floats(1, classes));
      simd.scaled_exp(row, classes, lse[r], dy[r], to);
      to[labels[r]] = own;
      dx.write(at, classes, to);
    }
  });
}

}  // namespace kexue::kernels
