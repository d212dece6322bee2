// Declarations for *_simd.cc: the functions of one instruction set.
#pragma once

#include "kexue/kernels/simd.h"

namespace kexue::kernels::KEXUE_ISA {

void widen(const uint16_t* x, float* y, int64_t n);
void narrow(const float* x, uint16_t* y, int64_t n);
void layer_norm(const float* x,
                const float* gamma,
                const float* beta,
                int64_t n,
                float eps,
                float* y,
                float* mean,
                float* rstd);
void layer_norm_grad(const float* dy,
                     const float* x,
                     const float* gamma,
                     float mean,
                     float rstd,
                     int64_t n,
                     float* dx,
                     float* dgamma,
                     float* dbeta);
void column_sums(const float* x, int64_t n, int64_t width, float* sums);
void column_moments(const float* x,
                    const float* center,
                    int64_t n,
                    int64_t width,
                    float* sums,
                    float* squares);
void group_norm(const float* x,
                const detail::NormColumns& c,
                bool silu,
                int64_t n,
                float* z);
void group_norm_slope(const float* dz,
                      const float* x,
                      const detail::NormColumns& c,
                      bool silu,
                      int64_t n,
                      float* dy,
                      float* dbeta,
                      float* dgamma);
void group_norm_grad(const float* dy,
                     const float* x,
                     const detail::NormColumns& c,
                     const float* u_mean,
                     const float* uh_mean,
                     int64_t n,
                     float* dx);
void gelu(const float* x, float* y, int64_t n);
void gelu_bf16(const float* x, uint16_t* y, int64_t n);
void gelu_grad(const float* dy, const float* x, float* dx, int64_t n);
void dropout(const float* x,
             float* y,
             int64_t n,
             int64_t start,
             const detail::DropoutRule& rule);
void product_strip(const detail::TileStrides& t,
                   const float* a,
                   const float* b,
                   float* c,
                   int64_t rows,
                   int64_t n,
                   int64_t k,
                   bool add);
void transpose(const uint32_t* x,
               int64_t x_row,
               int64_t rows,
               int64_t columns,
               uint32_t* y,
               int64_t y_row);
void pair_floats(const float* first,
                 const float* second,
                 uint32_t* y,
                 int64_t n);
void pair_halves(const uint16_t* first,
                 const uint16_t* second,
                 uint32_t* y,
                 int64_t n);
void softmax(float* s,
             const float* bias,
             int64_t n,
             float scale,
             float* max,
             float* sum);
void softmax_grad(float* s,
                  float* dp,
                  const float* bias,
                  const float* keep,
                  int64_t n,
                  float scale,
                  float lse,
                  float delta);
void scale(float* x, int64_t n, float factor);
float dot(const float* x, const float* y, int64_t n);
void add_rows(const float* x, int64_t rows, int64_t n, float* y);
void add_rows_bf16(const uint16_t* x, int64_t rows, int64_t n, float* y);
void exp_sum(const float* x, int64_t n, float* top, float* total);
void exp_sum_bf16(const uint16_t* x, int64_t n, float* top, float* total);
void scaled_exp(const float* x, int64_t n, float shift, float by, float* y);
void scaled_exp_bf16(
    const uint16_t* x, int64_t n, float shift, float by, uint16_t* y);
void adamw(const AdamWRule& rule,
           const float* w,
           const float* m,
           const float* v,
           const float* g,
           float* new_w,
           float* new_m,
           float* new_v,
           int64_t n);

}  // namespace kexue::kernels::KEXUE_ISA
