#include "kexue/ops/scan_vjp.h"

#include <unordered_map>
#include <unordered_set>

#include "kexue/base/error.h"
#include "kexue/ir/clone.h"
#include "kexue/ir/location.h"
#include "kexue/ops/backprop.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/remat.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

// The body with its gradient appended, before it is cut in two.
struct Joint {
  Graph graph;
  ir::ValueMap to_body;  // forward value here -> value in the real body
  int64_t forward_end = 0;
  Values inputs;    // stand for the body's inputs
  Values ct_carry;  // cotangent inputs; empty where the carry has none
  Values ct_ys;
  Values dxs;  // cotangents of all body inputs; empty = zero
};

// What the backward loop is made of: parallel lists per role.
struct Backward {
  Graph body;
  std::unordered_map<Value, Value, ir::ValueHash> made;  // joint -> here
  Values outer_carry, outer_xs, outer_consts;
  Values in_carry;
  std::vector<std::pair<Value, Value>> xs;      // outer stack, inner slice
  std::vector<std::pair<Value, Value>> consts;  // outer value, inner input
};

// Differentiating an inner loop of the joint graph extends that loop with
// residuals: the loop it was copied from gets the same outputs, so that they
// can be residuals of the outer loop.
void extend_inner_loops(Joint& j) {
  ir::ValueMap grown;
  for (const auto& [to, from] : j.to_body) {
    Node& copy = *to.node();
    Node& original = *from.node();
    if (original.types.size() == copy.types.size() || to.index() != 0) continue;
    for (size_t i = original.types.size(); i < copy.types.size(); ++i) {
      const auto k = static_cast<int>(i);
      grown.emplace(copy.out(k), original.out(k));
    }
    original.types = copy.types;
    original.regions.clear();
    for (const auto& r : copy.regions) original.regions.push_back(clone(*r));
  }
  j.to_body.merge(grown);
}

void make_joint(const VjpContext& c, size_t num_carry, Joint& j) {
  const Graph& body = *c.node.regions[0];
  for (const Value& v : body.inputs())
    j.inputs.push_back(j.graph.input(v.type()));
  ir::ValueMap map;
  const Values outs = ir::inline_graph(body, j.inputs, j.graph, &map);
  for (const auto& [from, to] : map) j.to_body.emplace(to, from);
  j.forward_end = static_cast<int64_t>(j.graph.nodes().size());
  Values ys;
  Values dys;
  for (size_t i = 0; i < outs.size(); ++i) {
    const bool is_carry = i < num_carry;
    const bool flows = is_inexact(outs[i].dtype()) && (is_carry || c.dys[i]);
    const Value ct = flows ? j.graph.input(outs[i].type()) : Value{};
    (is_carry ? j.ct_carry : j.ct_ys).push_back(ct);
    if (flows) {
      ys.push_back(outs[i]);
      dys.push_back(ct);
    }
  }
  // Carries always take part: a later step may need what an earlier made.
  Values wanted;
  std::vector<size_t> at;
  for (size_t i = 0; i < j.inputs.size(); ++i) {
    if (is_inexact(j.inputs[i].dtype()) && (i < num_carry || c.needs[i])) {
      wanted.push_back(j.inputs[i]);
      at.push_back(i);
    }
  }
  const Values grads = backpropagate(ys, dys, wanted);
  extend_inner_loops(j);
  j.dxs.resize(j.inputs.size());
  for (size_t k = 0; k < at.size(); ++k) j.dxs[at[k]] = grads[k];
}

// The index of a body value among the stacked outputs; extends the node.
int residual_output(Node& scan, size_t num_carry, const Value& v) {
  Graph& body = *scan.regions[0];
  Values outs = body.outputs();
  for (size_t i = num_carry; i < outs.size(); ++i) {
    if (outs[i] == v) return static_cast<int>(i);
  }
  outs.push_back(v);
  body.set_outputs(outs);
  auto dims = v.shape().dims();
  dims.insert(dims.begin(), scan.attrs.i("length"));
  scan.types.push_back({v.dtype(), Shape(dims)});
  return static_cast<int>(scan.types.size()) - 1;
}

class Cutter final {
 public:
  Cutter(const VjpContext& c, const Joint& joint, Backward& back)
      : c_(c),
        joint_(joint),
        back_(back),
        num_carry_(static_cast<size_t>(c.node.attrs.i("num_carry"))),
        num_xs_(static_cast<size_t>(c.node.attrs.i("num_xs"))),
        policy_{c.node.attrs.s("remat")} {
    for (const auto& n : joint.graph.nodes()) {
      if (policy_.keeps_input(*n)) named_.insert(n->inputs[0].node());
    }
  }

  // v of the joint graph, made available in the backward body.
  Value need(const Value& v) {
    const auto found = back_.made.find(v);
    if (found != back_.made.end()) return found->second;
    const Value made = make(v);
    back_.made.emplace(v, made);
    return made;
  }

 private:
  Value make(const Value& v) {
    Node& node = *v.node();
    const bool forward = node.id < joint_.forward_end;
    if (ir::is_input(node)) return input(v);
    const bool kept = policy_.keeps(node) || named_.contains(&node);
    if (forward && kept) return residual(v);
    Values in;
    for (const Value& x : node.inputs) in.push_back(need(x));
    const ir::NodeOrigin origin(node);
    Node& copy = ir::clone_node(node, in, back_.body);
    for (int i = 0; i < static_cast<int>(node.types.size()); ++i) {
      back_.made[Value(&node, i)] = copy.out(i);
    }
    return copy.out(v.index());
  }

