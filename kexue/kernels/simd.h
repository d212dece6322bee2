// Row kernels in the best form that the processor can run.
//
// Private to the folder. Each function exists once per instruction set
// (*_simd.cc, compiled several times); the first use picks one for the
// process. bf16 is passed as its bits. Lengths n are >= 0, in elements.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kexue/kernels/adamw.h"

namespace kexue::kernels::detail {

struct DropoutRule {
  uint32_t key[2];
  uint32_t threshold;  // of 65536
  float scale;         // 65536 / (65536 - threshold)
};

// What group norm does to each column: element i of a channels-last array
// belongs to column i % width. width is a multiple of 64.
struct NormColumns {
  int64_t width;
  const float* mean;
  const float* rstd;
  const float* gamma;
  const float* beta;
};

// Elements between neighbours, of the operands of a small product.
struct TileStrides {
  int64_t a_row;   // from a row of a to the next
  int64_t a_step;  // from a summed element of a to the next
  int64_t b_row;   // b's rows are dense
  int64_t c_row;   // and c's
};

// Rows of a that a strip takes at most.
inline constexpr int64_t kTileRows = 6;

// c (+)= a b for 1 .. kTileRows rows of c, n columns (a multiple of 16) and k
// steps.
template <class T>
using StripFunction = void (*)(const TileStrides& strides,
                               const T* a,
                               const T* b,
                               float* c,
                               int64_t rows,
                               int64_t n,
                               int64_t k,
                               bool add);

struct Simd {
  const char* name;

  void (*widen)(const uint16_t* x, float* y, int64_t n);   // bf16 -> f32
  void (*narrow)(const float* x, uint16_t* y, int64_t n);  // f32 -> bf16

  void (*layer_norm)(const float* x,
                     const float* gamma,
                     const float* beta,
                     int64_t n,
                     float eps,
                     float* y,
                     float* mean,
                     float* rstd);
  // Adds to dgamma and dbeta.
  void (*layer_norm_grad)(const float* dy,
                          const float* x,
                          const float* gamma,
                          float mean,
                          float rstd,
                          int64_t n,
                          float* dx,
                          float* dgamma,
                          float* dbeta);

  // Column by column: sums of x; then of x - center and its square.
  void (*column_sums)(const float* x, int64_t n, int64_t width, float* sums);
  void (*column_moments)(const float* x,
                         const float* center,
                         int64_t n,
                         int64_t width,
                         float* sums,
                         float* squares);
  void (*group_norm)(
      const float* x, const NormColumns& c, bool silu, int64_t n, float* z);
  // dy, and its sums and those of dy * h for each column. dy may be dz.
  void (*group_norm_slope)(const float* dz,
                           const float* x,
                           const NormColumns& c,
                           bool silu,
                           int64_t n,
                           float* dy,
                           float* dbeta,
                           float* dgamma);
  // dx from dy, which may be its memory; means of u and u * h for each column.
  void (*group_norm_grad)(const float* dy,
                          const float* x,
                          const NormColumns& c,
                          const float* u_mean,
                          const float* uh_mean,
                          int64_t n,
                          float* dx);

  void (*gelu)(const float* x, float* y, int64_t n);
  void (*gelu_bf16)(const float* x, uint16_t* y, int64_t n);
  void (*gelu_grad)(const float* dy, const float* x, float* dx, int64_t n);

  // Elements start .. start + n - 1 of the stream.
  void (*dropout)(const float* x,
                  float* y,
                  int64_t n,
                  int64_t start,
                  const DropoutRule& rule);

  // Rows of attention scores. Lengths are multiples of 16; `bias` is 0 or
  // -inf, the latter where the key is masked.
  //
  // s = exp(v - max), v = scale * s + bias; sum of s.
  void (*softmax)(float* s,
                  const float* bias,
                  int64_t n,
                  float scale,
                  float* max,
                  float* sum);
  // With p = exp(scale * s + bias - lse) and the factors `keep` of dropout
  // (null: all 1): s = p * keep and dp = scale * p * (dp * keep - delta).
  void (*softmax_grad)(float* s,
                       float* dp,
                       const float* bias,
                       const float* keep,
                       int64_t n,
                       float scale,
                       float lse,
                       float delta);
  void (*scale)(float* x, int64_t n, float factor);         // in place
  float (*dot)(const float* x, const float* y, int64_t n);  // any length

  StripFunction<float> product_strip;
  // y[j,i] = x[i,j] of 32-bit units; y's rows are filled up to y_row by 0.
  void (*transpose)(const uint32_t* x,
                    int64_t x_row,
                    int64_t rows,
                    int64_t columns,
                    uint32_t* y,
                    int64_t y_row);
  // y[i] = two bf16: first[i] in the lower half, second[i] (null: 0) in the
  // upper. n is a multiple of 16.
  void (*pair_floats)(const float* first,
                      const float* second,
                      uint32_t* y,
                      int64_t n);
  void (*pair_halves)(const uint16_t* first,
                      const uint16_t* second,
                      uint32_t* y,
                      int64_t n);

  // Adds each column of x [rows,n] to y[n].
  void (*add_rows)(const float* x, int64_t rows, int64_t n, float* y);
  void (*add_rows_bf16)(const uint16_t* x, int64_t rows, int64_t n, float* y);

  // Rows of any length. top = max x, total = sum exp(x - top), and
  // y = by * exp(x - shift), x <= shift + 88; y may be x.
  void (*exp_sum)(const float* x, int64_t n, float* top, float* total);
  void (*exp_sum_bf16)(const uint16_t* x, int64_t n, float* top, float* total);
  void (*scaled_exp)(
      const float* x, int64_t n, float shift, float by, float* y);
  void (*scaled_exp_bf16)(
      const uint16_t* x, int64_t n, float shift, float by, uint16_t* y);

  void (*adamw)(const AdamWRule& rule,
                const float* w,
                const float* m,
                const float* v,
                const float* g,
                float* new_w,
                float* new_m,
                float* new_v,
                int64_t n);
};

const Simd& simd();

// A strip whose steps are pairs of bf16, as pair_floats makes them; null if
// the processor, or the form in use, has no instruction for it.
StripFunction<uint32_t> bf16_strip();

// The names of the forms this processor can run, best first.
std::vector<std::string_view> simd_names();
// For tests: use that form from now on. False if the processor cannot.
bool select_simd(std::string_view name);

}  // namespace kexue::kernels::detail
