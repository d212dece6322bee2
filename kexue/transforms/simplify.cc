#include "kexue/transforms/simplify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "kexue/ir/clone.h"
#include "kexue/ir/print.h"
#include "kexue/ir/verify.h"

namespace kexue::transforms {
namespace {

using ir::Values;

void checked([[maybe_unused]] const Graph& graph) {
#ifdef KEXUE_VERIFY
  ir::verify(graph);
#endif
}

// used[node id][output]
std::vector<std::vector<bool>> liveness(const Graph& g) {
  std::vector<std::vector<bool>> used;
  for (const auto& n : g.nodes()) used.emplace_back(n->types.size(), false);
  const auto mark = [&](const Value& v) {
    used[static_cast<size_t>(v.node()->id)][static_cast<size_t>(v.index())] =
        true;
  };
  for (const Value& v : g.outputs()) mark(v);
  for (size_t i = g.nodes().size(); i-- > 0;) {
    const auto& u = used[i];
    if (std::find(u.begin(), u.end(), true) == u.end()) continue;
    for (const Value& v : g.nodes()[i]->inputs) mark(v);
  }
  return used;
}

// Equal keys mean equal results: op, inputs, attributes, regions.
std::string key_of(const Node& n, const Values& inputs) {
  std::string key =
      fmt::format("{}|{}|", static_cast<const void*>(n.op), n.attrs.str());
  for (const Value& v : inputs) {
    key += fmt::format("{}.{},", v.node()->id, v.index());
  }
  for (const auto& r : n.regions) key += ir::print(*r);
  return key;
}

std::unique_ptr<Graph> simplify_once(const Graph& graph, bool& again) {
  const auto used = liveness(graph);
  std::unordered_map<std::string, Values> seen;
  return ir::rewrite(
      graph, [&](const Node& n, const Values& in, Graph& into) -> Values {
        const auto& u = used[static_cast<size_t>(n.id)];
        if (std::find(u.begin(), u.end(), true) == u.end()) return {};
        const bool all = std::find(u.begin(), u.end(), false) == u.end();
        if (!all && n.op->prune != nullptr) {
          Values pruned = n.op->prune(n, in, u);
          if (!pruned.empty()) {
            again = true;  // its body has dead nodes now
            return pruned;
          }
        }
        const bool same = in.size() == 1 && n.types.size() == 1 &&
                          n.op->is_identity && n.types[0] == in[0].type();
        if (same) return {in[0]};
        const std::string key = key_of(n, in);
        const auto found = seen.find(key);
        if (found != seen.end()) return found->second;
        std::vector<std::unique_ptr<Graph>> regions;
        for (const auto& r : n.regions) regions.push_back(simplify(*r));
        const Values out =
            into.add(*n.op, in, n.attrs, std::move(regions)).outs();
        seen.emplace(key, out);
        return out;
      });
}

}  // namespace

std::unique_ptr<Graph> simplify(const Graph& graph) {
  // Merging and pruning can leave more dead nodes: repeat until it is stable.
  std::unique_ptr<Graph> made;
  const Graph* last = &graph;
  for (bool again = true; again;) {
    again = false;
    auto next = simplify_once(*last, again);
    again = again || next->nodes().size() < last->nodes().size();
    made = std::move(next);
    last = made.get();
  }
  checked(*made);
  return made;
}

std::unique_ptr<Graph> expand_fused(const Graph& graph,
                                    const std::vector<std::string>& kernels) {
  auto made = ir::rewrite(
      graph, [&](const Node& n, const Values& in, Graph& into) -> Values {
        if (n.op->compose != nullptr) {
          const auto target = n.op->kernel != nullptr ? n.op->kernel(n) : "";
          if (target.empty() ||
              std::find(kernels.begin(), kernels.end(), target) ==
                  kernels.end()) {
            return n.op->compose(n, in);
          }
        }
        std::vector<std::unique_ptr<Graph>> regions;
        for (const auto& r : n.regions) {
          regions.push_back(expand_fused(*r, kernels));
        }
        return into.add(*n.op, in, n.attrs, std::move(regions)).outs();
      });
  // A composition may itself use fused ops.
  const bool again = std::any_of(
      made->nodes().begin(), made->nodes().end(), [&](const auto& n) {
        if (n->op->compose == nullptr) return false;
        const auto target = n->op->kernel != nullptr ? n->op->kernel(*n) : "";
        return std::find(kernels.begin(), kernels.end(), target) ==
               kernels.end();
      });
  checked(*made);
  return again ? expand_fused(*made, kernels) : std::move(made);
}

}  // namespace kexue::transforms
