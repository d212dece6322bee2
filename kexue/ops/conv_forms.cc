// The everyday forms of conv_general; declared in conv.h.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/conv.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

using detail::dilated;
using detail::or_all;
using Dims = std::vector<int64_t>;

[[noreturn]] void refuse(const std::string& what, const Value& x) {
  throw Error(Code::kInvalidArgument,
              fmt::format("{}, got {}", what, x.type().str()))
      .with_scope(Scope::path());
}

std::string letters(Layout layout, size_t spatial) {
  const std::string digits = std::string("0123456789").substr(0, spatial);
  return layout == Layout::kChannelsLast
             ? "b" + digits + "f," + digits + "io->b" + digits + "f"
             : "bf" + digits + ",oi" + digits + "->bf" + digits;
}

size_t spatial_rank(const Value& x, const char* who) {
  if (x.rank() < 3 || x.rank() > 12) {
    refuse(fmt::format("{}: wants x with examples, channels and 1 to 10 "
                       "spatial dimensions",
                       who),
           x);
  }
  return static_cast<size_t>(x.rank() - 2);
}

Value conv_of_rank(const Value& x,
                   const Value& kernel,
                   const ConvOptions& options,
                   int64_t spatial) {
  if (x.rank() != spatial + 2) {
    refuse(fmt::format("conv{}d: wants x of rank {}", spatial, spatial + 2), x);
  }
  return conv(x, kernel, options);
}

// The spatial sizes of a kernel.
Dims kernel_sizes(const Value& kernel, Layout layout) {
  const auto& d = kernel.shape().dims();
  return layout == Layout::kChannelsLast ? Dims(d.begin(), d.end() - 2)
                                         : Dims(d.begin() + 2, d.end());
}

Dims spatial_axes(Layout layout, size_t spatial) {
  Dims axes;
  for (size_t i = 0; i < spatial; ++i) {
    axes.push_back(static_cast<int64_t>(i) +
                   (layout == Layout::kChannelsLast ? 0 : 2));
  }
  return axes;
}

}  // namespace

Value conv(const Arg& x, const Value& kernel, const ConvOptions& options) {
  return conv_general(
      letters(options.layout, spatial_rank(x, "conv")), x, kernel, options);
}

Value conv1d(const Arg& x, const Value& kernel, const ConvOptions& options) {
  return conv_of_rank(x, kernel, options, 1);
}
Value conv2d(const Arg& x, const Value& kernel, const ConvOptions& options) {
  return conv_of_rank(x, kernel, options, 2);
}
Value conv3d(const Arg& x, const Value& kernel, const ConvOptions& options) {
  return conv_of_rank(x, kernel, options, 3);
}

Value depthwise_conv(const Arg& x,
                     const Value& kernel,
                     const ConvOptions& options) {
  spatial_rank(x, "depthwise_conv");
  const bool last = options.layout == Layout::kChannelsLast;
  const int64_t channels = x.dim(last ? -1 : 1);
  if (kernel.rank() != x.rank() || kernel.dim(last ? -2 : 0) != channels ||
      channels == 0) {
    refuse(fmt::format("depthwise_conv: wants {} for {} channels",
                       last ? "[space...,C,M]" : "[C,M,space...]",
                       channels),
           kernel);
  }
  if (options.feature_groups != 1) {
    refuse(fmt::format("depthwise_conv: {} feature groups; the channels make "
                       "the groups",
                       options.feature_groups),
           x);
  }
  Dims dims = kernel.shape().dims();
  const auto c = dims.begin() + (last ? x.rank() - 2 : 0);
  // [C,M] is read as one input and C M outputs: [1,C M], or [C M,1].
  c[last ? 1 : 0] = c[0] * c[1];
  c[last ? 0 : 1] = 1;
  ConvOptions grouped = options;
  grouped.feature_groups = channels;
  return conv(x, reshape(kernel, dims), grouped);
}

Value conv_transpose(const Arg& x,
                     const Value& kernel,
                     const ConvTransposeOptions& options) {
  const size_t rank = spatial_rank(x, "conv_transpose");
  if (kernel.rank() != x.rank()) {
    refuse(fmt::format("conv_transpose: wants a kernel of rank {}", x.rank()),
           kernel);
  }
  const Dims strides = or_all(options.strides, rank, 1);
  const Dims dilation = or_all(options.kernel_dilation, rank, 1);
  Dims low = or_all(options.padding.low, rank, 0);
  Dims high = or_all(options.padding.high, rank, 0);
  if (strides.size() != rank || dilation.size() != rank || low.size() != rank ||
      high.size() != rank) {
    refuse("conv_transpose: wants one entry a spatial dimension", x);
  }
  const Dims sizes = kernel_sizes(kernel, options.layout);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t reach = dilated(sizes[i], dilation[i]);
    if (options.padding.kind == Padding::Kind::kSame) {
      low[i] = std::max<int64_t>(0, reach - strides[i]) / 2;
      high[i] = reach - strides[i] - low[i];
    }
    low[i] = reach - 1 - low[i];
    high[i] = reach - 1 - high[i];
  }
  return conv(x,
              reverse(kernel, spatial_axes(options.layout, rank)),
              {.layout = options.layout,
               .padding = {.low = low, .high = high},
               .kernel_dilation = dilation,
               .input_dilation = strides});
}

}  // namespace kexue::ops
