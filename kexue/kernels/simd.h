// Row kernels in the best form that the processor can run.
//
// Private to the folder. Each function exists once per instruction set
// (*_simd.cc, compiled several times); the first use picks one for the
// process. bf16 is passed as its bits. Lengths n are >= 0, in elements.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kexue/kernels/adamw.h"

namespace kexue::kernels::detail {

struct DropoutRule {
  uint32_t key[2];
  uint32_t threshold;  // of 65536
  float scale;         // 65536 / (65536 - threshold)
};

struct Simd {
  const char* name;

  void (*widen)(const uint16_t* x, float* y, int64_t n);   // bf16 -> f32
  void (*narrow)(const float* x, uint16_t* y, int64_t n);  // f32 -> bf16

  void (*layer_norm)(const float* x,
                     const float* gamma,
                     const float* beta,
                     int64_t n,
                     float eps,
                     float* y,
                     float* mean,
                     float* rstd);
  // Adds to dgamma and dbeta.
  void (*layer_norm_grad)(const float* dy,
                          const float* x,
                          const float* gamma,
                          float mean,
                          float rstd,
                          int64_t n,
                          float* dx,
                          float* dgamma,
                          float* dbeta);

  void (*gelu)(const float* x, float* y, int64_t n);
  void (*gelu_bf16)(const float* x, uint16_t* y, int64_t n);
  void (*gelu_grad)(const float* dy, const float* x, float* dx, int64_t n);

  // Elements start .. start + n - 1 of the stream.
  void (*dropout)(const float* x,
                  float* y,
                  int64_t n,
                  int64_t start,
                  const DropoutRule& rule);

  // Rows of attention scores. Lengths are multiples of 16; `bias` is 0 or
  // -inf, the latter where the key is masked.
  //
  // s = exp(v - max), v = scale * s + bias; sum of s.
  void (*softmax)(float* s,
                  const float* bias,
                  int64_t n,
                  float scale,
                  float* max,
                  float* sum);
  // With p = exp(scale * s + bias - lse) and the factors `keep` of dropout
  // (null: all 1): s = p * keep and dp = scale * p * (dp * keep - delta).
  void (*softmax_grad)(float* s,
                       float* dp,
                       const float* bias,
                       const float* keep,
                       int64_t n,
                       float scale,
                       float lse,
                       float delta);
  void (*scale)(float* x, int64_t n, float factor);         // in place
  float (*dot)(const float* x, const float* y, int64_t n);  // any length

  void (*adamw)(const AdamWRule& rule,
                const float* w,
                const float* m,
                const float* v,
                const float* g,
                float* new_w,
                float* new_m,
                float* new_v,
                int64_t n);
};

const Simd& simd();

// The names of the forms this processor can run, best first.
std::vector<std::string_view> simd_names();
// For tests: use that form from now on. False if the processor cannot.
bool select_simd(std::string_view name);

}  // namespace kexue::kernels::detail
