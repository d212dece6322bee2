#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {

void widen(const uint16_t* x, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(x + i));
  if (i < n) store_part(y + i, load_part(x + i, n - i), n - i);
}

void narrow(const float* x, uint16_t* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(x + i));
  if (i < n) store_part(y + i, load_part(x + i, n - i), n - i);
}

#define KEXUE_TEXT2(x) #x
#define KEXUE_TEXT(x) KEXUE_TEXT2(x)
extern const detail::Simd kSimd;
const detail::Simd kSimd = {
    .name = KEXUE_TEXT(KEXUE_ISA),
    .widen = widen,
    .narrow = narrow,
    .layer_norm = layer_norm,
    .layer_norm_grad = layer_norm_grad,
    .column_sums = column_sums,
    .column_moments = column_moments,
    .group_norm = group_norm,
    .group_norm_slope = group_norm_slope,
    .group_norm_grad = group_norm_grad,
    .gelu = gelu,
    .gelu_bf16 = gelu_bf16,
    .gelu_grad = gelu_grad,
    .dropout = dropout,
    .softmax = softmax,
    .softmax_grad = softmax_grad,
    .scale = scale,
    .dot = dot,
    .product_strip = product_strip,
    .transpose = transpose,
    .pair_floats = pair_floats,
    .pair_halves = pair_halves,
    .add_rows = add_rows,
    .add_rows_bf16 = add_rows_bf16,
    .exp_sum = exp_sum,
    .exp_sum_bf16 = exp_sum_bf16,
    .scaled_exp = scaled_exp,
    .scaled_exp_bf16 = scaled_exp_bf16,
    .adamw = adamw,
};

}  // namespace kexue::kernels::KEXUE_ISA
