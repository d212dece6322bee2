#include "kexue/ir/clone.h"
#include "kexue/ir/location.h"
#include "kexue/ops/scan_vjp.h"

namespace kexue::ops {
namespace {

// Which nodes of the body the outputs in `wanted` need.
std::vector<bool> live_nodes(const Graph& body,
                             const std::vector<bool>& wanted) {
  std::vector<bool> live(body.nodes().size(), false);
  const auto mark = [&](const Value& v) {
    live[static_cast<size_t>(v.node()->id)] = true;
  };
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) mark(body.outputs()[i]);
  }
  for (size_t i = live.size(); i-- > 0;) {
    if (!live[i]) continue;
    for (const Value& v : body.nodes()[i]->inputs) mark(v);
  }
  return live;
}

// What stays of a loop.
struct Kept {
  std::vector<bool> nodes, in, out;
  bool all = true;
};

// A carry stays if it is read at the end, or by a turn for something that
// stays; then it stays on both sides.
Kept what_stays(const Graph& body,
                size_t num_carry,
                const std::vector<bool>& used) {
  Kept k;
  k.out = used;
  const auto reads = [&](size_t i) {
    return k.nodes[static_cast<size_t>(body.inputs()[i].node()->id)];
  };
  for (bool grew = true; grew;) {
    grew = false;
    k.nodes = live_nodes(body, k.out);
    for (size_t i = 0; i < num_carry; ++i) {
      if (!k.out[i] && reads(i)) k.out[i] = grew = true;
    }
  }
  for (size_t i = 0; i < body.inputs().size(); ++i) {
    k.in.push_back(i < num_carry ? k.out[i] : reads(i));
    k.all = k.all && k.in.back();
  }
  for (const bool o : k.out) k.all = k.all && o;
  return k;
}

std::unique_ptr<Graph> pruned_body(const Graph& body, const Kept& k) {
  auto made = std::make_unique<Graph>();
  ir::ValueMap map;
  for (size_t i = 0; i < k.in.size(); ++i) {
    const Value v = body.inputs()[i];
    if (k.in[i]) map[v] = made->input(v.type());
  }
  for (const auto& node : body.nodes()) {
    if (ir::is_input(*node) || !k.nodes[static_cast<size_t>(node->id)]) {
      continue;
    }
    const ir::NodeOrigin origin(*node);
    Values in;
    for (const Value& v : node->inputs) in.push_back(map.at(v));
    Node& copy = ir::clone_node(*node, in, *made);
    for (int i = 0; i < static_cast<int>(node->types.size()); ++i) {
      map[node->out(i)] = copy.out(i);
    }
  }
  Values outs;
  for (size_t i = 0; i < k.out.size(); ++i) {
    if (k.out[i]) outs.push_back(map.at(body.outputs()[i]));
  }
  made->set_outputs(outs);
  return made;
}

}  // namespace

Values prune_scan(const Node& n,
                  const Values& inputs,
                  const std::vector<bool>& used) {
  const auto num_carry = static_cast<size_t>(n.attrs.i("num_carry"));
  const auto num_xs = static_cast<size_t>(n.attrs.i("num_xs"));
  const Graph& body = *n.regions[0];
  const Kept k = what_stays(body, num_carry, used);
  Values in;
  int64_t carry = 0;
  int64_t xs = 0;
  for (size_t i = 0; i < k.in.size(); ++i) {
    if (!k.in[i]) continue;
    in.push_back(inputs[i]);
    if (i < num_carry) ++carry;
    if (i >= num_carry && i < num_carry + num_xs) ++xs;
  }
  if (k.all || in.empty()) return {};
  Attrs attrs = n.attrs;
  attrs.set("num_carry", carry);
  attrs.set("num_xs", xs);
  std::vector<std::unique_ptr<Graph>> regions;
  regions.push_back(pruned_body(body, k));
  Node& made = in[0].graph().add(*n.op, in, attrs, std::move(regions));
  Values result;
  int at = 0;
  for (const bool o : k.out) result.push_back(o ? made.out(at++) : Value{});
  return result;
}

}  // namespace kexue::ops
