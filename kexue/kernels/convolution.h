// Convolutions over two spatial dimensions through oneDNN.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "kexue/base/dtype.h"

namespace kexue::kernels {

// x [batch,height,width,inputs] with a kernel of kernel_height x kernel_width
// to y [batch,out_height,out_width,outputs]; x and y are dense. Pairs are for
// height and width.
struct ConvolutionSpec {
  int64_t batch = 0;
  std::array<int64_t, 2> in{};
  int64_t inputs = 0;
  std::array<int64_t, 2> kernel{};
  int64_t outputs = 0;
  std::array<int64_t, 2> out{};
  std::array<int64_t, 2> strides{1, 1};
  std::array<int64_t, 2> low{};  // zeros before x
  std::array<int64_t, 2> dilation{1, 1};
  // The kernel's strides in elements: rows, columns, inputs, outputs.
  std::array<int64_t, 4> w_strides{};
  DType in_type = DType::kF32;
  DType out_type = DType::kF32;

  auto operator<=>(const ConvolutionSpec&) const = default;

  // Zeros behind x that the last window reads; negative: elements it leaves.
  std::array<int64_t, 2> high() const;
};

// Whether the library is good at this: no padding as wide as the kernel, at
// most a stride left over, f32 -> f32 or bf16 -> bf16 or f32.
bool convolution_fits(const ConvolutionSpec& spec);

// y[n,p,o] = sum over k, i of x[n, p stride + k dilation - low, i] w[k,i,o]
//
// Numerics: sums run in f32 and are rounded once. Work is split by examples
//           into parts that depend on the shape only: the same bits for any
//           thread count.
// Errors:   kInvalidArgument if the spec does not fit; kUnsupported in a build
//           without oneDNN; kInternal with oneDNN's text.
void convolution(const ConvolutionSpec& spec,
                 const void* x,
                 const void* w,
                 void* y);

// dw[k,i,o] = sum over n, p of x[n, p stride + k dilation - low, i] dy[n,p,o]
//
// dw is dense [kernel,inputs,outputs] of the out type, whatever w_strides say;
// dy has the in type. Partial sums of the parts are added in their order.
void convolution_kernel_grad(const ConvolutionSpec& spec,
                             const void* x,
                             const void* dy,
                             void* dw);

// Whether this build has oneDNN.
bool has_convolution();

}  // namespace kexue::kernels
