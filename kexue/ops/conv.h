// Convolutions, as neural networks use the word: the kernel is not flipped.
#pragma once

#include <string>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"
#include "kexue/ops/window.h"

namespace kexue::ops {

// Lists have one entry a spatial dimension; empty ones stand for all 1 (all 0
// for padding).
struct ConvOptions {
  Layout layout = Layout::kChannelsLast;  // conv_general: see its letters
  std::vector<int64_t> strides = {};
  Padding padding = {};
  std::vector<int64_t> kernel_dilation = {};
  // Zeros between neighbours of x, as conv_transpose needs them.
  std::vector<int64_t> input_dilation = {};
  // Channels are cut into groups that do not see each other: the kernel has
  // in / feature_groups input channels.
  int64_t feature_groups = 1;
  // Examples are cut into groups, each with its part of the output channels.
  int64_t batch_groups = 1;
};

// y[n,p,o] = sum over k, i of x[n, p stride + k dilation - low, i] w[k,i,o]
//
// for any number of spatial dimensions p. `spec` names the dimensions of x,
// the kernel and y: b batch, f features, i and o the kernel's inputs and
// outputs, digits the spatial ones: "b01f,01io->b01f" is NHWC with HWIO.
//
// Shapes:   as the letters say; where the window does not fit, y is empty.
// Numerics: products accumulate in f32 (f64 for f64) and round once. Under a
//           precision policy x and the kernel are cast as matmul's factors.
// Errors:   kInvalidArgument: letters, ranks, lists of a wrong length, sizes,
//           strides or dilations below 1, channels or examples that the groups
//           do not divide, both kinds of groups, mixed dtypes.
// Source:   Dumoulin and Visin 2016, arXiv:1603.07285.
Value conv_general(const std::string& spec,
                   const Arg& x,
                   const Value& kernel,
                   const ConvOptions& options = {});

// conv_general in one of the two layouts, which it takes from the options.
//
// Shapes:   x f[N,space...,C], kernel f[space...,C/G,O] -> f[N,space...,O];
//           with channels first x f[N,C,space...], kernel f[O,C/G,space...].
Value conv(const Arg& x, const Value& kernel, const ConvOptions& options = {});
// conv that insists on 1, 2 or 3 spatial dimensions.
Value conv1d(const Arg& x,
             const Value& kernel,
             const ConvOptions& options = {});
Value conv2d(const Arg& x,
             const Value& kernel,
             const ConvOptions& options = {});
Value conv3d(const Arg& x,
             const Value& kernel,
             const ConvOptions& options = {});

// Each channel by itself, M results a channel: y's channel c M + m comes from
// x's channel c.
//
// Shapes:   x f[N,space...,C], kernel f[space...,C,M] -> f[N,space...,C M];
//           with channels first the kernel is f[C,M,space...].
// Errors:   as conv; feature_groups must stay 1.
Value depthwise_conv(const Arg& x,
                     const Value& kernel,
                     const ConvOptions& options = {});

struct ConvTransposeOptions {
  Layout layout = Layout::kChannelsLast;
  std::vector<int64_t> strides = {};
  // What is cut from y's ends; negative numbers add zeros there (the "output
  // padding" of other libraries is a smaller `high`). same() gives y the size
  // n * stride.
  Padding padding = {};
  std::vector<int64_t> kernel_dilation = {};
};

// y[n, p stride + k dilation - low, o] += x[n,p,i] w[k,i,o]: every element of
// x paints the kernel into y. This is the derivative of conv with respect to
// its input, for a kernel with i and o exchanged.
//
// Shapes:   as conv, with y's sizes (n - 1) stride + (k - 1) dilation + 1 -
//           low - high.
// Errors:   as conv.
Value conv_transpose(const Arg& x,
                     const Value& kernel,
                     const ConvTransposeOptions& options = {});

}  // namespace kexue::ops
