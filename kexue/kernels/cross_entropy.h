// Softmax cross-entropy of rows of logits, without a widened copy of them.
#pragma once

#include <cstdint>

#include "kexue/kernels/floats.h"

namespace kexue::kernels {

// lse_i = log sum_c exp(x_ic), loss_i = lse_i - x_i[label_i]; a label outside
// 0 .. classes - 1 gives loss 0.
//
// Shapes:   x [rows,classes] f32 or bf16; labels i32[rows]; loss, lse
//           f32[rows].
// Numerics: f32; the row's maximum is subtracted first, so logits of any size
//           are fine. A row with a NaN gives NaN.
void cross_entropy(int64_t rows,
                   int64_t classes,
                   FloatsIn x,
                   const int32_t* labels,
                   float* loss,
                   float* lse);

// dx_ic = dy_i (exp(x_ic - lse_i) - [c = label_i]); 0 in rows whose label is
// outside.
//
// Shapes:   dy, lse f32[rows]; x, dx [rows,classes] f32 or bf16; dx may be x's
//           memory.
// Numerics: f32, rounded once to dx's type.
void cross_entropy_grad(int64_t rows,
                        int64_t classes,
                        const float* dy,
                        FloatsIn x,
                        const int32_t* labels,
                        const float* lse,
                        FloatsOut dx);

}  // namespace kexue::kernels
