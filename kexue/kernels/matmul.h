// Matrix products through oneDNN.
#pragma once

#include <array>
#include <cstdint>

#include "kexue/base/dtype.h"

namespace kexue::kernels {

// c[p,q,i,j] = sum over l of a[p,q,i,l] * b[p,q,l,j]  (+ bias[j])
//
// with p < b1, q < b2, i < m, j < n, l < k. Each operand's four strides, in
// elements, are those of its two batch axes, its rows and its columns: a
// transposed operand, a head of a [B,T,H,D] tensor or a broadcast batch (0)
// needs no copy. Strides of axes of size 1 are ignored.
//
// Shapes:   a, b f32 or bf16 (the same); c f32, or bf16 if a and b are;
//           bias f32[n] or null. c's elements must not overlap, nor c with
//           the inputs.
// Numerics: sums run in f32 and are rounded once. Work is split by shape only,
//           never along k: the same bits for any thread count.
// Errors:   kInvalidArgument (negative sizes, types); kUnsupported in a build
//           without oneDNN; kInternal with oneDNN's text otherwise.
//
// Speed: near the processor's peak if a and b each have a unit stride in rows
// or columns, and c too; other operands are copied to such a layout first.
struct MatmulSpec {
  int64_t b1 = 1;
  int64_t b2 = 1;
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  std::array<int64_t, 4> a_strides{};
  std::array<int64_t, 4> b_strides{};
  std::array<int64_t, 4> c_strides{};
  DType in = DType::kF32;
  DType out = DType::kF32;
};

void matmul(const MatmulSpec& spec,
            const void* a,
            const void* b,
            const float* bias,
            void* c);

// Whether this build has oneDNN.
bool has_matmul();

}  // namespace kexue::kernels
