// Sums, means and maxima of sliding windows.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"
#include "kexue/ops/window.h"

namespace kexue::ops {

// Lists have one entry a spatial dimension.
struct PoolOptions {
  std::vector<int64_t> window;
  std::vector<int64_t> strides = {};  // empty: the window's size
  Padding padding = {};
  std::vector<int64_t> dilation = {};  // of the window; empty: 1
  Layout layout = Layout::kChannelsLast;
  // average_pool: divide by the window's size even where it reaches into the
  // padding, instead of by the number of elements of x in it.
  bool count_include_pad = false;
};

// The sum of each window, channel by channel; padding counts as 0.
//
// Shapes:   x f[N,space...,C] (or f[N,C,space...]) -> the same with fewer
//           positions; any number of spatial dimensions, at least one.
// Numerics: sums run in f32 for 16-bit floats and round once.
// Errors:   kInvalidArgument: x not float or of another rank than the window
//           wants, lists of a wrong length, windows, strides or dilations
//           below 1.
Value sum_pool(const Arg& x, const PoolOptions& options);

// sum_pool over the number of elements; 0 for a window that has none.
Value average_pool(const Arg& x, const PoolOptions& options);

// The largest element of each window; padding is ignored. A window with no
// element gives -inf.
//
// Shapes:   as sum_pool.
// Numerics: NaN in a window gives NaN. The derivative goes to the one element
//           that max_pool_index names: among equal elements the first in
//           row-major order. The second derivative is zero almost everywhere
//           and is taken as that, through the elements chosen.
// Errors:   as sum_pool; its derivative and max_pool_index: kUnsupported if x
//           has more than 2^31 - 2 elements.
Value max_pool(const Arg& x, const PoolOptions& options);

// i32: the place in the flat x of each window's largest element, the first
// among equals, NaN counting as largest; 2^31 - 1 for a window with none.
Value max_pool_index(const Arg& x, const PoolOptions& options);

// f[N,space...,C] -> f[N,C] over all positions (channels first: f[N,C,...]).
// Errors: kInvalidArgument if x has no spatial dimension.
Value global_average_pool(const Arg& x, Layout layout = Layout::kChannelsLast);
// Equal maxima share the derivative, as in max.
Value global_max_pool(const Arg& x, Layout layout = Layout::kChannelsLast);

// Every element `factors` times in each spatial dimension (nearest neighbour).
//
// Shapes:   x [N,space...,C] -> [N,space * factor...,C], or channels first.
// Errors:   kInvalidArgument: one factor >= 1 a spatial dimension.
Value upsample_nearest(const Arg& x,
                       const std::vector<int64_t>& factors,
                       Layout layout = Layout::kChannelsLast);

}  // namespace kexue::ops
