#include "kexue/ops/backprop.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "kexue/base/error.h"
#include "kexue/ir/clone.h"
#include "kexue/ir/location.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

using Cotangents = std::unordered_map<Value, Value, ir::ValueHash>;

bool carries_gradient(const Value& v) {
  return is_inexact(v.dtype());
}

void accumulate(Cotangents& ct, const Value& v, const Value& d) {
  if (!d || !carries_gradient(v)) return;
  if (d.type() != v.type()) {
    throw Error(Code::kInternal,
                fmt::format("{}: a cotangent is {}, its value {}",
                            v.node()->op->name,
                            d.type().str(),
                            v.type().str()));
  }
  const auto [at, fresh] = ct.emplace(v, d);
  if (!fresh) at->second = at->second + d;
}

// A graph under trace with the part of it that depends on the targets.
struct Level {
  Graph* graph;
  std::vector<bool> active;  // per node
};

// Which nodes depend on targets; `outer` is the surrounding trace, if any.
std::vector<bool> depends_on(Graph& g, const Values& xs, const Level* outer) {
  std::vector<bool> hit(g.nodes().size(), false);
  for (const Value& x : xs) {
    if (&x.graph() == &g) hit[static_cast<size_t>(x.node()->id)] = true;
  }
  for (size_t i = 0; outer != nullptr && i < g.captures().size(); ++i) {
    const Value& from = g.captures()[i];
    if (outer->active[static_cast<size_t>(from.node()->id)]) {
      hit[static_cast<size_t>(g.import(from).node()->id)] = true;
    }
  }
  for (const auto& node : g.nodes()) {
    for (const Value& v : node->inputs) {
      if (hit[static_cast<size_t>(v.node()->id)]) {
        hit[static_cast<size_t>(node->id)] = true;
        break;
      }
    }
  }
  return hit;
}

// The graph of ys and, while a loop's body is traced, those around it: what
// the body computes from outer values alone stands out there.
std::vector<Level> levels_of(Graph& inner, const Values& xs) {
  std::vector<Level> levels;
  for (Graph* g = &inner; g != nullptr; g = g->parent()) {
    levels.insert(levels.begin(), Level{g, {}});
  }
  for (const Value& x : xs) {
    const bool known =
        std::any_of(levels.begin(), levels.end(), [&](const Level& l) {
          return l.graph == &x.graph();
        });
    if (!known) {
      throw Error(Code::kInvalidArgument,
                  "gradient: the loss and x belong to unrelated graphs",
                  "a value lives only inside the function that is traced");
    }
  }
  const Level* outer = nullptr;
  for (Level& level : levels) {
    level.active = depends_on(*level.graph, xs, outer);
    outer = &level;
  }
  return levels;
}

Values node_vjp(const VjpContext& c) {
  if (c.node.op->vjp != nullptr) return c.node.op->vjp(c);
  if (c.node.op->compose != nullptr) return vjp_of_composition(c);
  throw Error(Code::kUnsupported,
              fmt::format("{}: no derivative rule (order {} is missing)",
                          c.node.op->name,
                          c.node.order + 1),
              "wrap the value in stop_gradient if it counts as a constant")
      .with_scope(c.node.scope)
      .with_line(ir::to_string(c.node.where));
}

void visit(Node& node, const std::vector<bool>& active, Cotangents& ct) {
  Values dys;
  Value first;
  for (const Value& y : node.outs()) {
    const auto found = ct.find(y);
    dys.push_back(found == ct.end() ? Value{} : found->second);
    if (dys.back() && !first) first = dys.back();
  }
  if (!first) return;
  std::vector<bool> needs;
  bool any = false;
  for (const Value& v : node.inputs) {
    needs.push_back(carries_gradient(v) &&
                    active[static_cast<size_t>(v.node()->id)]);
    any = any || needs.back();
  }
  if (!any) return;
  const ir::NodeOrigin origin(node, 1);
  const Values inputs = node.inputs;  // a rule may extend the node
  const Values dxs =
      node_vjp({node, inputs, dys, needs, node.out(), dys[0] ? dys[0] : first});
  for (size_t i = 0; i < dxs.size(); ++i) {
    if (needs[i]) accumulate(ct, inputs[i], dxs[i]);
  }
}

}  // namespace

// In a graph of its own: one input of the node may be computed from another,
// and a walk in the real graph would count that path twice.
Values vjp_of(Values (*compose)(const Node&, const Values&),
              const VjpContext& c) {
  Graph plain;
  Values args;
  for (const Value& v : c.x) args.push_back(plain.input(v.type()));
  Values outs;
  Values live;
  {
    const ir::Tracing tracing(plain);
    const ir::NodeOrigin origin(c.node);
    outs = compose(c.node, args);
  }
  Values cts;
  Values real_cts;
  Values wanted;
  for (size_t i = 0; i < outs.size(); ++i) {
    if (!c.dys[i]) continue;
    live.push_back(outs[i]);
    cts.push_back(plain.input(c.dys[i].type()));
    real_cts.push_back(c.dys[i]);
  }
  for (size_t i = 0; i < args.size(); ++i) {
    if (c.needs[i]) wanted.push_back(args[i]);
  }
  const Values grads = backpropagate(live, cts, wanted);
  Values results;
  for (const Value& g : grads) {
    if (g) results.push_back(g);
  }
  plain.set_outputs(results);
  Values all = c.x;
  all.insert(all.end(), real_cts.begin(), real_cts.end());
  const Values made = ir::inline_graph(plain, all, c.y.graph());
  Values out(c.x.size());
  size_t g = 0;
  size_t m = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (c.needs[i] && grads[g++]) out[i] = made[m++];
  }
  return out;
}

Values vjp_of_composition(const VjpContext& c) {
  return vjp_of(c.node.op->compose, c);
}

Values backpropagate(const Values& ys, const Values& dys, const Values& xs) {
  if (ys.empty()) return Values(xs.size());
  const auto levels = levels_of(ys[0].graph(), xs);
  Cotangents ct;
  for (size_t i = 0; i < ys.size(); ++i) accumulate(ct, ys[i], dys[i]);
  // xs that are outputs of nodes keep their cotangent; the walk goes on past
  // them only if something else needs it.
  for (size_t k = levels.size(); k-- > 0;) {
    Graph& g = *levels[k].graph;
    const auto& active = levels[k].active;
    const size_t captures = g.captures().size();
    for (size_t i = active.size(); i-- > 0;) {
      Node& node = *g.nodes()[i];
      if (active[i] && !ir::is_input(node)) visit(node, active, ct);
    }
    // Only now: the walk itself may have captured more.
    for (size_t i = 0; i < captures; ++i) {
      const Value from = g.captures()[i];
      const auto found = ct.find(g.import(from));
      if (found != ct.end()) {
        const Value d = found->second;
        accumulate(ct, from, d);
      }
    }
  }
  Values out;
  for (const Value& x : xs) {
    const auto found = ct.find(x);
    out.push_back(found == ct.end() ? Value{} : found->second);
  }
  return out;
}

}  // namespace kexue::ops
