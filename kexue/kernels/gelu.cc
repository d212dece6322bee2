#include "kexue/kernels/gelu.h"

#include <algorithm>

#include "kexue/kernels/parallel.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {
namespace {

constexpr int64_t kChunk = 32768;  // elements that one thread takes at a time
constexpr int64_t kPiece = 2048;   // elements that stay in the first cache

// Calls piece(offset, n) for pieces that cover 0 .. n - 1.
template <class Piece>
void for_pieces(int64_t n, const Piece& piece) {
  parallel_for((n + kChunk - 1) / kChunk, [&](int64_t chunk) {
    const int64_t end = std::min(n, (chunk + 1) * kChunk);
    for (int64_t i = chunk * kChunk; i < end; i += kPiece) {
      piece(i, std::min(kPiece, end - i));
    }
  });
}

}  // namespace

void gelu(int64_t n, FloatsIn x, FloatsOut y) {
  const auto& simd = detail::simd();
  for_pieces(n, [&](int64_t at, int64_t count) {
    const float* in = x.read(at, count, detail::thread_floats(0, kPiece));
    if (y.dtype == DType::kBF16) {
      simd.gelu_bf16(in, static_cast<uint16_t*>(y.data) + at, count);
    } else {
      simd.gelu(in, static_cast<float*>(y.data) + at, count);
    }
  });
}

void gelu_grad(int64_t n, FloatsIn dy, FloatsIn x, FloatsOut dx) {
  const auto& simd = detail::simd();
  for_pieces(n, [&](int64_t at, int64_t count) {
    const float* d = dy.read(at, count, detail::thread_floats(0, kPiece));
    const float* in = x.read(at, count, detail::thread_floats(1, kPiece));
    float* to = dx.stage(at, detail::thread_floats(2, kPiece));
    simd.gelu_grad(d, in, to, count);
    dx.write(at, count, to);
  });
}

}  // namespace kexue::kernels
