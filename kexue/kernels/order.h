// Sorting and selection along lines of an array.
#pragma once

#include <cstdint>
#include <span>

#include "kexue/base/dtype.h"

namespace kexue::kernels {

// Lines of `size` elements, a distance of `inner` apart: [outer,size,inner].
struct SortSpec {
  int64_t outer;
  int64_t size;
  int64_t inner;
  bool descending;
};

// An array that moves as the keys do; elements of `width` bytes.
struct SortMove {
  const void* from;
  void* to;
  int64_t width;
};

// Orders each line of `keys` and writes every array of `moves` (the keys are
// one of them, if wanted) in that order.
//
// Numerics: stable; -0 equals 0; NaN last, whether the order ascends or
//           descends. Elements keep their bits.
// Errors:   kInvalidArgument for complex keys and lines of 2^32 elements.
// Source:   radix sort, a byte of the key a pass, from the lowest; bytes that
//           are the same in all keys cost nothing.
void sort_lines(const SortSpec& spec,
                DType type,
                const void* keys,
                std::span<const SortMove> moves);

// The k largest of each row, largest first, and their places; of equal
// elements the first ones. NaN counts as the smallest.
//
// Shapes:   x f32[rows,size] -> values f32[rows,k], places i32[rows,k].
// Source:   derived: one pass that keeps the best so far in order. Almost all
//           elements lose against the worst of these and cost one comparison.
// Errors:   kInvalidArgument unless 0 <= k <= size.
void top_k(int64_t rows,
           int64_t size,
           int64_t k,
           const float* x,
           float* values,
           int32_t* places);

}  // namespace kexue::kernels
