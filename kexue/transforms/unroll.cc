#include "kexue/transforms/unroll.h"

#include "kexue/ir/clone.h"
#include "kexue/ir/verify.h"

namespace kexue::transforms {

std::unique_ptr<Graph> unroll(const Graph& graph, int64_t max_length) {
  bool changed = false;
  auto made = ir::rewrite(
      graph, [&](const Node& n, const Values& in, Graph& into) -> Values {
        if (n.op->unroll != nullptr) {
          Values flat = n.op->unroll(n, in, max_length);
          if (!flat.empty()) {
            changed = true;
            return flat;
          }
        }
        std::vector<std::unique_ptr<Graph>> regions;
        for (const auto& r : n.regions) {
          regions.push_back(unroll(*r, max_length));
        }
        return into.add(*n.op, in, n.attrs, std::move(regions)).outs();
      });
  // An unrolled body may hold loops of its own.
  if (changed) made = unroll(*made, max_length);
#ifdef KEXUE_VERIFY
  ir::verify(*made);
#endif
  return made;
}

}  // namespace kexue::transforms
