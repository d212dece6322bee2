// Loops inside the program.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "kexue/ir/value.h"

namespace kexue::ops {

struct ScanOptions {
  int64_t length = -1;   // steps; taken from xs if there are any
  bool reverse = false;  // last slice first
  // Keep only the loop's own inputs for the backward pass and compute the
  // rest again: memory grows by one carry a step instead of all activations.
  bool remat = false;
};

struct ScanResult {
  Values carry;  // after the last step
  Values ys;     // stacked: [length, ...]
};

// body(carry, x) -> {carry', y} is called once, to trace it.
using ScanBody = std::function<std::pair<Values, Values>(const Values& carry,
                                                         const Values& x)>;

// for t in 0..length-1: carry, ys[t] = body(carry, xs[t]).
//
// Shapes:   xs[i] f[length,...] is seen as [...]; carry' has carry's types.
// Numerics: gradients of any order run as scans in the other direction.
//           Values of the surrounding trace may be used inside the body.
// Errors:   kInvalidArgument if xs differ in length, or carry' in type.
ScanResult scan(const ScanBody& body,
                const Values& carry,
                const Values& xs,
                const ScanOptions& options = {});

}  // namespace kexue::ops
