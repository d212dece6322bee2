// The exact Gaussian error linear unit and its derivative.
#pragma once

#include <cstdint>

#include "kexue/kernels/floats.h"

namespace kexue::kernels {

// y = x * cdf(x) = x / 2 * (1 + erf(x / sqrt(2))).
//
// Shapes:   x, y [n] f32 or bf16.
// Numerics: f32; cdf is good to 1e-7, and to 5e-6 of itself for x > -5.
//           gelu(-inf) = 0, gelu(inf) = inf, NaN stays NaN.
void gelu(int64_t n, FloatsIn x, FloatsOut y);

// dx = dy * (cdf(x) + x * pdf(x)), pdf(x) = exp(-x^2 / 2) / sqrt(2 pi).
//
// Shapes:   dy, x, dx [n] f32 or bf16; dx may be dy's memory.
// Numerics: f32; the factor is good to 3e-7.
void gelu_grad(int64_t n, FloatsIn dy, FloatsIn x, FloatsOut dx);

}  // namespace kexue::kernels
