#include "kexue/kernels/tile.h"

#include "kexue/kernels/simd_functions.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

struct F32Dot {
  using Unit = float;
  using Units = F;
  static F load(const float* p) { return KEXUE_ISA::load(p); }
  static F splat(float x) { return KEXUE_ISA::splat(x); }
  static F add(F c, F a, F b) { return c + a * b; }
};

// Bits, of whatever type.
inline U load_u(const uint32_t* p) {
  U v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store_u(uint32_t* p, U v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// Swaps the off-diagonal squares of side Width in each pair of rows.
template <int Width>
inline void exchange(U (&rows)[kLanes]) {
  constexpr I kBits = kIndex & Width;
  const I low = kBits == 0 ? kIndex : kIndex + (kLanes - Width);
  const I high = kBits == 0 ? kIndex + Width : kIndex + kLanes;
  for (int i = 0; i < kLanes; ++i) {
    if (i & Width) continue;
    const U a = rows[i];
    const U b = rows[i + Width];
    rows[i] = __builtin_shuffle(a, b, low);
    rows[i + Width] = __builtin_shuffle(a, b, high);
  }
}

inline void transpose_square(const uint32_t* x,
                             int64_t x_row,
                             uint32_t* y,
                             int64_t y_row) {
  U rows[kLanes];
  for (int i = 0; i < kLanes; ++i) rows[i] = load_u(x + i * x_row);
  exchange<1>(rows);
  exchange<2>(rows);
#if defined(__AVX2__)
  exchange<4>(rows);
#endif
#if defined(__AVX512F__)
  exchange<8>(rows);
#endif
  for (int i = 0; i < kLanes; ++i) store_u(y + i * y_row, rows[i]);
}

// Two halves of a row each, as pairs.
inline U bf16_bits(F x) {  // in the upper half of each lane
  return __builtin_convertvector(to_bf16(x), U) << 16;
}

}  // namespace

void product_strip(const detail::TileStrides& t,
                   const float* a,
                   const float* b,
                   float* c,
                   int64_t rows,
                   int64_t n,
                   int64_t k,
                   bool add) {
  any_strip<F32Dot>(t, a, b, c, rows, n, k, add);
}

void transpose(const uint32_t* x,
               int64_t x_row,
               int64_t rows,
               int64_t columns,
               uint32_t* y,
               int64_t y_row) {
  const int64_t whole_rows = rows / kLanes * kLanes;
  const int64_t whole_columns = columns / kLanes * kLanes;
  for (int64_t i = 0; i < whole_rows; i += kLanes) {
    for (int64_t j = 0; j < whole_columns; j += kLanes) {
      transpose_square(x + i * x_row + j, x_row, y + j * y_row + i, y_row);
    }
  }
  for (int64_t j = 0; j < columns; ++j) {
    const int64_t from = j < whole_columns ? whole_rows : 0;
    for (int64_t i = from; i < rows; ++i) y[j * y_row + i] = x[i * x_row + j];
    for (int64_t i = rows; i < y_row; ++i) y[j * y_row + i] = 0;
  }
}

void pair_floats(const float* first,
                 const float* second,
                 uint32_t* y,
                 int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const U low = bf16_bits(load(first + i)) >> 16;
    store_u(y + i, second ? low | bf16_bits(load(second + i)) : low);
  }
}

void pair_halves(const uint16_t* first,
                 const uint16_t* second,
                 uint32_t* y,
                 int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const U low = (U)load(first + i) >> 16;
    store_u(y + i, second ? low | (U)load(second + i) : low);
  }
}

}  // namespace kexue::kernels::KEXUE_ISA
