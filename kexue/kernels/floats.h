// Kernel operands that may be f32 or bf16, and the threads' scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kexue/base/dtype.h"

namespace kexue::kernels {

// Read-only elements; the kernels compute in f32 whatever the type.
struct FloatsIn {
  FloatsIn(const float* x) : data(x), dtype(DType::kF32) {}
  FloatsIn(const BFloat16* x) : data(x), dtype(DType::kBF16) {}
  // Errors: kInvalidArgument unless the type is f32 or bf16.
  FloatsIn(const void* x, DType type);

  const void* data;
  DType dtype;

  // Elements offset .. offset + n - 1 as f32: in place, or widened into
  // `scratch` (room for n).
  const float* read(int64_t offset, int64_t n, float* scratch) const;
};

// Elements to write; results are rounded once, to nearest.
struct FloatsOut {
  FloatsOut(float* x) : data(x), dtype(DType::kF32) {}
  FloatsOut(BFloat16* x) : data(x), dtype(DType::kBF16) {}
  // Errors: kInvalidArgument unless the type is f32 or bf16.
  FloatsOut(void* x, DType type);

  void* data;
  DType dtype;

  // Where to compute elements offset .. offset + n - 1: the place itself, or
  // `scratch`. write() then rounds them into place if they are in scratch.
  float* stage(int64_t offset, float* scratch) const;
  void write(int64_t offset, int64_t n, const float* staged) const;
};

namespace detail {

// At least `count` floats of the calling thread, 64-byte aligned, kept until
// the thread ends. Each slot (0 .. 31) is one buffer: its next use in the same
// thread may move or overwrite it.
float* thread_floats(int slot, int64_t count);

}  // namespace detail
}  // namespace kexue::kernels
