// Clean-up that never changes a result.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kexue/ir/graph.h"

namespace kexue::transforms {

// Removes nodes that no output needs (and unread outputs of loops), merges
// equal nodes, drops identities (reshape to the same shape, convert to the
// same dtype); in regions too.
std::unique_ptr<Graph> simplify(const Graph& graph);

// Replaces each fused op whose kernel is not in `kernels` by its composition.
std::unique_ptr<Graph> expand_fused(const Graph& graph,
                                    const std::vector<std::string>& kernels);

}  // namespace kexue::transforms
