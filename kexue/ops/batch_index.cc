// Batch rules of reading and writing by index. Where the indices differ from
// example to example, all examples are laid out as one table, so that one
// gather or scatter does for all.
#include <limits>

#include "kexue/ops/batch_rules.h"
#include "kexue/ops/batching.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/index.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops::detail {
namespace {

using Dims = std::vector<int64_t>;

// The first axis of x moved to place `to`, and back.
Value move_first(const Value& x, int64_t to) {
  Dims perm;
  for (int64_t a = 1; a <= to; ++a) perm.push_back(a);
  perm.push_back(0);
  for (int64_t a = to + 1; a < x.rank(); ++a) perm.push_back(a);
  return to == 0 ? x : transpose(x, perm);
}
Value move_to_first(const Value& x, int64_t from) {
  Dims perm = {from};
  for (int64_t a = 0; a < x.rank(); ++a) {
    if (a != from) perm.push_back(a);
  }
  return from == 0 ? x : transpose(x, perm);
}

bool fits_i32(int64_t a, int64_t b) {
  return a == 0 || b <= std::numeric_limits<int32_t>::max() / a;
}

// [n,V,...] as one table [n V,...]
Value one_table(const Value& x) {
  Dims dims(x.shape().begin() + 1, x.shape().end());
  dims[0] *= x.dim(0);
  return reshape(x, dims);
}

// i32 of x's shape: rows * (number of the example).
Value first_row(const Shape& shape, int64_t rows) {
  return iota({DType::kI32, shape}, 0) * static_cast<double>(rows);
}

Value clamp(const Value& x, int64_t low, int64_t high) {
  return minimum(maximum(x, scalar_like(x, static_cast<double>(low))),
                 scalar_like(x, static_cast<double>(high)));
}

// x in [0, limit)
Value inside(const Value& x, int64_t limit) {
  return bit_and(greater_equal(x, scalar_like(x, 0)),
                 less(x, scalar_like(x, static_cast<double>(limit))));
}

Value stacked(const BatchContext& c, size_t i) {
  return c.batched[i] ? c.x[i] : repeat(c.x[i], c.size);
}

// Start k of a block for each example, spread over `shape` [n,...].
Value spread_start(const BatchContext& c,
                   size_t input,
                   int64_t last,
                   const Shape& shape) {
  const Value start = clamp(c.x[input], 0, last);
  return broadcast_in_dim(start, shape, c.batched[input] ? Dims{0} : Dims{});
}

bool any_batched(const BatchContext& c, size_t first) {
  for (size_t i = first; i < c.x.size(); ++i) {
    if (c.batched[i]) return true;
  }
  return false;
}

// The scalar starts of a block, 0 for the axis of the examples.
Values starts_after_zero(const BatchContext& c, size_t first) {
  Values out = {scalar_like(c.x[first], 0)};
  out.insert(out.end(), c.x.begin() + static_cast<long>(first), c.x.end());
  return out;
}

// Reads element `at` [n,...] of each example's flat tensor.
Value read_flat(const Value& x, bool batched, const Value& at) {
  if (!batched) return take(reshape(x, {-1}), at);
  const int64_t size = x.dim(0) == 0 ? 0 : x.shape().size() / x.dim(0);
  return take(reshape(x, {-1}), at + first_row(at.shape(), size));
}

}  // namespace

Values batch_dynamic_slice(const BatchContext& c) {
  const Dims& sizes = c.node.attrs.ints("sizes");
  if (!any_batched(c, 1)) {
    return {dynamic_slice(
        c.x[0], starts_after_zero(c, 1), with_lead(c.size, sizes))};
  }
  const Shape& x = c.node.inputs[0].shape();
  if (!fits_i32(c.size, x.size())) return batch_by_loop(c);
  const Shape out(with_lead(c.size, sizes));
  const Dims strides = x.strides();
  Value at;
  for (size_t k = 0; k < sizes.size(); ++k) {
    const auto axis = static_cast<int64_t>(k);
    const Value start = spread_start(c, 1 + k, x.dims()[k] - sizes[k], out);
    const Value part = (start + iota({DType::kI32, out}, axis + 1)) *
                       static_cast<double>(strides[k]);
    at = at ? at + part : part;
  }
  return {read_flat(c.x[0], c.batched[0], at)};
}

Values batch_dynamic_update_slice(const BatchContext& c) {
  const Value x = stacked(c, 0);
  if (!any_batched(c, 2)) {
    if (c.x.size() == 2) return {stacked(c, 1)};  // scalars
    return {dynamic_update_slice(x, stacked(c, 1), starts_after_zero(c, 2))};
  }
  const Shape& u = c.node.inputs[1].shape();
  if (u.size() == 0) return {x};
  if (!fits_i32(c.size, u.size())) return batch_by_loop(c);
  const Dims strides = u.strides();
  Value at;
  Value hit;
  for (size_t k = 0; k < strides.size(); ++k) {
    const auto axis = static_cast<int64_t>(k);
    const int64_t room = x.dim(axis + 1) - u.dims()[k];
    const Value into = iota({DType::kI32, x.shape()}, axis + 1) -
                       spread_start(c, 2 + k, room, x.shape());
    const Value part =
        clamp(into, 0, u.dims()[k] - 1) * static_cast<double>(strides[k]);
    at = at ? at + part : part;
    hit = hit ? bit_and(hit, inside(into, u.dims()[k]))
              : inside(into, u.dims()[k]);
  }
  return {select(hit, read_flat(c.x[1], c.batched[1], at), x)};
}

Values batch_take(const BatchContext& c) {
  const Value& table = c.x[0];
  const Value& ids = c.x[1];
  if (!c.batched[0]) return {take(table, ids)};
  if (!c.batched[1]) {  // the same rows of every example
    return {move_to_first(take(move_first(table, 1), ids), ids.rank())};
  }
  const int64_t rows = table.dim(1);
  if (!fits_i32(c.size, rows)) return batch_by_loop(c);
  const Value at = clamp(ids, 0, rows - 1) + first_row(ids.shape(), rows);
  return {take(one_table(table), at)};
}

Values batch_scatter_add(const BatchContext& c) {
  const Value x = stacked(c, 0);
  const Value updates = stacked(c, 2);
  const Value& ids = c.x[1];
  if (!c.batched[1]) {
    return {move_to_first(
        scatter_add(move_first(x, 1), ids, move_first(updates, ids.rank())),
        1)};
  }
  const int64_t rows = x.dim(1);
  if (!fits_i32(c.size, rows)) return batch_by_loop(c);
  // Outside stays outside: -1 is dropped as well.
  const Value at = select(inside(ids, rows),
                          ids + first_row(ids.shape(), rows),
                          full_like(ids, -1));
  return {reshape(scatter_add(one_table(x), at, updates), x.shape().dims())};
}

}  // namespace kexue::ops::detail
