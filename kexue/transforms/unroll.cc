#include "kexue/transforms/unroll.h"

#include "kexue/ir/clone.h"
#include "kexue/ir/verify.h"

namespace kexue::transforms {

std::unique_ptr<Graph> unroll(const Graph& graph, int64_t max_length) {
  auto made = ir::rewrite(
      graph, [&](const Node& n, const Values& in, Graph& into) -> Values {
        if (n.op->unroll != nullptr) {
          Values flat = n.op->unroll(n, in, max_length);
          if (!flat.empty()) return flat;
        }
        return ir::clone_node(n, in, into).outs();
      });
#ifdef KEXUE_VERIFY
  ir::verify(*made);
#endif
  return made;
}

}  // namespace kexue::transforms
