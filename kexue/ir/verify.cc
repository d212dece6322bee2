#include "kexue/ir/verify.h"

#include <fmt/format.h>

#include "kexue/base/error.h"

namespace kexue::ir {
namespace {

[[noreturn]] void fail(const Node& node, const std::string& why) {
  throw Error(
      Code::kInternal,
      fmt::format("verifier: %{} = {}: {}", node.id, node.op->name, why))
      .with_scope(node.scope);
}

void check_value(const Graph& graph, const Node& user, const Value& v) {
  if (!v) fail(user, "empty input");
  if (&v.graph() != &graph) fail(user, "input of another graph");
  if (v.node()->id >= user.id) fail(user, "input comes later");
  if (v.index() < 0 || v.index() >= static_cast<int>(v.node()->types.size())) {
    fail(user, "input index out of range");
  }
}

}  // namespace

void verify(const Graph& graph) {
  int64_t id = 0;
  for (const auto& node : graph.nodes()) {
    if (node->id != id++) fail(*node, "wrong id");
    if (node->graph != &graph) fail(*node, "wrong owner");
    if (is_input(*node)) continue;
    for (const Value& v : node->inputs) check_value(graph, *node, v);
    for (const auto& r : node->regions) {
      if (r->parent() != nullptr) fail(*node, "region is still open");
      verify(*r);
    }
    const auto types = node->op->infer(
        {node->op->name, node->inputs, node->attrs, node->region_list()});
    if (types != node->types) fail(*node, "types differ from the inferred");
  }
  for (const Value& v : graph.outputs()) {
    if (!v || &v.graph() != &graph) {
      throw Error(Code::kInternal, "verifier: output of another graph");
    }
  }
}

}  // namespace kexue::ir
