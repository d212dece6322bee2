#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

constexpr float kLowest = -__builtin_inff();

// The first n lanes of a row's end; the others are -inf, whose exp is 0.
template <class T>
inline F load_end(const T* x, int64_t n) {
  return first_lanes(n) > 0.0f ? load_part(x, n) : splat(kLowest);
}

// Two passes over the row, which stays in the first or second cache.
template <class T>
inline void exp_sum_of(const T* x, int64_t n, float* top, float* total) {
  const int64_t tail = n % kLanes;
  const F last = tail ? load_end(x + n - tail, tail) : splat(kLowest);
  F most[4] = {last, splat(kLowest), splat(kLowest), splat(kLowest)};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int w = 0; w < 4; ++w)
      most[w] = max(load(x + i + w * kLanes), most[w]);
  }
  for (; i + kLanes <= n; i += kLanes) most[0] = max(load(x + i), most[0]);
  const float m = max_lane(max(max(most[0], most[1]), max(most[2], most[3])));
  F sums[4] = {tail ? exp(last - m) : F{}};
  for (i = 0; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int w = 0; w < 4; ++w) sums[w] += exp(load(x + i + w * kLanes) - m);
  }
  for (; i + kLanes <= n; i += kLanes) sums[1] += exp(load(x + i) - m);
  *top = m;
  *total = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <class T>
inline void scaled_exp_of(const T* x, int64_t n, float shift, float by, T* y) {
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    F e[4];
    for (int w = 0; w < 4; ++w) e[w] = exp(load(x + i + w * kLanes) - shift);
    for (int w = 0; w < 4; ++w) store(y + i + w * kLanes, e[w] * by);
  }
  for (; i + kLanes <= n; i += kLanes) {
    store(y + i, exp(load(x + i) - shift) * by);
  }
  if (i < n) {
    store_part(y + i, exp(load_part(x + i, n - i) - shift) * by, n - i);
  }
}

}  // namespace

void exp_sum(const float* x, int64_t n, float* top, float* total) {
  exp_sum_of(x, n, top, total);
}
void exp_sum_bf16(const uint16_t* x, int64_t n, float* top, float* total) {
  exp_sum_of(x, n, top, total);
}

void scaled_exp(const float* x, int64_t n, float shift, float by, float* y) {
  scaled_exp_of(x, n, shift, by, y);
}
void scaled_exp_bf16(
    const uint16_t* x, int64_t n, float shift, float by, uint16_t* y) {
  scaled_exp_of(x, n, shift, by, y);
}

}  // namespace kexue::kernels::KEXUE_ISA
