#include "kexue/ir/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kexue::ir {
namespace {

std::string value_name(const Value& v) {
  if (v.node()->types.size() == 1) return fmt::format("%{}", v.node()->id);
  return fmt::format("%{}.{}", v.node()->id, v.index());
}

std::string names(const Values& values) {
  std::vector<std::string> parts;
  for (const Value& v : values) parts.push_back(value_name(v));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string types(const std::vector<TensorType>& list) {
  std::vector<std::string> parts;
  for (const auto& t : list) parts.push_back(t.str());
  return fmt::format("{}", fmt::join(parts, ", "));
}

void print_into(const Graph& graph, const std::string& pad, std::string& out) {
  out += pad + "graph(";
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Value& v = graph.inputs()[i];
    out += fmt::format(
        "{}{}: {}", i == 0 ? "" : ", ", value_name(v), v.type().str());
  }
  out += ") {\n";
  for (const auto& node : graph.nodes()) {
    if (is_input(*node)) continue;
    const std::string attrs = node->attrs.str();
    out += fmt::format("{}  %{} = {}({}){} : {}{}\n",
                       pad,
                       node->id,
                       node->op->name,
                       names(node->inputs),
                       attrs.empty() ? "" : " {" + attrs + "}",
                       types(node->types),
                       node->scope.empty() ? "" : "  # " + node->scope);
    for (const auto& r : node->regions) print_into(*r, pad + "    ", out);
  }
  out += fmt::format("{}  return {}\n{}}}\n", pad, names(graph.outputs()), pad);
}

}  // namespace

std::string print(const Graph& graph) {
  std::string out;
  print_into(graph, "", out);
  return out;
}

}  // namespace kexue::ir
