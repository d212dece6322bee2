// Group normalisation of channels-last tensors with an optional SiLU behind
// it, forward and backward.
#pragma once

#include <cstdint>

#include "kexue/kernels/floats.h"

namespace kexue::kernels {

// B P C G: examples, positions, channels, groups of C / G channels each.
struct GroupNormSpec {
  int64_t batch;      // B
  int64_t positions;  // P
  int64_t channels;   // C
  int64_t groups;     // G, a divisor of C
  bool silu = false;
};

// y = h gamma + beta, h = (x - mean) rstd, rstd = 1 / sqrt(var + eps), mean and
// var (biased) of an example over all positions and the channels of a group;
// then z = y sigmoid(y) if silu, else z = y.
//
// Shapes:   x, z [B,P,C]; gamma, beta [C]; each f32 or bf16. mean, rstd
//           f32[B,G], kept for the gradient; NaN if there are no positions.
// Numerics: f32, sums of pieces in f64; var from values centred piece by
//           piece, so a large common offset costs no accuracy.
void group_norm(const GroupNormSpec& spec,
                float eps,
                FloatsIn x,
                FloatsIn gamma,
                FloatsIn beta,
                FloatsOut z,
                float* mean,
                float* rstd);

// With s = sigmoid(y), dy = dz s (1 + y (1 - s)) if silu, else dz, u = dy gamma
// and means over the group:
//   dx = rstd (u - mean(u) - h mean(u h)),
//   dgamma = sum of dy h, dbeta = sum of dy over examples and positions.
//
// Shapes:   dz, dx [B,P,C]; dgamma, dbeta [C]; each f32 or bf16; the others as
//           above.
// Numerics: f32, sums of pieces in f64; examples are added in order, so the
//           bits do not depend on the thread count. dx in bf16 needs room for
//           one example in f32 a thread.
void group_norm_grad(const GroupNormSpec& spec,
                     FloatsIn dz,
                     FloatsIn x,
                     FloatsIn gamma,
                     FloatsIn beta,
                     const float* mean,
                     const float* rstd,
                     FloatsOut dx,
                     FloatsOut dgamma,
                     FloatsOut dbeta);

}  // namespace kexue::kernels
