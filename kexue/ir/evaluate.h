// The host evaluator: the reference that compiled programs are tested against.
#pragma once

#include <span>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/graph.h"

namespace kexue::ir {

// Runs the graph node by node with each op's `eval` (fused ops: with their
// composition). Float ops compute in double and round each result once to its
// type; this is exact about rounding and slow about everything else.
// Errors: kInvalidArgument if arguments do not match the inputs.
std::vector<HostArray> evaluate(const Graph& graph,
                                std::span<const HostArray> args);

}  // namespace kexue::ir
