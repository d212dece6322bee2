// Vectors of the instruction set that the including file is compiled for.
//
// Private to *_simd.cc, which CMake compiles once per instruction set with
// KEXUE_ISA naming the namespace. Everything here has internal linkage and no
// standard header with inline code is used: a function shared between those
// objects could be linked in its AVX-512 form into a program that runs on a
// plain machine.
#pragma once

#include <stdint.h>

namespace kexue::kernels::KEXUE_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float F __attribute__((vector_size(kLanes * 4)));
typedef uint32_t U __attribute__((vector_size(kLanes * 4)));
typedef int32_t I __attribute__((vector_size(kLanes * 4)));
typedef uint16_t H __attribute__((vector_size(kLanes * 2)));

inline F splat(float x) {
  return x - F{};
}
inline U splat_u(uint32_t x) {
  return x - U{};
}

inline F load(const float* p) {
  F v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, F v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// bf16 as its bits: the upper half of an f32.
inline F load(const uint16_t* p) {
  H h;
  __builtin_memcpy(&h, p, sizeof h);
  return (F)(__builtin_convertvector(h, U) << 16);
}
inline H to_bf16(F x) {  // nearest, ties to even; NaN stays NaN
  const U u = (U)x;
  const U rounded = (u + 0x7FFFU + ((u >> 16) & 1U)) >> 16;
  const U quiet = (u >> 16) | 0x40U;
  return __builtin_convertvector(x == x ? rounded : quiet, H);
}
inline void store(uint16_t* p, F v) {
  const H h = to_bf16(v);
  __builtin_memcpy(p, &h, sizeof h);
}

// The first n (1 .. kLanes - 1) elements; the others are 0.
template <class T>
inline F load_part(const T* p, int64_t n) {
  T lanes[kLanes] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
template <class T>
inline void store_part(T* p, F v, int64_t n) {
  T lanes[kLanes];
  store(lanes, v);
  for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
}

#if defined(__AVX512F__)
constexpr I kIndex = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif defined(__AVX2__)
constexpr I kIndex = {0, 1, 2, 3, 4, 5, 6, 7};
#else
constexpr I kIndex = {0, 1, 2, 3};
#endif

// Lane i is 1 for i < n, else 0.
inline F first_lanes(int64_t n) {
  return kIndex < static_cast<int32_t>(n) ? splat(1.0f) : F{};
}

// Lane i of the result is lane i ^ width.
inline F swap_lanes(F v, int width) {
  return __builtin_shuffle(v, kIndex ^ width);
}
inline float sum(F v) {
  for (int w = kLanes / 2; w > 0; w /= 2) v += swap_lanes(v, w);
  return v[0];
}

inline F max(F a, F b) {
  return a > b ? a : b;
}
inline F min(F a, F b) {
  return a < b ? a : b;
}

inline float max_lane(F v) {
  for (int w = kLanes / 2; w > 0; w /= 2) v = max(v, swap_lanes(v, w));
  return v[0];
}

// exp(x) for x <= 88; relative error 2e-7; 0 below -87, NaN stays NaN.
// Source: Cephes expf's polynomial on [-log(2)/2, log(2)/2].
inline F exp(F x) {
  const F low = splat(-87.0f);
  const F clamped = x < low ? low : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds
  const F shifted = clamped * 1.44269504088896341f + kRound;
  const F n = shifted - kRound;
  F r = clamped - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  F p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const U scale = ((U)shifted << 23) + (127U << 23);
  const F y = p * (F)scale;
  return x < low ? F{} : y;
}

}  // namespace
}  // namespace kexue::kernels::KEXUE_ISA
