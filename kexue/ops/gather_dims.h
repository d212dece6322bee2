// Dimension numbers of gather and scatter: checks, text, places. Private to
// kexue/ops.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/ops/gather.h"
#include "kexue/ops/support.h"

namespace kexue::ops::detail {

Attrs to_attrs(const GatherDims& dims);
GatherDims gather_dims(const Attrs& attrs);

// Refuses numbers that contradict x (input 0) or the indices (input 1).
void check_dims(const InferContext& c, const GatherDims& d);
// Axes of x that blocks keep, ascending.
std::vector<int64_t> window_axes(const GatherDims& d, int64_t x_rank);
// Dims of the result (or the updates) that run over the list of places.
std::vector<int64_t> list_dims(const GatherDims& d, int64_t rank);
// The indices' shape without the components.
std::vector<int64_t> list_shape(const GatherDims& d, const Shape& indices);
// Block sizes per axis of x, given the updates' shape.
std::vector<int64_t> block_sizes(const GatherDims& d,
                                 int64_t x_rank,
                                 const Shape& updates);
// Last place of each component at which a block fits, to compare with the
// indices; the indices' type.
Value last_places(const Value& indices,
                  const GatherDims& d,
                  const Shape& x,
                  const std::vector<int64_t>& sizes);

// The numbers with a new leading axis on x, the indices or both, and on the
// result. If x alone has it, blocks run over that axis.
GatherDims with_batch(const GatherDims& d, bool x, bool indices);

// Offsets in x of the elements of the result, by their index tuples.
class Places final {
 public:
  Places(const GatherDims& d,
         std::vector<int64_t> sizes,
         Shape x,
         const HostArray& indices);

  // With clamp, the block is moved inside; without, -1 if it is not inside.
  int64_t at(const std::vector<int64_t>& tuple, bool clamp) const;

 private:
  GatherDims d_;
  std::vector<int64_t> sizes_;
  Shape x_;
  std::vector<int64_t> x_strides_;
  std::vector<int64_t> ids_;
  std::vector<int64_t> id_strides_;
  std::vector<int64_t> window_;
};

}  // namespace kexue::ops::detail
