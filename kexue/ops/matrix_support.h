// Shared by the matrix ops. Private to kexue/ops.
#pragma once

#include <string_view>

#include "kexue/ir/graph.h"
#include "kexue/ops/support.h"

namespace kexue::ops::detail {

// Throw kInvalidArgument naming `who` and the type.
void want_matrix(std::string_view who, const TensorType& x);  // f[...,m,n]
void want_square(std::string_view who, const TensorType& x);  // f[...,n,n]

// `infer` of ops that take one matrix; these ops know f32 and f64 only.
void want_wide_matrix(const InferContext& c, size_t input = 0);
// A [...,rows,cols] type with x's dtype and batch.
TensorType matrix_like(const TensorType& x, int64_t rows, int64_t cols);
// The same with one axis, and with none.
TensorType vector_like(const TensorType& x, int64_t n);
TensorType batch_like(const TensorType& x, DType dtype);
int64_t batch_size(const Shape& x);

// i32 indices along an axis of x, in x's graph and of x's shape.
Value index_like(const Value& x, int64_t axis);
// x with a new axis of size 1 at the end, or before the last one.
Value as_column(const Value& x);
Value as_row(const Value& x);
// The leading axes of both broadcast against each other.
void broadcast_batches(std::string_view who, Value& a, Value& b);

// 0 where x has only finite elements, else NaN, one number a matrix:
// [...,m,n] -> [...,1,1]. Added to a result it makes bad input visible.
Value poison(const Value& x);
// 1 / x, and 0 (with derivative 0) where x = 0.
Value safe_inverse(const Value& x);
// (x + x^T) / 2
Value symmetrized(const Value& x);
// The product of the last axis. [...,n] -> [...]
Value product(const Value& x);

}  // namespace kexue::ops::detail
