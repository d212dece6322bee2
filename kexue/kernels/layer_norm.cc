#include "kexue/kernels/layer_norm.h"

#include <algorithm>

#include "kexue/kernels/parallel.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {
namespace {

constexpr int64_t kChunkElements = 32768;
constexpr int64_t kMaxBlocks = 64;

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

void layer_norm(int64_t rows,
                int64_t dim,
                float eps,
                FloatsIn x,
                const float* gamma,
                const float* beta,
                FloatsOut y,
                float* mean,
                float* rstd) {
  if (rows == 0 || dim == 0) return;
  const auto& simd = detail::simd();
  const int64_t step = std::max<int64_t>(1, kChunkElements / dim);
  parallel_for(ceil_div(rows, step), [&](int64_t chunk) {
    float* in = detail::thread_floats(0, dim);
    float* out = detail::thread_floats(1, dim);
    const int64_t end = std::min(rows, (chunk + 1) * step);
    for (int64_t r = chunk * step; r < end; ++r) {
      float* to = y.stage(r * dim, out);
      simd.layer_norm(x.read(r * dim, dim, in),
                      gamma,
                      beta,
                      dim,
                      eps,
                      to,
                      mean + r,
                      rstd + r);
      y.write(r * dim, dim, to);
    }
  });
}

void layer_norm_grad(int64_t rows,
                     int64_t dim,
                     FloatsIn dy,
                     FloatsIn x,
                     const float* gamma,
                     const float* mean,
                     const float* rstd,
                     FloatsOut dx,
                     float* dgamma,
                     float* dbeta) {
  std::fill_n(dgamma, dim, 0.0f);
  std::fill_n(dbeta, dim, 0.0f);
  if (rows == 0 || dim == 0) return;
  const auto& simd = detail::simd();
  const int64_t step = std::max<int64_t>(16, ceil_div(rows, kMaxBlocks));
  const int64_t blocks = ceil_div(rows, step);
  float* sums = detail::thread_floats(3, blocks * 2 * dim);
  parallel_for(blocks, [&](int64_t block) {
    float* dy_row = detail::thread_floats(0, dim);
    float* x_row = detail::thread_floats(1, dim);
    float* out = detail::thread_floats(2, dim);
    float* part = sums + block * 2 * dim;
    std::fill_n(part, 2 * dim, 0.0f);
    const int64_t end = std::min(rows, (block + 1) * step);
    for (int64_t r = block * step; r < end; ++r) {
      float* to = dx.stage(r * dim, out);
      simd.layer_norm_grad(dy.read(r * dim, dim, dy_row),
                           x.read(r * dim, dim, x_row),
                           gamma,
                           mean[r],
                           rstd[r],
                           dim,
                           to,
                           part,
                           part + dim);
      dx.write(r * dim, dim, to);
    }
  });
  for (int64_t block = 0; block < blocks; ++block) {
    const float* part = sums + block * 2 * dim;
    for (int64_t i = 0; i < dim; ++i) dgamma[i] += part[i];
    for (int64_t i = 0; i < dim; ++i) dbeta[i] += part[dim + i];
  }
}

}  // namespace kexue::kernels
