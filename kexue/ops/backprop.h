// Reverse-mode differentiation inside one graph. transforms/grad.h is the
// public face; structured ops (scan) and fused ops need it for their rules.
#pragma once

#include "kexue/ir/graph.h"

namespace kexue::ops {

// Cotangents of `xs` given cotangents `dys` of `ys` (an empty dy counts as
// zero). Adds nodes to the graph of `ys`; an empty result means that no y
// depends on that x. Integer and bool values carry no cotangent. While a loop's
// body is traced, xs may also be values of the surrounding trace.
// Errors: kUnsupported naming the op and the order of the derivative if it
//         has no rule.
Values backpropagate(const Values& ys, const Values& dys, const Values& xs);

// The derivative of a node by way of plain ops that compute the same.
Values vjp_of(Values (*compose)(const Node&, const Values& inputs),
              const VjpContext& c);
// That of a fused op, from its composition. For ops whose own rule covers only
// some cases.
Values vjp_of_composition(const VjpContext& c);

}  // namespace kexue::ops
