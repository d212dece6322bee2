#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

// kRows rows at a time: y, which stays in the first cache, is read and written
// once for all of them.
template <int kRows, class T>
inline void add_some(const T* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    F total = load(y + i);
    for (int r = 0; r < kRows; ++r) total += load(x + r * n + i);
    store(y + i, total);
  }
  if (i < n) {
    F total = load_part(y + i, n - i);
    for (int r = 0; r < kRows; ++r) total += load_part(x + r * n + i, n - i);
    store_part(y + i, total, n - i);
  }
}

template <class T>
inline void add_all(const T* x, int64_t rows, int64_t n, float* y) {
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) add_some<8>(x + r * n, n, y);
  for (; r < rows; ++r) add_some<1>(x + r * n, n, y);
}

}  // namespace

void add_rows(const float* x, int64_t rows, int64_t n, float* y) {
  add_all(x, rows, n, y);
}
void add_rows_bf16(const uint16_t* x, int64_t rows, int64_t n, float* y) {
  add_all(x, rows, n, y);
}

}  // namespace kexue::kernels::KEXUE_ISA
