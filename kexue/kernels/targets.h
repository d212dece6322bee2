// The kernels as custom calls of compiled programs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kexue/pjrt/ffi.h"

namespace kexue::kernels {

// All operands are dense and row-major. Every handler checks sizes and types
// first (kInvalidArgument), so that a wrong program fails and does not write
// outside its buffers.
//
// name                   args                        results      attributes
// kexue_matmul           a b [bias]                  c            sizes,
//                                                 a_strides, b_strides,
//                                                 c_strides: i64 arrays, as
//                                                 MatmulSpec, sizes = b1 b2 m
//                                                 n k
// kexue_convolution      x w                         y            kernel,
//                                                 strides, low, dilation,
//                                                 w_strides: i64 arrays, as
//                                                 ConvolutionSpec
// kexue_convolution_kernel_grad  x dy                dw           the first
//                                                                 four
// kexue_layer_norm       x gamma beta                y mean rstd  eps: float
// kexue_layer_norm_grad  dy x gamma mean rstd        dx dgamma dbeta
// kexue_group_norm       x gamma beta                z mean rstd  eps: float,
//                                                                 groups,
//                                                                 silu: 0, 1
// kexue_group_norm_grad  dz x gamma beta mean rstd   dx dgamma    groups, silu
//                                                    dbeta
// kexue_gelu             x                           y
// kexue_gelu_grad        dy x                        dx
// kexue_column_sum       x                           y: f32
// kexue_cross_entropy    x labels                    loss lse
// kexue_cross_entropy_grad  dy x labels lse          dx
// kexue_dropout          x key                       y            threshold
// kexue_fold_in          key index (u32)             key
// kexue_attention        q k v mask key              o lse        scale: float,
//                                                                 threshold,
//                                                                 causal: 0, 1
// kexue_attention_grad   q k v mask key o lse do     dq dk dv     the same
// kexue_cholesky         a                           l
// kexue_triangular_solve a b                         x            lower,
//                                                 transpose, left, unit: 0, 1
// kexue_lu               a                           packed perm sign
// kexue_qr               a (m >= n)                  q r
// kexue_eigh             a                           w v
// kexue_svd              a (m >= n)                  u s v
//
// The last six are f32 or f64 throughout, perm i32; see decompose.h.
// gamma, beta, bias, mean, rstd, lse, loss, dgamma, dbeta and dy of
// cross_entropy_grad are f32; mask is bool; labels i32; key is u32[2]; the
// others are f32 or bf16. mean and rstd have one element a row of x, in any
// shape; for group norm one a group of an example, and there only they must be
// f32. kexue_matmul and kexue_convolution* are absent from a build without
// oneDNN: their ops then run without them.
std::span<const pjrt::FfiTarget> ffi_targets();

// Their names.
std::vector<std::string> names();

}  // namespace kexue::kernels
