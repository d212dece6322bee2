// Reading and writing blocks at computed places: the general forms.
//
// ops/index.h has the everyday ones; these carry StableHLO's dimension numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// How an array of indices points into x. The indices without dimension
// `index_vector` are a list of places; a block of x lies at each. The result
// of gather, and the updates of scatter, hold the list and the blocks in one
// shape: dimensions `offset` run over a block, the others over the list.
struct GatherDims {
  std::vector<int64_t> offset = {};     // ascending
  std::vector<int64_t> collapsed = {};  // dims of x that blocks drop, ascending
  // Component k of an index is a place along dim index_map[k] of x.
  std::vector<int64_t> index_map = {};
  // The dim of the indices that holds the components; their rank if each
  // index is one number.
  int64_t index_vector = 0;
  // Dims of x (ascending) that go along with dims of the indices: the block
  // for index [b,...] is taken from x[b,...].
  std::vector<int64_t> x_batch = {};
  std::vector<int64_t> index_batch = {};
};

// Blocks of x. A place is clamped, component by component, so that the block
// lies inside x.
//
// Shapes:   x [...], indices i32[...], sizes: of a block, one per dim of x, 1
//           for collapsed and batch dims -> the list and the blocks.
// Numerics: bits are copied. The gradient adds up what is read repeatedly.
// Errors:   kInvalidArgument if the numbers contradict the shapes.
// Source:   StableHLO, gather.
Value gather(const Arg& x,
             const Value& indices,
             const GatherDims& dims,
             const std::vector<int64_t>& sizes);

enum class Combine { kSet, kAddTo, kMultiplyBy, kKeepLarger, kKeepSmaller };

// x with updates combined into it. `dims` are those of the gather that would
// read the places of the updates. A block that is not wholly inside x is
// dropped, all of it.
//
// Shapes:   x [...], indices i32[...], updates as gather would give them -> x.
// Numerics: of several updates to one element, kSet keeps the last in
//           row-major order of the places. The host and CPUs do; StableHLO
//           leaves the order open, so avoid repeats on other devices. The
//           larger (or smaller) of a number and NaN is NaN.
// Gradients: of kSet, to the update that is kept; of kKeepLarger and
//           kKeepSmaller, shared equally between all that equal the result,
//           x's element included.
// Errors:   kInvalidArgument if the numbers contradict the shapes;
//           kUnsupported for the gradient of kMultiplyBy.
// Source:   StableHLO, scatter.
Value scatter(const Arg& x,
              const Value& indices,
              const Value& updates,
              const GatherDims& dims,
              Combine combine);

}  // namespace kexue::ops
