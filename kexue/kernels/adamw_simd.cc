#include "kexue/kernels/simd_functions.h"

namespace kexue::kernels::KEXUE_ISA {

// Plain code: the compiler makes vectors of it, the square root included.
void adamw(const AdamWRule& rule,
           const float* w,
           const float* m,
           const float* v,
           const float* g,
           float* new_w,
           float* new_m,
           float* new_v,
           int64_t n) {
  const AdamWRule r = rule;
  // A result may stand where its input stands, never beside it.
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const float h = g[i] * r.scale;
    const float a = r.beta1 * m[i] + r.rest1 * h;
    const float b = r.beta2 * v[i] + r.rest2 * h * h;
    const float step = r.rate * a / (__builtin_sqrtf(b) + r.eps);
    new_w[i] = w[i] - r.decay * w[i] - step;
    new_m[i] = a;
    new_v[i] = b;
  }
}

}  // namespace kexue::kernels::KEXUE_ISA
