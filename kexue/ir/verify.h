// The legal form of a graph.
#pragma once

#include "kexue/ir/graph.h"

namespace kexue::ir {

// Checks: nodes in topological order, inputs of the same graph, types equal to
// what the op infers, regions closed and legal, outputs present.
// Errors: kInternal naming the node: a transform broke the graph.
void verify(const Graph& graph);

}  // namespace kexue::ir
