#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {

void softmax(float* s,
             const float* bias,
             int64_t n,
             float scale,
             float* max_out,
             float* sum_out) {
  F top[2] = {splat(-__builtin_inff()), splat(-__builtin_inff())};
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    for (int w = 0; w < 2; ++w) {
      const int64_t at = i + w * kLanes;
      const F v = load(s + at) * scale + load(bias + at);
      store(s + at, v);
      top[w] = max(v, top[w]);
    }
  }
  for (; i < n; i += kLanes) {
    const F v = load(s + i) * scale + load(bias + i);
    store(s + i, v);
    top[0] = max(v, top[0]);
  }
  const float m = max_lane(max(top[0], top[1]));
  F total[2] = {};
  for (i = 0; i + 2 * kLanes <= n; i += 2 * kLanes) {
    for (int w = 0; w < 2; ++w) {
      const F e = exp(load(s + i + w * kLanes) - m);
      store(s + i + w * kLanes, e);
      total[w] += e;
    }
  }
  for (; i < n; i += kLanes) {
    const F e = exp(load(s + i) - m);
    store(s + i, e);
    total[0] += e;
  }
  *max_out = m;
  *sum_out = sum(total[0] + total[1]);
}

void softmax_grad(float* s,
                  float* dp,
                  const float* bias,
                  const float* keep,
                  int64_t n,
                  float scale,
                  float lse,
                  float delta) {
  if (!keep) {
    for (int64_t i = 0; i < n; i += kLanes) {
      const F p = exp(load(s + i) * scale + load(bias + i) - lse);
      store(dp + i, p * scale * (load(dp + i) - delta));
      store(s + i, p);
    }
    return;
  }
  for (int64_t i = 0; i < n; i += kLanes) {
    const F k = load(keep + i);
    const F p = exp(load(s + i) * scale + load(bias + i) - lse);
    store(dp + i, p * scale * (load(dp + i) * k - delta));
    store(s + i, p * k);
  }
}

void scale(float* x, int64_t n, float factor) {
  for (int64_t i = 0; i < n; i += kLanes) store(x + i, load(x + i) * factor);
}

float dot(const float* x, const float* y, int64_t n) {
  F total[2] = {};
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    total[0] += load(x + i) * load(y + i);
    total[1] += load(x + i + kLanes) * load(y + i + kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) total[0] += load(x + i) * load(y + i);
  if (i < n) total[1] += load_part(x + i, n - i) * load_part(y + i, n - i);
  return sum(total[0] + total[1]);
}

}  // namespace kexue::kernels::KEXUE_ISA
