// The derivative rule of scan, its pruning and its unrolling. Private to
// kexue/ops.
#pragma once

#include <vector>

#include "kexue/ir/graph.h"

namespace kexue::ops {

// How a scan's operands divide: carry..., xs..., then captured constants.
struct ScanSplit {
  size_t carry;
  size_t xs;
  int64_t length;
};

// A scan in the other direction. The values that it needs from the forward
// loop (residuals) become further stacked outputs of the forward node, which
// is extended in place: forward work is never repeated.
Values scan_vjp(const VjpContext& c);

// The loop without what nobody reads: stacked outputs, carries that only feed
// themselves, inputs that only these used.
Values prune_scan(const Node& n,
                  const Values& inputs,
                  const std::vector<bool>& used);

// The loop as straight-line code; empty if it has more than max_length turns.
// Slices of stacks that another unrolled loop made are taken directly, so a
// stack between two unrolled loops is never built.
Values unroll_scan(const Node& n, const Values& inputs, int64_t max_length);

}  // namespace kexue::ops
