// Compiled once, for processors that add products of bf16 pairs.
#include <immintrin.h>

#include "kexue/kernels/tile.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

// A unit is a pair of bf16: element 2 p in the lower half, 2 p + 1 above it.
struct PairDot {
  using Unit = uint32_t;
  using Units = U;
  static U load(const uint32_t* p) {
    U v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  static U splat(uint32_t x) { return splat_u(x); }
  static F add(F c, U a, U b) {
    return (F)_mm512_dpbf16_ps((__m512)c, (__m512bh)a, (__m512bh)b);
  }
};

}  // namespace

void product_strip_bf16(const detail::TileStrides& t,
                        const uint32_t* a,
                        const uint32_t* b,
                        float* c,
                        int64_t rows,
                        int64_t n,
                        int64_t k,
                        bool add);
void product_strip_bf16(const detail::TileStrides& t,
                        const uint32_t* a,
                        const uint32_t* b,
                        float* c,
                        int64_t rows,
                        int64_t n,
                        int64_t k,
                        bool add) {
  any_strip<PairDot>(t, a, b, c, rows, n, k, add);
}

}  // namespace kexue::kernels::KEXUE_ISA
