// Reductions made of other reductions; declared in reduce.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/ops/complex.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

using Reduction = Value (*)(const Arg&, const Axes&, bool);

// sqrt(s) with derivative 0 at s = 0, in every order.
Value root(const Value& s) {
  const Value zero = zeros_like(s);
  const Value positive = greater(s, zero);
  return select(positive, sqrt(select(positive, s, ones_like(s))), zero);
}

// max of bool is "any", min is "all".
Value of_bool(const Value& x,
              Reduction f,
              const Axes& axes,
              bool keep_dims,
              std::string_view who) {
  if (x.dtype() != DType::kBool) {
    throw ir::located(
        {Code::kInvalidArgument,
         fmt::format("{}: wants a bool tensor, got {}", who, x.type().str())});
  }
  return f(x, axes, keep_dims);
}

Value arg_extremum(const Value& x,
                   Reduction f,
                   int64_t axis,
                   bool keep_dims,
                   std::string_view who) {
  axis = axis_of(axis, x.rank(), who);
  if (x.dim(axis) == 0) {
    throw ir::located(
        {Code::kInvalidArgument,
         fmt::format("{}: axis {} of {} is empty", who, axis, x.type().str())});
  }
  Value hit = equal(x, f(x, {axis}, true));
  if (is_float(x.dtype())) {
    const Value nan = not_equal(x, x);
    hit = select(any(nan, {axis}, true), nan, hit);
  }
  const Value i = x.graph()
                      .add(kIota,
                           {},
                           {{"dtype", DType::kI32},
                            {"shape", x.shape().dims()},
                            {"axis", axis}})
                      .out();
  return min(select(hit, i, full_like(i, 2147483647.0)), {axis}, keep_dims);
}

}  // namespace

Value any(const Arg& x, const Axes& axes, bool keep_dims) {
  return of_bool(x, max, axes, keep_dims, "any");
}
Value all(const Arg& x, const Axes& axes, bool keep_dims) {
  return of_bool(x, min, axes, keep_dims, "all");
}

Value mean(const Arg& x, const Axes& axes, bool keep_dims) {
  const Value total = sum(convert(x, accumulator(x.dtype())), axes, keep_dims);
  const auto n =
      static_cast<double>(x.shape().size()) /
      static_cast<double>(std::max<int64_t>(1, total.shape().size()));
  return convert(total * (1.0 / n), x.dtype());
}

Value variance(const Arg& x, const Axes& axes, bool keep_dims) {
  const Value w = widen(x);
  const Value d = w - mean(w, axes, true);
  return convert(mean(real(d * conj(d)), axes, keep_dims),
                 real_dtype_of(x.dtype()));
}

Value std_dev(const Arg& x, const Axes& axes, bool keep_dims) {
  return convert(root(variance(widen(x), axes, keep_dims)),
                 real_dtype_of(x.dtype()));
}

Value argmax(const Arg& x, int64_t axis, bool keep_dims) {
  return arg_extremum(x, max, axis, keep_dims, "argmax");
}
Value argmin(const Arg& x, int64_t axis, bool keep_dims) {
  return arg_extremum(x, min, axis, keep_dims, "argmin");
}

Value logsumexp(const Arg& x, const Axes& axes, bool keep_dims) {
  const Value w = widen(x);
  const Value top = stop_gradient(max(w, axes, true));
  const Value shift = select(is_finite(top), top, zeros_like(top));
  const Value s = sum(exp(w - shift), axes, true);
  const Value none = equal(s, zeros_like(s));
  const Value finite = log(select(none, ones_like(s), s)) + shift;
  const Value y = select(none, full_like(s, -INFINITY), finite);
  // Every dimension of the axes is 1 now: a sum only drops them.
  return convert(keep_dims ? y : sum(y, axes), x.dtype());
}

Value norm(const Arg& x, const Axes& axes, bool keep_dims) {
  const Value w = widen(x);
  return convert(root(sum(real(w * conj(w)), axes, keep_dims)),
                 real_dtype_of(x.dtype()));
}

Value all_finite(const Values& values) {
  Value all;
  for (const Value& v : values) {
    // 0 * x is 0 for finite x and NaN otherwise; NaN survives the sum.
    const Value s = sum(v * 0.0);
    const Value one = is_finite(is_complex(s.dtype()) ? real(s) + imag(s) : s);
    all = all ? bit_and(all, one) : one;
  }
  return all;
}

}  // namespace kexue::ops
