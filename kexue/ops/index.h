// Reading and adding rows by index.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// Rows of a table. table [V,...], ids i32[B...] -> [B...,...].
// Indices outside 0..V-1 are clamped; check data before it gets here.
Value take(const Arg& table, const Value& ids);

// x with updates added to its rows: y[ids[i]] += updates[i]. x [V,...],
// ids i32[B...], updates [B...,...]. Repeated indices add up; indices outside
// are dropped.
Value scatter_add(const Arg& x, const Value& ids, const Value& updates);

// 1 where the index equals the position on a new last axis of size n, else 0.
Value one_hot(const Arg& ids, int64_t n, DType dtype);

}  // namespace kexue::ops
