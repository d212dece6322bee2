// Running combinations in logarithmic depth.
#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/control.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

// Elements first, first + 2, ... of an axis, `count` of them.
Value every_other(const Value& x, int64_t axis, int64_t first, int64_t count) {
  if (count == 0) return slice_axis(x, axis, 0, 0);
  const bool whole = first + 2 * count <= x.dim(axis);
  const int64_t pairs = whole ? count : count - 1;
  // The last one may lack its neighbour: then it is joined on.
  auto dims = x.shape().dims();
  const auto at = static_cast<size_t>(axis);
  dims[at] = pairs;
  dims.insert(dims.begin() + axis + 1, 2);
  const Value part = slice_axis(x, axis, first, first + 2 * pairs);
  const Value half = slice_axis(reshape(part, dims), axis + 1, 0, 1);
  dims.erase(dims.begin() + axis + 1);
  const Value picked = reshape(half, dims);
  if (whole) return picked;
  const int64_t n = x.dim(axis);
  return concatenate({picked, slice_axis(x, axis, n - 1, n)}, axis);
}

// a0 b0 a1 b1 ...; a may be one longer.
Value interleave(const Value& a, const Value& b, int64_t axis) {
  const int64_t n = b.dim(axis);
  auto dims = b.shape().dims();
  dims.insert(dims.begin() + axis + 1, 1);
  const Value head = slice_axis(a, axis, 0, n);
  const Value both =
      concatenate({reshape(head, dims), reshape(b, dims)}, axis + 1);
  auto flat = b.shape().dims();
  flat[static_cast<size_t>(axis)] = 2 * n;
  const Value mixed = reshape(both, flat);
  if (a.dim(axis) == n) return mixed;
  return concatenate({mixed, slice_axis(a, axis, n, n + 1)}, axis);
}

using Each = std::function<Value(const Value&)>;
Values each(const Values& xs, const Each& f) {
  Values out;
  for (const Value& x : xs) out.push_back(f(x));
  return out;
}

// Combines neighbours, recurses on half the length, fills in the rest.
Values run(const CombineFunction& combine, const Values& xs, int64_t axis) {
  const int64_t n = xs[0].dim(axis);
  if (n < 2) return xs;
  const auto strided = [&](const Values& v, int64_t first, int64_t count) {
    return each(
        v, [&](const Value& x) { return every_other(x, axis, first, count); });
  };
  const int64_t half = n / 2;
  const Values odd = run(combine,
                         combine(strided(xs, 0, half), strided(xs, 1, half)),
                         axis);  // results 1, 3, 5, ...
  const int64_t later = n - half - 1;
  Values even =
      each(xs, [&](const Value& x) { return slice_axis(x, axis, 0, 1); });
  if (later > 0) {
    const Values before = each(
        odd, [&](const Value& x) { return slice_axis(x, axis, 0, later); });
    const Values rest = combine(before, strided(xs, 2, later));
    for (size_t i = 0; i < even.size(); ++i) {
      even[i] = concatenate({even[i], rest[i]}, axis);
    }
  }
  Values out;
  for (size_t i = 0; i < xs.size(); ++i) {
    out.push_back(interleave(even[i], odd[i], axis));
  }
  return out;
}

void check(const Values& xs, int64_t axis) {
  if (xs.empty()) {
    throw Error(Code::kInvalidArgument,
                "associative_scan: wants at least one input")
        .with_scope(Scope::path());
  }
  for (const Value& x : xs) {
    if (axis >= 0 && axis < x.rank() && axis < xs[0].rank() &&
        x.dim(axis) == xs[0].dim(axis)) {
      continue;
    }
    throw Error(Code::kInvalidArgument,
                fmt::format("associative_scan: axis {} of {} and {} must be "
                            "there and equally long",
                            axis,
                            xs[0].type().str(),
                            x.type().str()))
        .with_scope(Scope::path());
  }
}

}  // namespace

Values associative_scan(const CombineFunction& combine,
                        const Values& xs,
                        int64_t axis,
                        bool reversed) {
  check(xs, axis);
  const auto checked = [&](const Values& a, const Values& b) {
    Values out = combine(a, b);
    bool same = out.size() == a.size();
    for (size_t i = 0; same && i < a.size(); ++i) {
      same = out[i].type() == a[i].type();
    }
    if (!same) {
      throw Error(Code::kInvalidArgument,
                  "associative_scan: combine must return values of the types "
                  "of its first argument")
          .with_scope(Scope::path());
    }
    return out;
  };
  if (!reversed) return run(checked, xs, axis);
  const auto turn = [&](const Value& x) { return reverse(x, {axis}); };
  return each(run(checked, each(xs, turn), axis), turn);
}

}  // namespace kexue::ops
