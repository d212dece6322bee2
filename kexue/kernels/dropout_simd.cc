#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "words are read as their two halves, low half first");

template <int kBits>
inline U rotate(U x) {
  return (x << kBits) | (x >> (32 - kBits));
}

template <int kA, int kB, int kC, int kD>
inline void four_rounds(U& x0, U& x1) {
  x0 += x1;
  x1 = rotate<kA>(x1) ^ x0;
  x0 += x1;
  x1 = rotate<kB>(x1) ^ x0;
  x0 += x1;
  x1 = rotate<kC>(x1) ^ x0;
  x0 += x1;
  x1 = rotate<kD>(x1) ^ x0;
}

// threefry2x32 of kLanes counters; the same function as base/random.h.
inline void threefry(const uint32_t key[2], U& x0, U& x1) {
  const uint32_t k0 = key[0], k1 = key[1], k2 = k0 ^ k1 ^ 0x1BD11BDAU;
  x0 += k0;
  x1 += k1;
  four_rounds<13, 15, 26, 6>(x0, x1);
  x0 += k1;
  x1 += k2 + 1;
  four_rounds<17, 29, 16, 24>(x0, x1);
  x0 += k2;
  x1 += k0 + 2;
  four_rounds<13, 15, 26, 6>(x0, x1);
  x0 += k0;
  x1 += k1 + 3;
  four_rounds<17, 29, 16, 24>(x0, x1);
  x0 += k1;
  x1 += k2 + 4;
  four_rounds<13, 15, 26, 6>(x0, x1);
  x0 += k2;
  x1 += k0 + 5;
}

constexpr int kBlock = 4 * kLanes;  // elements from one pair of vectors

// The 16-bit values of the kBlock elements from element 4 * j on.
inline void values_of(const uint32_t key[2], uint64_t j, uint16_t* values) {
  const U base = splat_u(static_cast<uint32_t>(j));
  U low = base + (U)kIndex;
  U high = static_cast<uint32_t>(j >> 32) - (U)(low < base);  // the carry
  threefry(key, high, low);
  const U w0 = high, w1 = low;
#if defined(__AVX512F__)
  const U first = __builtin_shufflevector(
      w0, w1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const U second = __builtin_shufflevector(
      w0, w1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif defined(__AVX2__)
  const U first = __builtin_shufflevector(w0, w1, 0, 8, 1, 9, 2, 10, 3, 11);
  const U second = __builtin_shufflevector(w0, w1, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  const U first = __builtin_shufflevector(w0, w1, 0, 4, 1, 5);
  const U second = __builtin_shufflevector(w0, w1, 2, 6, 3, 7);
#endif
  __builtin_memcpy(values, &first, sizeof first);
  __builtin_memcpy(values + kBlock / 2, &second, sizeof second);
}

inline F keep(F x, const uint16_t* values, uint32_t threshold, float scale) {
  H h;
  __builtin_memcpy(&h, values, sizeof h);
  const I value = __builtin_convertvector(h, I);
  return value >= static_cast<int32_t>(threshold) ? x * scale : F{};
}

constexpr int64_t kPiece = 8 * kBlock;  // elements between two draws

}  // namespace

void dropout(const float* x,
             float* y,
             int64_t n,
             int64_t start,
             const detail::DropoutRule& rule) {
  const uint32_t key[2] = {rule.key[0], rule.key[1]};
  const uint32_t threshold = rule.threshold;
  const float scale = rule.scale;
  // The first element may be any of the four of its counter.
  const int64_t skip = start % 4;
  auto j = static_cast<uint64_t>(start / 4);
  uint16_t values[kPiece + kBlock];
  for (int64_t from = 0; from < n; from += kPiece, j += kPiece / 4) {
    const int64_t left = n - from;
    const int64_t count = left < kPiece ? left : kPiece;
    for (int64_t v = 0; v < skip + count; v += kBlock) {
      values_of(key, j + static_cast<uint64_t>(v / 4), values + v);
    }
    const float* in = x + from;
    float* out = y + from;
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      store(out + i, keep(load(in + i), values + skip + i, threshold, scale));
    }
    for (; i < count; ++i) {
      out[i] = values[skip + i] >= threshold ? in[i] * scale : 0.0f;
    }
  }
}

}  // namespace kexue::kernels::KEXUE_ISA
