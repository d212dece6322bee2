// Reductions over axes. Empty `axes` means all. Reduced axes vanish, or stay
// as 1 with keep_dims.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

using Axes = std::vector<int64_t>;

// Numerics: 16-bit sums and products run in f32 and are rounded once.
Value sum(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// Derivatives of every order are exact where factors are 0.
Value prod(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// The cotangent of max/min is shared equally between ties.
Value max(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
Value min(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// Of bool: one is true, none is false. kInvalidArgument for other dtypes.
Value any(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
Value all(const Arg& x, const Axes& axes = {}, bool keep_dims = false);

Value mean(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// mean(|x - mean|^2), the biased form; real for complex x.
Value variance(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// Its root, with derivative 0 where it is 0.
Value std_dev(const Arg& x, const Axes& axes = {}, bool keep_dims = false);

// i32 index of the largest or smallest element along `axis`; the first of
// ties, or the first NaN if there is one.
// Errors: kInvalidArgument if the axis is empty.
Value argmax(const Arg& x, int64_t axis, bool keep_dims = false);
Value argmin(const Arg& x, int64_t axis, bool keep_dims = false);

// log(sum(exp(x))), stable. Of nothing but -infinity it is -infinity, with
// derivative 0.
Value logsumexp(const Arg& x, const Axes& axes = {}, bool keep_dims = false);

// sqrt(sum |x|^2), real, with derivative 0 at 0.
Value norm(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// bool[]: every element is finite.
Value all_finite(const Values& values);

}  // namespace kexue::ops
