// The AdamW update of one tensor in one pass over memory.
#pragma once

#include <cstdint>

namespace kexue::kernels {

struct AdamWRule {
  float beta1;
  float beta2;
  float rest1;     // 1 - beta1, rounded once: 1 - 0.999f is 2e-5 off
  float rest2;     // 1 - beta2
  float rate;      // learning rate with both bias corrections
  float eps;       // times the correction of v
  float decay;     // learning rate times weight decay
  float scale;     // of the gradient: clipping
  bool go = true;  // false: the results are the inputs
};

// With h = scale * g:
//   m' = beta1 m + rest1 h,  v' = beta2 v + rest2 h^2,
//   w' = w - decay w - rate m' / (sqrt(v') + eps).
//
// Shapes:   all f32[n]. A result may be the array it replaces.
// Numerics: f32; the same bits for any thread count.
void adamw(int64_t n,
           const AdamWRule& rule,
           const float* w,
           const float* m,
           const float* v,
           const float* g,
           float* new_w,
           float* new_m,
           float* new_v);

}  // namespace kexue::kernels
