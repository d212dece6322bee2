// One function, many examples: a batched program from code for one example.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kexue/ir/value.h"
#include "kexue/transforms/grad.h"

namespace kexue::transforms {

// in_axes: this input is the same for all examples.
constexpr int64_t kShared = -1;

// f for many examples at once. The axis in_axes[i] of input i runs over the
// examples (kShared: the input has none); f sees one example, without that
// axis. Empty in_axes: axis 0 of every input. Results get the examples as
// their first axis. Values of the surrounding trace that f uses are shared.
//
//   batch(dot)({a, b}): a f[B,D], b f[B,D] -> f[B]
//   batch(grad(loss), {kShared, 0})({w, x}): gradients of each example
//
// Numerics: each result is that of its example alone, up to the order of sums;
//           random ops give each example what its key gives it alone.
//           Elementwise ops, shape ops, products, reductions, reading by index
//           and scans run once for all examples; so do branches and while
//           loops whose predicate all examples share. What is left (a
//           predicate of each example's own, an op without a batch rule) runs
//           in a loop over them. Works inside loops, in itself, over and
//           under gradients.
// Errors:   kInvalidArgument if in_axes and inputs differ in number, if no
//           input is batched, if an axis does not exist, or if two inputs
//           disagree about the number of examples.
Map batch(const Map& f, const std::vector<int64_t>& in_axes = {});
Function batch(const Function& f, const std::vector<int64_t>& in_axes = {});

}  // namespace kexue::transforms
