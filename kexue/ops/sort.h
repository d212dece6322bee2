// Order: sorting along an axis, and what follows from it.
//
// The order is stable: equal elements keep their places, and -0 equals 0. NaN
// comes last, whether the order ascends or descends. Derivatives are those of
// the permutation: each cotangent goes back to where its element came from.
// Errors: kInvalidArgument if there is no such axis.
#pragma once

#include <cstdint>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

struct SortOptions {
  int64_t axis = -1;
  bool descending = false;
};

// x in order along one axis. Any real dtype.
Value sort(const Arg& x, const SortOptions& options = {});
// i32 positions that sort x: take_along_axis(x, argsort(x), axis) = sort(x).
Value argsort(const Arg& x, const SortOptions& options = {});

// keys in order, and each of values moved as they were; keys come first.
// Errors: kInvalidArgument if the shapes differ.
Values sort_by_key(const Arg& keys,
                   const Values& values,
                   const SortOptions& options = {});

struct TopK {
  Value values;   // the axis has size k, largest first
  Value indices;  // i32 places in x; of equal elements, the first ones
};
// The k largest elements along an axis. NaN counts as the smallest.
// Errors: kInvalidArgument unless 0 <= k <= size of the axis.
TopK top_k(const Arg& x, int64_t k, int64_t axis = -1);

}  // namespace kexue::ops
