// How much arithmetic a graph asks for.
#pragma once

#include "kexue/ir/graph.h"

namespace kexue::ir {

// Multiplications and additions of products, by the ops' own rules; a loop
// counts as often as it turns. Elementwise work is left out, as is usual.
double flops(const Node& node);
double flops(const Graph& graph);

}  // namespace kexue::ir
