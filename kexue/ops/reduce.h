// Reductions over axes. Empty `axes` means all. Reduced axes vanish, or stay
// as 1 with keep_dims.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

using Axes = std::vector<int64_t>;

// Numerics: under a 16-bit policy sums run in f32.
Value sum(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// The cotangent of max/min is shared equally between ties.
Value max(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
Value min(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
Value mean(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// mean((x - mean)^2), the biased form.
Value variance(const Arg& x, const Axes& axes = {}, bool keep_dims = false);
// i32 index of the largest element along `axis`; the first of ties.
Value argmax(const Arg& x, int64_t axis);
// log(sum(exp(x))) along `axis`, stable; the axis stays as 1.
Value logsumexp(const Arg& x, int64_t axis);
// sqrt(sum(x^2)) over everything, with gradient 0 at x = 0.
Value norm(const Arg& x);
// bool[]: every element is finite.
Value all_finite(const Values& values);

}  // namespace kexue::ops
