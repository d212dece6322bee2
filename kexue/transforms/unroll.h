// Short loops as straight-line code.
#pragma once

#include <cstdint>
#include <memory>

#include "kexue/ir/graph.h"

namespace kexue::transforms {

// Unrolls every op with an `unroll` rule whose trip count is at most
// `max_length`. Values that only travel between unrolled loops are never
// stacked. The graph grows with depth, so keep this for shallow models.
std::unique_ptr<Graph> unroll(const Graph& graph, int64_t max_length);

}  // namespace kexue::transforms
