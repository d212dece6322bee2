// Windows that slide over spatial dimensions: what convolution and pooling
// have in common.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/base/shape.h"

namespace kexue::ops {

// Where the channels stand: x [N,space...,C] with kernels [space...,in,out],
// or x [N,C,space...] with kernels [out,in,space...].
enum class Layout { kChannelsLast, kChannelsFirst };

// Elements around x, a pair for each spatial dimension: zeros for sums,
// nothing at all for maxima. Negative numbers cut x instead.
struct Padding {
  enum class Kind { kExplicit, kSame };

  // No padding: windows lie inside x.
  static Padding valid() { return {}; }
  // As much as gives ceil(size / stride) windows, the odd one at the end.
  static Padding same() { return {.kind = Kind::kSame}; }
  // The same number before and after.
  static Padding both(const std::vector<int64_t>& n) {
    return {.low = n, .high = n};
  }

  std::vector<int64_t> low = {};  // empty: zeros
  std::vector<int64_t> high = {};
  Kind kind = Kind::kExplicit;
};

namespace detail {

// One sliding window over dimensions of sizes `in`. All lists have one entry a
// dimension.
struct WindowSpec {
  std::vector<int64_t> size;
  std::vector<int64_t> strides;
  std::vector<int64_t> low;
  std::vector<int64_t> high;
  std::vector<int64_t> base_dilation;    // of what the window slides over
  std::vector<int64_t> window_dilation;  // of the window itself
};

// The extent of n elements with d - 1 gaps between neighbours.
constexpr int64_t dilated(int64_t n, int64_t d) {
  return n == 0 ? 0 : (n - 1) * d + 1;
}

// "" if the lists have `rank` entries, sizes, strides and dilations being
// positive; else what is wrong.
const char* window_fault(const WindowSpec& w, size_t rank);
// How many positions the window has in each dimension.
std::vector<int64_t> window_counts(const WindowSpec& w,
                                   const std::vector<int64_t>& in);
// The window that carries cotangents of the results back to the inputs:
// strides and base dilation change places.
WindowSpec transposed_window(const WindowSpec& w,
                             const std::vector<int64_t>& in);
// Padding in numbers. `in` are the spatial sizes.
void set_padding(WindowSpec& w,
                 const Padding& padding,
                 const std::vector<int64_t>& in);
// `list`, or `rank` times `value` if it is empty.
std::vector<int64_t> or_all(const std::vector<int64_t>& list,
                            size_t rank,
                            int64_t value);

}  // namespace detail
}  // namespace kexue::ops
