#include "kexue/ir/flops.h"

namespace kexue::ir {

double flops(const Graph& graph) {
  double total = 0;
  for (const auto& node : graph.nodes()) {
    if (node->op->flops != nullptr) {
      total += node->op->flops(*node);
      continue;
    }
    for (const auto& region : node->regions) total += flops(*region);
  }
  return total;
}

}  // namespace kexue::ir