  Value input(const Value& v) {
    for (size_t i = 0; i < joint_.inputs.size(); ++i) {
      if (joint_.inputs[i] != v) continue;
      if (i < num_carry_) return residual(v);
      const Value outer = c_.x[i];
      const Value inner = back_.body.input(v.type());
      if (i < num_carry_ + num_xs_) {
        back_.xs.emplace_back(outer, inner);
      } else {
        back_.consts.emplace_back(outer, inner);
      }
      return inner;
    }
    throw Error(Code::kInternal, "scan: unbound cotangent");
  }

  Value residual(const Value& v) {
    const Value in_body = joint_.to_body.at(v);
    const int k = residual_output(c_.node, num_carry_, in_body);
    const Value inner = back_.body.input(v.type());
    back_.xs.emplace_back(c_.node.out(k), inner);
    return inner;
  }

  const VjpContext& c_;
  const Joint& joint_;
  Backward& back_;
  size_t num_carry_;
  size_t num_xs_;
  RematPolicy policy_;
  std::unordered_set<const Node*> named_;  // what a name is given to
};

Value zero_of(const TensorType& type, Graph& g) {
  const ir::Tracing tracing(g);
  return full(type, 0);
}

// Reorders the body's inputs to carry, xs, consts by copying it once.
std::unique_ptr<Graph> ordered(const Backward& b, const Values& outs) {
  auto g = std::make_unique<Graph>();
  ir::ValueMap map;
  const auto add = [&](const Value& v) { map[v] = g->input(v.type()); };
  for (const Value& v : b.in_carry) add(v);
  for (const auto& [outer, inner] : b.xs) add(inner);
  for (const auto& [outer, inner] : b.consts) add(inner);
  Values args;
  for (const Value& v : b.body.inputs()) args.push_back(map.at(v));
  ir::ValueMap all;
  ir::inline_graph(b.body, args, *g, &all);
  Values mapped;
  for (const Value& v : outs) mapped.push_back(all.at(v));
  g->set_outputs(mapped);
  return g;
}

}  // namespace

Values scan_vjp(const VjpContext& c) {
  const auto num_carry = static_cast<size_t>(c.node.attrs.i("num_carry"));
  const auto num_xs = static_cast<size_t>(c.node.attrs.i("num_xs"));
  Graph& outer = c.y.graph();
  const Values dys = c.dys;
  Joint j;
  make_joint(c, num_carry, j);
  Backward b;
  Values carry_init;
  for (size_t i = 0; i < num_carry; ++i) {
    if (!j.ct_carry[i]) continue;
    b.in_carry.push_back(b.body.input(j.ct_carry[i].type()));
    b.made[j.ct_carry[i]] = b.in_carry.back();
    carry_init.push_back(dys[i] ? dys[i] : zero_of(c.node.types[i], outer));
  }
  const size_t first_const = num_carry + num_xs;
  Values const_sums;
  std::vector<size_t> const_at;
  for (size_t i = first_const; i < j.dxs.size(); ++i) {
    if (!j.dxs[i]) continue;
    b.in_carry.push_back(b.body.input(j.dxs[i].type()));
    const_sums.push_back(b.in_carry.back());
    const_at.push_back(i);
    carry_init.push_back(zero_of(j.dxs[i].type(), outer));
  }
  for (size_t k = 0; k < j.ct_ys.size(); ++k) {
    if (!j.ct_ys[k]) continue;
    const Value slice = b.body.input(j.ct_ys[k].type());
    b.made[j.ct_ys[k]] = slice;
    b.xs.emplace_back(dys[num_carry + k], slice);
  }
  Cutter cutter(c, j, b);
  Values outs;
  for (size_t i = 0; i < num_carry; ++i) {
    if (!j.ct_carry[i]) continue;
    outs.push_back(j.dxs[i] ? cutter.need(j.dxs[i])
                            : zero_of(j.ct_carry[i].type(), b.body));
  }
  for (size_t k = 0; k < const_at.size(); ++k) {
    const Value d = cutter.need(j.dxs[const_at[k]]);
    outs.push_back(binary(kAdd, const_sums[k], d));
  }
  const size_t num_back_carry = outs.size();
  for (size_t i = num_carry; i < first_const; ++i) {
    if (j.dxs[i]) outs.push_back(cutter.need(j.dxs[i]));
  }
  std::vector<std::unique_ptr<Graph>> regions;
  regions.push_back(ordered(b, outs));
  Values inputs = carry_init;
  for (const auto& [v, inner] : b.xs) inputs.push_back(v);
  for (const auto& [v, inner] : b.consts) inputs.push_back(v);
  Attrs attrs = c.node.attrs;
  attrs.set("num_carry", static_cast<int64_t>(num_back_carry));
  attrs.set("num_xs", static_cast<int64_t>(b.xs.size()));
  attrs.set("reverse", int64_t{1} - c.node.attrs.i("reverse"));
  const RematPolicy policy{c.node.attrs.s("remat")};
  attrs.set("recompute", int64_t{policy.recomputes()});
  Node& made = outer.add(kScan, inputs, attrs, std::move(regions));
  Values result(c.x.size());
  int at = 0;
  for (size_t i = 0; i < num_carry; ++i) {
    if (j.ct_carry[i]) result[i] = made.out(at++);
  }
  for (const size_t i : const_at) result[i] = made.out(at++);
  for (size_t i = num_carry; i < first_const; ++i) {
    if (j.dxs[i]) result[i] = made.out(at++);
  }
  return result;
}

}  // namespace kexue::ops
