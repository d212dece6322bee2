// Branches: one of several regions runs.
#include <fmt/format.h>

#include "kexue/ir/clone.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ops/backprop.h"
#include "kexue/ops/batch_rules.h"
#include "kexue/ops/control.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/region.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {

using namespace detail;

namespace {

// Inputs: the index i32[], then what every region takes.
TypeList infer_case(const InferContext& c) {
  if (c.regions.empty() || c.inputs.empty() ||
      c.type(0) != TensorType{DType::kI32, {}}) {
    refuse(c, "wants branches and an index i32[]");
  }
  const TypeList want(types_of(c.regions[0]->outputs()));
  for (size_t b = 0; b < c.regions.size(); ++b) {
    const Graph& r = *c.regions[b];
    if (r.inputs().size() + 1 != c.inputs.size()) {
      refuse(c, "branches and operands differ in number");
    }
    for (size_t i = 0; i < r.inputs().size(); ++i) {
      if (r.inputs()[i].type() != c.type(i + 1)) {
        refuse(c, fmt::format("input {} of branch {} differs", i, b));
      }
    }
    const TypeList got = types_of(r.outputs());
    if (got.size() != want.size()) {
      refuse(c,
             fmt::format("branch 0 returns {} values, branch {} returns {}",
                         want.size(),
                         b,
                         got.size()));
    }
    for (size_t i = 0; i < got.size(); ++i) {
      if (got[i] == want[i]) continue;
      refuse(c,
             fmt::format("output {} is {} in branch 0 and {} in branch {}",
                         i,
                         want[i].str(),
                         got[i].str(),
                         b));
    }
  }
  return want;
}

void lower_case(Emitter& e, const Node& n) {
  const auto in = e.get(n.inputs);
  const std::vector<stablehlo::Ssa> args(in.begin() + 1, in.end());
  std::vector<std::string> regions;
  for (const auto& r : n.regions) {
    e.begin_region({});
    regions.push_back(e.end_region(e.inline_graph(*r, args)));
  }
  const auto out = e.emit("stablehlo.case", {in[0]}, n.types, "", regions);
  for (size_t i = 0; i < out.size(); ++i) {
    e.bind(const_cast<Node&>(n).out(static_cast<int>(i)), out[i]);
  }
}

std::vector<HostArray> eval_case(const EvalContext& c) {
  const auto last = static_cast<int64_t>(c.node.regions.size()) - 1;
  const int64_t i = c.x[0].to_ints()[0];
  const auto at = static_cast<size_t>(i < 0 || i > last ? last : i);
  return ir::evaluate(*c.node.regions[at], c.x.subspan(1));
}

// One branch of the backward pass: (operands, cotangents) -> gradients, found
// by running the branch again. `flows` says which ones are not zero.
std::unique_ptr<Graph> backward_branch(const VjpContext& c,
                                       const Graph& branch,
                                       std::vector<bool>& flows) {
  auto g = std::make_unique<Graph>();
  const ir::Tracing tracing(*g);
  Values args;
  for (const Value& v : branch.inputs()) args.push_back(g->input(v.type()));
  const Values outs = ir::inline_graph(branch, args, *g);
  Values ys;
  Values dys;
  for (size_t i = 0; i < outs.size(); ++i) {
    if (!c.dys[i]) continue;
    ys.push_back(outs[i]);
    dys.push_back(g->input(outs[i].type()));
  }
  Values wanted;
  for (size_t i = 0; i < args.size(); ++i) {
    if (c.needs[i + 1]) wanted.push_back(args[i]);
  }
  Values dxs = backpropagate(ys, dys, wanted);
  for (size_t i = 0; i < dxs.size(); ++i) {
    flows[i] = flows[i] || dxs[i];
    if (!dxs[i]) dxs[i] = full(wanted[i].type(), 0);
  }
  g->set_outputs(dxs);
  return g;
}

// The branch is taken again in the backward pass: no value of a branch that
// was not taken could be kept.
Values vjp_case(const VjpContext& c) {
  std::vector<bool> flows(c.x.size(), false);
  Regions regions;
  for (const auto& r : c.node.regions) {
    regions.push_back(backward_branch(c, *r, flows));
  }
  Values inputs = c.x;
  for (const Value& dy : c.dys) {
    if (dy) inputs.push_back(dy);
  }
  Node& made =
      c.y.graph().add(*c.node.op, inputs, c.node.attrs, std::move(regions));
  Values dxs(c.x.size());
  int at = 0;
  for (size_t i = 1; i < dxs.size(); ++i) {
    if (!c.needs[i]) continue;
    if (flows[static_cast<size_t>(at)]) dxs[i] = made.out(at);
    ++at;
  }
  return dxs;
}

Values thread_case(const Node& n,
                   const Values& inputs,
                   const Value& state,
                   Regions regions) {
  Values in = inputs;
  in.push_back(state);
  return state.graph().add(*n.op, in, n.attrs, std::move(regions)).outs();
}

Values add_case(const Value& index,
                const std::vector<BranchFunction>& branches,
                const Values& operands) {
  if (branches.empty()) {
    throw Error(Code::kInvalidArgument, "switch_case: no branches")
        .with_scope(Scope::path());
  }
  Graph& outer = ir::Tracing::innermost(index.graph());
  Regions regions;
  for (const auto& f : branches) {
    regions.push_back(trace_region(outer, types_of(operands), f));
  }
  Values inputs = {index};
  inputs.insert(inputs.end(), operands.begin(), operands.end());
  const Values captures = close_regions(
      regions, std::vector<size_t>(regions.size(), operands.size()));
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  return outer.add(kCase, inputs, {}, std::move(regions)).outs();
}

}  // namespace

constexpr OpDef kCase{
    .name = "case",
    .infer = infer_case,
    .vjp = vjp_case,
    .lower = lower_case,
    .eval = eval_case,
    .batch = batch_case,
    .prune = prune_outputs,
    .thread = thread_case,
    .cast = Cast::kKeep,
};

Values cond(const Arg& pred,
            const BranchFunction& true_fn,
            const BranchFunction& false_fn,
            const Values& operands) {
  if (pred.type() != TensorType{DType::kBool, {}}) {
    throw Error(Code::kInvalidArgument,
                "cond: wants a predicate bool[], got " + pred.type().str())
        .with_scope(Scope::path())
        .with_line(ir::to_string(ir::current_location()));
  }
  return add_case(convert(pred, DType::kI32), {false_fn, true_fn}, operands);
}

Values switch_case(const Arg& index,
                   const std::vector<BranchFunction>& branches,
                   const Values& operands) {
  if (index.type() != TensorType{DType::kI32, {}}) {
    throw Error(Code::kInvalidArgument,
                "switch_case: wants an index i32[], got " + index.type().str())
        .with_scope(Scope::path())
        .with_line(ir::to_string(ir::current_location()));
  }
  const auto last = static_cast<double>(branches.size()) - 1;
  const Value low = maximum(index, zeros_like(index));
  return add_case(minimum(low, full_like(low, last)), branches, operands);
}

}  // namespace kexue::ops
