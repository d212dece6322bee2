// Sums of columns: the gradient of what was added to every row.
#pragma once

#include <cstdint>

#include "kexue/kernels/floats.h"

namespace kexue::kernels {

// y_j = sum over rows i of x_ij.
//
// Shapes:   x [rows,dim] f32 or bf16; y f32[dim].
// Numerics: f32; the sums run within at most 64 blocks of rows and then over
//           the blocks in order: the same for any thread count.
void column_sum(int64_t rows, int64_t dim, FloatsIn x, float* y);

}  // namespace kexue::kernels
