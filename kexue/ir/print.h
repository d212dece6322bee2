// Graphs as text, for people and golden tests.
#pragma once

#include <string>

#include "kexue/ir/graph.h"

namespace kexue::ir {

// One line a node: `%3 = add(%1, %2) : f32[8]  # scope`. Regions are indented.
// Equal graphs print equally.
std::string print(const Graph& graph);

}  // namespace kexue::ir
