#include "kexue/io/block_quant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kexue/base/dtype.h"
#include "kexue/base/error.h"

namespace kexue::io {
namespace {

constexpr size_t kHalf = kQuantBlock / 2;

float half_at(const std::byte* from) {
  Float16 h;
  std::memcpy(&h.bits, from, sizeof(h.bits));
  return static_cast<float>(h);
}

// Nibble i of a block's 16 bytes, in the order of its weights.
int nibble(const std::byte* q, size_t i) {
  const auto byte = std::to_integer<int>(q[i % kHalf]);
  return i < kHalf ? byte & 15 : byte >> 4;
}

void q4_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (size_t i = 0; i < kQuantBlock; ++i) {
    out[i] = d * static_cast<float>(nibble(block + 2, i) - 8);
  }
}

void q4_1(const std::byte* block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  for (size_t i = 0; i < kQuantBlock; ++i) {
    // Two roundings, as everybody else; no fused multiply-add.
    const float product = d * static_cast<float>(nibble(block + 4, i));
    out[i] = product + m;
  }
}

void q8_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (size_t i = 0; i < kQuantBlock; ++i) {
    out[i] = d * static_cast<float>(std::to_integer<int8_t>(block[2 + i]));
  }
}

}  // namespace

size_t block_bytes(BlockQuant kind) {
  switch (kind) {
    case BlockQuant::kQ4_0:
      return 18;
    case BlockQuant::kQ4_1:
      return 20;
    case BlockQuant::kQ8_0:
      break;
  }
  return 34;
}

void dequantize(BlockQuant kind,
                std::span<const std::byte> blocks,
                std::span<float> out) {
  const size_t width = block_bytes(kind);
  if (out.size() % kQuantBlock != 0 || blocks.size() % width != 0 ||
      out.size() / kQuantBlock != blocks.size() / width) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "dequantize: {} bytes for {} weights", blocks.size(), out.size()));
  }
  auto* const unpack = kind == BlockQuant::kQ4_0   ? q4_0
                       : kind == BlockQuant::kQ4_1 ? q4_1
                                                   : q8_0;
  for (size_t b = 0; b < blocks.size() / width; ++b) {
    unpack(blocks.data() + b * width, out.data() + b * kQuantBlock);
  }
}

void quantize_q8_0(std::span<const float> w, std::span<std::byte> blocks) {
  const size_t width = block_bytes(BlockQuant::kQ8_0);
  if (w.size() % kQuantBlock != 0 ||
      blocks.size() != w.size() / kQuantBlock * width) {
    throw Error(Code::kInvalidArgument,
                fmt::format("quantize_q8_0: {} weights into {} bytes",
                            w.size(),
                            blocks.size()));
  }
  for (size_t b = 0; b < w.size() / kQuantBlock; ++b) {
    const auto part = w.subspan(b * kQuantBlock, kQuantBlock);
    float largest = 0;
    for (const float x : part) {
      if (!std::isfinite(x)) {
        throw Error(Code::kInvalidArgument,
                    fmt::format("quantize_q8_0: weight {} of block {}", x, b));
      }
      largest = std::max(largest, std::fabs(x));
    }
    const float d = largest / 127.0f;
    const float inverse = d == 0 ? 0 : 1.0f / d;
    const Float16 scale(d);
    std::byte* out = blocks.data() + b * width;
    std::memcpy(out, &scale.bits, 2);
    for (size_t i = 0; i < kQuantBlock; ++i) {
      // A subnormal d has an infinite inverse: its block is zero in f16, too.
      const float q =
          std::isfinite(inverse) ? std::round(part[i] * inverse) : 0.0f;
      out[2 + i] = static_cast<std::byte>(static_cast<int8_t>(q));
    }
  }
}

}  // namespace kexue::io
