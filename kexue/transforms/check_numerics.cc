#include "kexue/transforms/check_numerics.h"

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/ir/clone.h"
#include "kexue/ir/location.h"
#include "kexue/ir/verify.h"
#include "kexue/ops/ops.h"

namespace kexue::transforms {
namespace {

constexpr double kNone = -1;

bool is_checked(const Value& v) {
  return is_float(v.dtype()) && v.shape().size() > 0;
}

// state, or `index` if it is still empty and one of ys is not finite.
Value note(const Value& state, const Values& ys, int64_t index) {
  Value sound;
  for (const Value& y : ys) {
    const Value bad = ops::bit_not(ops::is_finite(y));
    const Value count = ops::sum(ops::convert(bad, DType::kF32));
    const Value none = ops::equal(count, ops::zeros_like(count));
    sound = sound ? ops::bit_and(sound, none) : none;
  }
  const Value empty = ops::equal(state, ops::full_like(state, kNone));
  const Value here = ops::full_like(state, static_cast<double>(index));
  return ops::select(ops::bit_and(empty, ops::bit_not(sound)), here, state);
}

class Checker final {
 public:
  CheckedGraph run(const Graph& graph) {
    auto made = std::make_unique<Graph>();
    const ir::Tracing tracing(*made);
    Values args;
    for (const Value& v : graph.inputs()) {
      const Attrs& a = v.node()->attrs;
      args.push_back(made->input(v.type(), a.has("name") ? a.s("name") : ""));
    }
    Value state = ops::full({DType::kI32, {}}, kNone);
    Values outs = walk(graph, args, *made, state);
    outs.push_back(state);
    made->set_outputs(outs);
#ifdef KEXUE_VERIFY
    ir::verify(*made);
#endif
    return {std::move(made), std::move(ops_)};
  }

 private:
  // A region with the state as its last input and output.
  std::unique_ptr<Graph> region(const Graph& graph) {
    auto made = std::make_unique<Graph>();
    const ir::Tracing tracing(*made);
    Values args;
    for (const Value& v : graph.inputs()) args.push_back(made->input(v.type()));
    Value state = made->input({DType::kI32, {}}, "first");
    Values outs = walk(graph, args, *made, state);
    outs.push_back(state);
    made->set_outputs(outs);
    return made;
  }

  Values walk(const Graph& graph,
              const Values& args,
              Graph& into,
              Value& state) {
    ir::ValueMap map;
    std::vector<bool> fixed(graph.nodes().size(), false);
    for (size_t i = 0; i < args.size(); ++i) map[graph.inputs()[i]] = args[i];
    for (const auto& node : graph.nodes()) {
      if (ir::is_input(*node)) continue;
      Values in;
      bool constant = true;
      for (const Value& v : node->inputs) {
        in.push_back(map.at(v));
        constant = constant && fixed[static_cast<size_t>(v.node()->id)];
      }
      fixed[static_cast<size_t>(node->id)] = constant && node->regions.empty();
      const ir::NodeOrigin origin(*node);
      const Values made = copy(*node, in, into, state);
      for (size_t i = 0; i < node->types.size(); ++i) {
        map[Value(node.get(), static_cast<int>(i))] = made[i];
      }
      if (!fixed[static_cast<size_t>(node->id)]) {
        const Values ys = watched(*node, made);
        if (!ys.empty()) state = note(state, ys, add(*node));
      }
    }
    Values outs;
    for (const Value& v : graph.outputs()) outs.push_back(map.at(v));
    return outs;
  }

  // What is inside of an op with regions has been watched already.
  static Values watched(const Node& node, const Values& made) {
    Values floats;
    for (const Value& y : made) {
      if (is_checked(y) && node.op->thread == nullptr) floats.push_back(y);
    }
    return floats;
  }

  Values copy(const Node& node, const Values& in, Graph& into, Value& state) {
    if (node.op->thread == nullptr) {
      return ir::clone_node(node, in, into).outs();
    }
    std::vector<std::unique_ptr<Graph>> regions;
    for (const auto& r : node.regions) regions.push_back(region(*r));
    Values made = node.op->thread(node, in, state, std::move(regions));
    state = made.back();
    made.pop_back();
    return made;
  }

  int64_t add(const Node& node) {
    ops_.push_back({std::string(node.op->name),
                    node.scope,
                    ir::to_string(node.where),
                    node.order});
    return static_cast<int64_t>(ops_.size()) - 1;
  }

  std::vector<CheckedOp> ops_;
};

}  // namespace

std::string CheckedOp::str() const {
  std::string s = op;
  if (!scope.empty()) s += " in " + scope;
  if (!line.empty()) s += " at " + line;
  if (order == 0) return s + " (forward)";
  return s + (order == 1 ? " (backward)"
                         : " (backward, order " + std::to_string(order) + ")");
}

CheckedGraph check_numerics(const Graph& graph) {
  return Checker().run(graph);
}

}  // namespace kexue::transforms
