#include "kexue/kernels/column_sum.h"

#include <algorithm>

#include "kexue/kernels/parallel.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {
namespace {

constexpr int64_t kMaxBlocks = 64;

}  // namespace

void column_sum(int64_t rows, int64_t dim, FloatsIn x, float* y) {
  std::fill_n(y, dim, 0.0f);
  if (rows == 0 || dim == 0) return;
  const auto& simd = detail::simd();
  const int64_t step =
      std::max<int64_t>(16, (rows + kMaxBlocks - 1) / kMaxBlocks);
  const int64_t blocks = (rows + step - 1) / step;
  float* sums = detail::thread_floats(3, blocks * dim);
  parallel_for(blocks, [&](int64_t block) {
    const int64_t first = block * step;
    const int64_t count = std::min(step, rows - first);
    float* part = sums + block * dim;
    std::fill_n(part, dim, 0.0f);
    if (x.dtype == DType::kF32) {
      const float* from = static_cast<const float*>(x.data) + first * dim;
      simd.add_rows(from, count, dim, part);
    } else {
      const auto* from = static_cast<const uint16_t*>(x.data) + first * dim;
      simd.add_rows_bf16(from, count, dim, part);
    }
  });
  simd.add_rows(sums, blocks, dim, y);
}

}  // namespace kexue::kernels
