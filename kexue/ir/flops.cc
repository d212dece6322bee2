#include "kexue/ir/flops.h"

namespace kexue::ir {

double flops(const Node& node) {
  if (node.op->flops != nullptr) return node.op->flops(node);
  double total = 0;
  for (const auto& region : node.regions) total += flops(*region);
  return total;
}

double flops(const Graph& graph) {
  double total = 0;
  for (const auto& node : graph.nodes()) total += flops(*node);
  return total;
}

}  // namespace kexue::ir
