#include "kexue/kernels/dropout.h"

#include <algorithm>
#include <string>

#include "kexue/base/error.h"
#include "kexue/kernels/dropout_rule.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

constexpr int64_t kChunk = 32768;
constexpr int64_t kPiece = 2048;

}  // namespace

namespace detail {

DropoutRule dropout_rule(int64_t threshold, Key key) {
  if (threshold < 0 || threshold > 65536) {
    throw Error(Code::kInvalidArgument,
                "dropout: threshold must be in 0 .. 65536, got " +
                    std::to_string(threshold));
  }
  const auto rest = static_cast<float>(65536 - threshold);
  return {.key = {key.a, key.b},
          .threshold = static_cast<uint32_t>(threshold),
          .scale = threshold == 65536 ? 0.0f : 65536.0f / rest};
}

}  // namespace detail

void dropout(int64_t n, int64_t threshold, Key key, FloatsIn x, FloatsOut y) {
  const auto& simd = detail::simd();
  const detail::DropoutRule rule = detail::dropout_rule(threshold, key);
  parallel_for((n + kChunk - 1) / kChunk, [&](int64_t chunk) {
    const int64_t end = std::min(n, (chunk + 1) * kChunk);
    for (int64_t i = chunk * kChunk; i < end; i += kPiece) {
      const int64_t count = std::min(kPiece, end - i);
      const float* in = x.read(i, count, detail::thread_floats(0, kPiece));
      float* to = y.stage(i, detail::thread_floats(1, kPiece));
      simd.dropout(in, to, count, i, rule);
      y.write(i, count, to);
    }
  });
}

}  // namespace kexue::kernels
