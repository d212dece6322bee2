// Private to *_simd.cc: the inner loop of small products, for one pair of
// operand types. Only what vec.h allows may be used here.
#pragma once

#include "kexue/kernels/simd.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

// As many sums as leave registers for the operands.
#if defined(__AVX512F__)
constexpr int kWide = 4;
#else
constexpr int kWide = 2;
#endif

// Dot::Unit is what one step reads of each row and column; Dot::add(c, a, b)
// is c + a b for a unit a and a vector b of units.
//
// c[R x W vectors] (+)= a b over k steps.
template <class Dot, int R, int W>
inline void tile(const detail::TileStrides& t,
                 const typename Dot::Unit* a,
                 const typename Dot::Unit* b,
                 float* c,
                 int64_t k,
                 bool add) {
  F sums[R][W];
  for (int i = 0; i < R; ++i) {
    for (int w = 0; w < W; ++w) {
      sums[i][w] = add ? load(c + i * t.c_row + w * kLanes) : F{};
    }
  }
  for (int64_t p = 0; p < k; ++p, a += t.a_step, b += t.b_row) {
    typename Dot::Units right[W];
    for (int w = 0; w < W; ++w) right[w] = Dot::load(b + w * kLanes);
    for (int i = 0; i < R; ++i) {
      const auto left = Dot::splat(a[i * t.a_row]);
      for (int w = 0; w < W; ++w) {
        sums[i][w] = Dot::add(sums[i][w], left, right[w]);
      }
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int w = 0; w < W; ++w) {
      store(c + i * t.c_row + w * kLanes, sums[i][w]);
    }
  }
}

template <class Dot, int R>
inline void strip(const detail::TileStrides& t,
                  const typename Dot::Unit* a,
                  const typename Dot::Unit* b,
                  float* c,
                  int64_t n,
                  int64_t k,
                  bool add) {
  int64_t j = 0;
  for (; j + kWide * kLanes <= n; j += kWide * kLanes) {
    tile<Dot, R, kWide>(t, a, b + j, c + j, k, add);
  }
  for (; j < n; j += kLanes) tile<Dot, R, 1>(t, a, b + j, c + j, k, add);
}

// Rows 1 .. kTileRows; n a multiple of kLanes.
template <class Dot>
inline void any_strip(const detail::TileStrides& t,
                      const typename Dot::Unit* a,
                      const typename Dot::Unit* b,
                      float* c,
                      int64_t rows,
                      int64_t n,
                      int64_t k,
                      bool add) {
  static_assert(detail::kTileRows == 6);
  switch (rows) {
    case 1:
      return strip<Dot, 1>(t, a, b, c, n, k, add);
    case 2:
      return strip<Dot, 2>(t, a, b, c, n, k, add);
    case 3:
      return strip<Dot, 3>(t, a, b, c, n, k, add);
    case 4:
      return strip<Dot, 4>(t, a, b, c, n, k, add);
    case 5:
      return strip<Dot, 5>(t, a, b, c, n, k, add);
    default:
      return strip<Dot, 6>(t, a, b, c, n, k, add);
  }
}

}  // namespace
}  // namespace kexue::kernels::KEXUE_ISA
