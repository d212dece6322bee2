// Reading and adding rows by index.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"
#include "kexue/ops/gather.h"

namespace kexue::ops {

// Rows of a table. table [V,...], ids i32[B...] -> [B...,...].
// Indices outside 0..V-1 are clamped; check data before it gets here.
Value take(const Arg& table, const Value& ids);

// x with updates added to its rows: y[ids[i]] += updates[i]. x [V,...],
// ids i32[B...], updates [B...,...]. Repeated indices add up; indices outside
// are dropped.
Value scatter_add(const Arg& x, const Value& ids, const Value& updates);

// x read along one axis: y[..., i..., ...] = x[..., ids[i...], ...]. The ids'
// dims take the place of the axis. Indices are clamped; their gradient adds up.
Value take(const Arg& x, const Value& ids, int64_t axis);

// One element a place: y[i,j] = x[i, ids[i,j]] for axis 1 of 2. ids i32 have
// x's shape but for the axis, and y has theirs. Indices are clamped.
// Errors: kInvalidArgument showing both types if the other dims differ.
// Source: NumPy, take_along_axis.
Value take_along_axis(const Arg& x, const Value& ids, int64_t axis);

// x with updates written, or combined, to where take_along_axis would read.
// Indices outside are dropped. Repeats and gradients: see scatter in gather.h.
// Shapes: ids i32 as for take_along_axis, updates of ids' shape -> x's shape.
Value put_along_axis(const Arg& x,
                     const Value& ids,
                     const Value& updates,
                     int64_t axis,
                     Combine combine = Combine::kSet);

// 1 where the index equals the position on a new axis of size n, else 0: all
// 0 for indices outside. `axis` is the new axis's place in the result.
Value one_hot(const Arg& ids, int64_t n, DType dtype, int64_t axis = -1);

// x, but `value` where mask (bool, broadcast to x) holds; no gradient there.
Value masked_fill(const Arg& x, const Value& mask, double value);

}  // namespace kexue::ops
