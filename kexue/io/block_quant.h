// Weights in blocks of 32 with a shared scale, as GGUF stores them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kexue::io {

inline constexpr size_t kQuantBlock = 32;  // weights

enum class BlockQuant {
  kQ4_0,  // 18 bytes: f16 d; 16 bytes of nibbles q.        w = d * (q - 8)
  kQ4_1,  // 20 bytes: f16 d, f16 m; 16 bytes of nibbles q. w = d * q + m
  kQ8_0,  // 34 bytes: f16 d; 32 int8 q.                    w = d * q
};

size_t block_bytes(BlockQuant kind);

// out[i] in f32, every product and sum rounded once. The low nibbles of a
// block are its weights 0-15, the high nibbles 16-31.
// Errors: kInvalidArgument if the sizes do not belong together.
// Source: the GGUF specification, ggml/docs/gguf.md, and ggml-quants.
void dequantize(BlockQuant kind,
                std::span<const std::byte> blocks,
                std::span<float> out);

// Q8_0: d = max |w| / 127 rounded to f16, q = w / d rounded to nearest, ties
// away from zero, with the f32 value of d before that rounding, as ggml does.
// Errors: kInvalidArgument unless w.size() is a multiple of 32 and every
//         number finite.
void quantize_q8_0(std::span<const float> w, std::span<std::byte> blocks);

}  // namespace kexue::io
