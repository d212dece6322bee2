#include "kexue/kernels/floats.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "kexue/base/error.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {
namespace {

void check_dtype(DType dtype) {
  if (dtype == DType::kF32 || dtype == DType::kBF16) return;
  throw Error(
      Code::kInvalidArgument,
      "kernels: operands must be f32 or bf16, got " + std::string(name(dtype)));
}

struct Free {
  void operator()(float* p) const { std::free(p); }
};

struct Buffer {
  std::unique_ptr<float, Free> data;
  int64_t count = 0;
};

}  // namespace

FloatsIn::FloatsIn(const void* x, DType type) : data(x), dtype(type) {
  check_dtype(type);
}

const float* FloatsIn::read(int64_t offset, int64_t n, float* scratch) const {
  if (dtype == DType::kF32) return static_cast<const float*>(data) + offset;
  detail::simd().widen(static_cast<const uint16_t*>(data) + offset, scratch, n);
  return scratch;
}

FloatsOut::FloatsOut(void* x, DType type) : data(x), dtype(type) {
  check_dtype(type);
}

float* FloatsOut::stage(int64_t offset, float* scratch) const {
  return dtype == DType::kF32 ? static_cast<float*>(data) + offset : scratch;
}

void FloatsOut::write(int64_t offset, int64_t n, const float* staged) const {
  if (dtype == DType::kF32) return;
  detail::simd().narrow(staged, static_cast<uint16_t*>(data) + offset, n);
}

namespace detail {

float* thread_floats(int slot, int64_t count) {
  thread_local std::array<Buffer, 32> buffers;
  Buffer& buffer = buffers[static_cast<size_t>(slot)];
  if (buffer.count < count) {
    const int64_t rounded = (count + 1023) / 1024 * 1024;
    buffer.data.reset();
    buffer.count = 0;
    buffer.data.reset(static_cast<float*>(
        std::aligned_alloc(64, static_cast<size_t>(rounded) * sizeof(float))));
    if (!buffer.data) throw std::bad_alloc();
    buffer.count = rounded;
  }
  return buffer.data.get();
}

}  // namespace detail
}  // namespace kexue::kernels
