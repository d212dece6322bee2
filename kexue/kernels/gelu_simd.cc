#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

// The normal distribution function, from erf: a polynomial near 0, and
// erfc(t) = exp(polynomial) outside, so that the left tail keeps its relative
// accuracy. Each piece is good to about 1 ulp.
// Source: the two minimax fits of N. Juffa's single-precision erf.
inline F normal_cdf(F x) {
  const F a = x * 0.70710678118654752f;
  const F t = a < 0.0f ? -a : a;
  const F s = a * a;
  F r = t * -1.72853470e-5f + 3.83197126e-4f;
  const F u = t * -3.88396438e-3f + 2.42546219e-2f;
  r = r * s + u;
  r = r * t - 1.06777877e-1f;
  r = r * t - 6.34846687e-1f;
  r = r * t - 1.28717512e-1f;
  r = r * t - t;
  const F outer = exp(r) * 0.5f;
  F p = s * -5.96761703e-4f + 4.99119423e-3f;
  p = p * s - 2.67681349e-2f;
  p = p * s + 1.12819925e-1f;
  p = p * s - 3.76125336e-1f;
  p = p * s + 1.28379166e-1f;
  p = p * a + a;
  const F inner = p * 0.5f + 0.5f;
  const F tail = x < 0.0f ? outer : 1.0f - outer;
  return t > 0.927734375f ? tail : inner;
}

inline F gelu_of(F x) {
  // Below -14 the factor is 0 in f32; the clamp keeps -inf * 0 from NaN.
  const F y = max(x, splat(-14.0f));
  return (x == x ? y : x) * normal_cdf(x);
}

// d/dx x * cdf(x) = cdf(x) + x * pdf(x).
inline F slope(F x) {
  constexpr float kInverseRootTwoPi = 0.39894228040143268f;
  const F y = min(max(x, splat(-14.0f)), splat(14.0f));
  const F pdf = exp(y * y * -0.5f) * kInverseRootTwoPi;
  return (x == x ? y : x) * pdf + normal_cdf(x);
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
