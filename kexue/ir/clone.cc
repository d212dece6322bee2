#include "kexue/ir/clone.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ir/location.h"

namespace kexue::ir {
namespace {

std::string input_name(const Node& node) {
  return node.attrs.has("name") ? node.attrs.s("name") : "";
}

Values lookup(const ValueMap& map, const Values& values) {
  Values out;
  out.reserve(values.size());
  for (const Value& v : values) {
    const auto found = map.find(v);
    if (found == map.end()) {
      throw Error(Code::kInternal, "graph is not in topological order");
    }
    out.push_back(found->second);
  }
  return out;
}

// As lookup, but empty where a rule dropped the node: only nodes that the rule
// drops too may read such a value.
Values lookup_or_empty(const ValueMap& map, const Values& values) {
  Values out;
  out.reserve(values.size());
  for (const Value& v : values) {
    const auto found = map.find(v);
    out.push_back(found == map.end() ? Value{} : found->second);
  }
  return out;
}

// Walks all nodes but the inputs, which `map` already holds.
void walk(const Graph& graph,
          Graph& into,
          const RewriteRule& rule,
          ValueMap& map) {
  for (const auto& node : graph.nodes()) {
    if (is_input(*node)) continue;
    const NodeOrigin origin(*node);
    const Values made = rule(*node, lookup_or_empty(map, node->inputs), into);
    for (size_t i = 0; i < made.size(); ++i) {
      if (made[i]) map[Value(node.get(), static_cast<int>(i))] = made[i];
    }
  }
}

Values copy_node(const Node& node, const Values& inputs, Graph& into) {
  return clone_node(node, inputs, into).outs();
}

}  // namespace

Node& clone_node(const Node& node, Values inputs, Graph& into) {
  std::vector<std::unique_ptr<Graph>> regions;
  for (const auto& r : node.regions) regions.push_back(clone(*r));
  return into.add(*node.op, std::move(inputs), node.attrs, std::move(regions));
}

std::unique_ptr<Graph> clone(const Graph& graph) {
  return rewrite(graph, copy_node);
}

Values inline_graph(const Graph& graph,
                    const Values& args,
                    Graph& into,
                    ValueMap* map) {
  if (args.size() != graph.inputs().size()) {
    throw Error(Code::kInternal,
                fmt::format("graph has {} inputs, got {} arguments",
                            graph.inputs().size(),
                            args.size()));
  }
  ValueMap local;
  ValueMap& m = map != nullptr ? *map : local;
  for (size_t i = 0; i < args.size(); ++i) m[graph.inputs()[i]] = args[i];
  walk(graph, into, copy_node, m);
  return lookup(m, graph.outputs());
}

std::unique_ptr<Graph> rewrite(const Graph& graph, const RewriteRule& rule) {
  auto made = std::make_unique<Graph>();
  const Tracing tracing(*made);
  ValueMap map;
  for (const Value& v : graph.inputs()) {
    map[v] = made->input(v.type(), input_name(*v.node()));
  }
  walk(graph, *made, rule, map);
  made->set_outputs(lookup(map, graph.outputs()));
  return made;
}

}  // namespace kexue::ir
