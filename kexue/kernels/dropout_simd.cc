#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "words are read as their two halves, low half first");

template <int kBits> inline U rotate(U x) {
  return (x << kBits) | (x >> (32 - kBits));
}

template <int kA, int kB, int kC, int kD>
inline void four_rounds(U &x0, U &x1) {
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
inline void threefry(const uint32_t key[2], U &x0, U &x1) {
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

constexpr int kBlock = 4 * kLanes; // elements from one pair of vectors

// The 16-bit values of the kBlock elements from element 4 * j on.
inline void values_of(const uint32_t key[2], uint64_t j, uint16_t *values) {
  U low, high;
  for (int i = 0; i < kLanes; ++i) {
    const uint64_t counter = j + static_cast<uint64_t>(i);
    low[i] = static_cast<uint32_t>(counter);
    high[i] = static_cast<uint32_t>(counter >> 32);
  }
  threefry(key, high, low);
  const U w0 = high, w1 = low;
#if defined(__AVX512F__)
  const U first = __builtin_shufflevector(w0, w1, 0, 16, 1, 17, 2, 18, 3, 19, 4,
                                          20, 5, 21, 6, 22, 7, 23);
  const U second = __builtin_shufflevector(w0, w1, 8, 24, 9, 25, 10, 26, 11, 27,
                                           12, 28, 13, 29, 14, 30, 15, 31);
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

inline F keep(F x, const uint16_t *values, uint32_t threshold, float scale) {
  H h;
  __builtin_memcpy(&h, values, sizeof h);
  const I value = __builtin_convertvector(h, I);
  return value >= static_cast<int32_t>(threshold) ? x * scale : F{};
}

} // namespace

void dropout(const float *x, float *y, int64_t n, int64_t start,
             const detail::DropoutRule &rule) {
  const uint32_t key[2] = {rule.key[0], rule.key[1]};
  const uint32_t threshold = rule.threshold;
  const float scale = rule.scale;
  uint16_t values[kBlock];
  const int64_t skip = start % 4;
  auto j = static_cast<uint64_t>(start / 4);
  int64_t i = 0;
  if (skip == 0) {
    for (; i + kBlock <= n; i += kBlock, j += kLanes) {
      values_of(key, j, values);
      for (int v = 0; v < kBlock; v += kLanes) {
        store(y + i + v, keep(load(x + i + v), values + v, threshold, scale));
      }
    }
  }
  // The rest, or all of it where the start is not at a counter's first
  // element.
  int64_t from = skip;
  while (i < n) {
    values_of(key, j, values);
    for (int64_t v = from; v < kBlock && i < n; ++v, ++i) {
      y[i] = values[v] >= threshold ? x[i] * scale : 0.0f;
    }
    from = 0;
    j += kLanes;
  }
}

} // namespace kexue::kernels::KEXUE_ISA
