#include "kexue/ir/evaluate.h"

#include <fmt/format.h>

#include <unordered_map>

#include "kexue/base/error.h"

namespace kexue::ir {
namespace {

std::vector<HostArray> run_node(const Node& node,
                                std::span<const HostArray> inputs) {
  if (node.op->eval != nullptr) return node.op->eval({node, inputs});
  if (node.op->compose == nullptr) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: no host evaluation", node.op->name));
  }
  Graph plain;
  const Tracing tracing(plain);
  Values args;
  for (const auto& x : inputs) args.push_back(plain.input(x.type()));
  plain.set_outputs(node.op->compose(node, args));
  return evaluate(plain, inputs);
}

}  // namespace

std::vector<HostArray> evaluate(const Graph& graph,
                                std::span<const HostArray> args) {
  if (args.size() != graph.inputs().size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("graph has {} inputs, got {} arguments",
                            graph.inputs().size(),
                            args.size()));
  }
  std::unordered_map<Value, HostArray, ValueHash> values;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i].type() != graph.inputs()[i].type()) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("input {} is {}, got {}",
                              i,
                              graph.inputs()[i].type().str(),
                              args[i].type().str()));
    }
    values[graph.inputs()[i]] = args[i];
  }
  for (const auto& node : graph.nodes()) {
    if (is_input(*node)) continue;
    std::vector<HostArray> x;
    for (const Value& v : node->inputs) x.push_back(values.at(v));
    auto y = run_node(*node, x);
    for (size_t i = 0; i < y.size(); ++i) {
      if (y[i].type() != node->types[i]) {
        throw Error(Code::kInternal,
                    fmt::format("{}: evaluated to {}, inferred {}",
                                node->op->name,
                                y[i].type().str(),
                                node->types[i].str()));
      }
      values[Value(node.get(), static_cast<int>(i))] = std::move(y[i]);
    }
  }
  std::vector<HostArray> out;
  for (const Value& v : graph.outputs()) out.push_back(values.at(v));
  return out;
}

}  // namespace kexue::ir
