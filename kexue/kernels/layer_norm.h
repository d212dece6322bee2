// Layer normalisation over the last axis, forward and backward in one pass.
#pragma once

#include <cstdint>

#include "kexue/kernels/floats.h"

namespace kexue::kernels {

// y = (x - mean) * rstd * gamma + beta, rstd = 1 / sqrt(var + eps), mean and
// var (divided by dim, not dim - 1) of each row.
//
// Shapes:   x, y [rows,dim] f32 or bf16; gamma, beta f32[dim];
//           mean, rstd f32[rows], kept for the gradient.
// Numerics: f32 throughout; var from the centred values, so a large common
//           offset costs no accuracy.
void layer_norm(int64_t rows,
                int64_t dim,
                float eps,
                FloatsIn x,
                const float* gamma,
                const float* beta,
                FloatsOut y,
                float* mean,
                float* rstd);

// With h = (x - mean) * rstd and u = dy * gamma:
//   dx = rstd * (u - mean(u) - h * mean(u * h)),
//   dgamma = sum over rows of dy * h,  dbeta = sum over rows of dy.
//
// Shapes:   dy, x, dx [rows,dim] f32 or bf16; the others as above.
// Numerics: f32; the sums over rows run within at most 64 blocks of rows and
//           then over the blocks in order: the same for any thread count.
void layer_norm_grad(int64_t rows,
                     int64_t dim,
                     FloatsIn dy,
                     FloatsIn x,
                     const float* gamma,
                     const float* mean,
                     const float* rstd,
                     FloatsOut dx,
                     float* dgamma,
                     float* dbeta);

}  // namespace kexue::kernels
