#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

// 2^y for y in [-127, 0]; 0 where y rounds to -127. Relative error 1e-7.
// Source: derived; a minimax fit on [-1/2, 1/2] that is exact at 0.
inline F exp2(F y) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds
  const F shifted = y + kRound;
  const F r = y - (shifted - kRound);
  F p = r * 1.326472964e-3f + 9.671512991e-3f;
  p = p * r + 5.550733581e-2f;
  p = p * r + 2.402224243e-1f;
  p = p * r + 6.931470037e-1f;
  p = p * r + 1.0f;
  return p * (F)(((U)shifted << 23) + (127U << 23));
}

// min(|x|, most), but NaN stays NaN.
inline F size_of(F x, float most) {
  const F t = (F)((U)x & 0x7FFFFFFFU);
  return t > most ? splat(most) : t;
}

// x * cdf(x) = max(x, 0) - t * cdf(-t) with t = |x|, and cdf(-t) = 2^q(t): one
// form for both sides, which keeps the relative accuracy of the left tail.
// Source: derived; q is a minimax fit of log2 cdf(-t), weighted by the error
// that it makes in the result: 1e-7 near 0, 2e-6 of the tail at t = 5.5. At the
// bound of t, q is -127.
inline F gelu_of(F x) {
  const F t = size_of(x, 11.968f);
  F q = t * -1.383544923e-8f + 4.735397852e-7f;
  q = q * t - 6.827605830e-6f;
  q = q * t + 5.227953079e-5f;
  q = q * t - 1.960683003e-4f;
  q = q * t - 1.749523653e-4f;
  q = q * t + 7.164813578e-3f;
  q = q * t - 5.259392411e-2f;
  q = q * t - 4.591676593e-1f;
  q = q * t - 1.151111007f;
  q = q * t - 1.0f;
  const F positive = x < 0.0f ? F{} : x;
  return positive - t * exp2(q);
}

// d/dx x * cdf(x) = cdf(x) + x * pdf(x). With t = |x| and
//   g(t) = t * pdf(t) - cdf(-t) = exp(-t^2 / 2) * h(t)
// it is 1 + g for x >= 0 and -g for x < 0.
// Source: derived; h is a minimax fit of t / sqrt(2 pi) - cdf(-t) exp(t^2 / 2),
// weighted by exp(-t^2 / 2). At the bound of t the exponential is 0.
inline F slope(F x) {
  const F t = size_of(x, 13.268f);
  F h = t * -1.240341021e-6f + 2.903714994e-5f;
  h = h * t - 2.994990791e-4f;
  h = h * t + 1.833662973e-3f;
  h = h * t - 7.651108317e-3f;
  h = h * t + 2.396409586e-2f;
  h = h * t - 6.091083586e-2f;
  h = h * t + 1.324248910e-1f;
  h = h * t - 2.499037981e-1f;
  h = h * t + 7.978788018e-1f;
  h = h * t - 5.000000000e-1f;
  const F g = h * exp2(t * t * -0.72134752044f);
  return x < 0.0f ? -g : 1.0f + g;
}

template <class T>
inline void gelu_to(const float* x, T* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, gelu_of(load(x + i)));
  if (i < n) store_part(y + i, gelu_of(load_part(x + i, n - i)), n - i);
}

}  // namespace

void gelu(const float* x, float* y, int64_t n) {
  gelu_to(x, y, n);
}

void gelu_bf16(const float* x, uint16_t* y, int64_t n) {
  gelu_to(x, y, n);
}

void gelu_grad(const float* dy, const float* x, float* dx, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    store(dx + i, load(dy + i) * slope(load(x + i)));
  }
  if (i < n) {
    const F d = load_part(dy + i, n - i) * slope(load_part(x + i, n - i));
    store_part(dx + i, d, n - i);
  }
}

}  // namespace kexue::kernels::KEXUE_ISA
