// Copying graphs: whole, or node by node into another graph.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "kexue/ir/graph.h"

namespace kexue::ir {

// A deep copy, regions included.
std::unique_ptr<Graph> clone(const Graph& graph);

using ValueMap = std::unordered_map<Value, Value, ValueHash>;

// Adds a copy of `node` (with copies of its regions) on new inputs.
Node& clone_node(const Node& node, Values inputs, Graph& into);

// Adds the nodes of `graph` to `into`, its inputs replaced by `args`; returns
// its outputs there. `map`, if given, receives every old-to-new value.
Values inline_graph(const Graph& graph,
                    const Values& args,
                    Graph& into,
                    ValueMap* map = nullptr);

// A new graph made node by node: `rule` gets each old node and its new inputs
// and returns the values that stand for its outputs. Inputs are kept.
using RewriteRule =
    std::function<Values(const Node&, const Values& inputs, Graph& into)>;
std::unique_ptr<Graph> rewrite(const Graph& graph, const RewriteRule& rule);

}  // namespace kexue::ir
