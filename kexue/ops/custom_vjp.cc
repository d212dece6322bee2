#include "kexue/ops/custom_vjp.h"

#include <fmt/format.h>

#include "kexue/ir/clone.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ir/location.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/region.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {

using namespace detail;

namespace {

[[noreturn]] void fail(const Node& n, Code code, const std::string& what) {
  throw Error(code, n.attrs.s("name") + ": " + what)
      .with_scope(n.scope)
      .with_line(ir::to_string(n.where));
}

// Region 0, forward: x..., captures -> y. Region 1, backward: x..., y...,
// dy..., captures -> the cotangents of the inputs that `flows` names.
TypeList infer_custom(const InferContext& c) {
  const Graph& f = *c.regions.at(0);
  if (types_of(f.inputs()) != types_of(c.inputs)) {
    refuse(c, "the inputs of its function differ");
  }
  return types_of(f.outputs());
}

void lower_first_region(Emitter& e, const Node& n) {
  const auto out = e.inline_graph(*n.regions[0], e.get(n.inputs));
  for (size_t i = 0; i < out.size(); ++i) {
    e.bind(const_cast<Node&>(n).out(static_cast<int>(i)), out[i]);
  }
}

std::vector<HostArray> eval_first_region(const EvalContext& c) {
  return ir::evaluate(*c.node.regions[0], c.x);
}

Values vjp_custom(const VjpContext& c) {
  const auto num_inputs = static_cast<size_t>(c.node.attrs.i("num_inputs"));
  for (size_t i = num_inputs; i < c.x.size(); ++i) {
    if (c.needs[i]) {
      fail(c.node,
           Code::kInvalidArgument,
           "a gradient is wanted for a value that its function uses but does "
           "not take as an input");
    }
  }
  const auto& flows = c.node.attrs.ints("flows");
  if (flows.empty()) return Values(c.x.size());
  const auto captured = c.x.begin() + static_cast<long>(num_inputs);
  Values args(c.x.begin(), captured);
  Graph& g = c.y.graph();
  for (const Value& y : c.node.outs()) args.push_back(y);
  for (size_t i = 0; i < c.dys.size(); ++i) {
    args.push_back(c.dys[i] ? c.dys[i] : zeros_like(c.node.out(int(i))));
  }
  args.insert(args.end(), captured, c.x.end());
  const Graph& rule = *c.node.regions[1];
  Values made;
  if (c.node.attrs.i("first_order_only") != 0) {
    Regions regions;
    regions.push_back(ir::clone(rule));
    made = g.add(kFirstOrder,
                 args,
                 {{"name", c.node.attrs.s("name")}},
                 std::move(regions))
               .outs();
  } else {
    made = ir::inline_graph(rule, args, g);
  }
  Values dxs(c.x.size());
  for (size_t k = 0; k < flows.size(); ++k) {
    dxs[static_cast<size_t>(flows[k])] = made[k];
  }
  return dxs;
}

Values vjp_first_order(const VjpContext& c) {
  fail(c.node,
       Code::kUnsupported,
       "its rule covers the first derivative only, order 2 is missing");
}

// The function under check is the first region; the rule stays as it was.
Values thread_first_region(const Node& n,
                           const Values& inputs,
                           const Value& state,
                           Regions regions) {
  Values in = inputs;
  in.push_back(state);
  Regions first;
  first.push_back(std::move(regions[0]));
  return state.graph()
      .add(kFirstOrder, in, {{"name", n.attrs.s("name")}}, std::move(first))
      .outs();
}

std::vector<int64_t> check_rule(const std::string& name,
                                const Values& inputs,
                                const Values& dxs) {
  const auto refuse_rule = [&](const std::string& what) {
    throw Error(Code::kInvalidArgument, name + ": " + what)
        .with_scope(Scope::path());
  };
  if (dxs.size() != inputs.size()) {
    refuse_rule(fmt::format("backward returned {} cotangents for {} inputs",
                            dxs.size(),
                            inputs.size()));
  }
  std::vector<int64_t> flows;
  for (size_t i = 0; i < dxs.size(); ++i) {
    if (!dxs[i]) continue;
    if (dxs[i].type() != inputs[i].type()) {
      refuse_rule(fmt::format("the cotangent of input {} must be {}, got {}",
                              i,
                              inputs[i].type().str(),
                              dxs[i].type().str()));
    }
    flows.push_back(static_cast<int64_t>(i));
  }
  return flows;
}

}  // namespace

constexpr OpDef kCustomVjp{
    .name = "custom_vjp",
    .infer = infer_custom,
    .vjp = vjp_custom,
    .lower = lower_first_region,
    .eval = eval_first_region,
    .thread = thread_first_region,
    .cast = Cast::kKeep,
};

// A region as it stands, without a derivative.
constexpr OpDef kFirstOrder{
    .name = "first_order",
    .infer = infer_custom,
    .vjp = vjp_first_order,
    .lower = lower_first_region,
    .eval = eval_first_region,
    .prune = prune_outputs,
    .thread = thread_first_region,
    .cast = Cast::kKeep,
};

Values custom_vjp(const CustomForward& forward,
                  const CustomBackward& backward,
                  const Values& inputs,
                  const CustomVjpOptions& options) {
  if (inputs.empty()) {
    throw Error(Code::kInvalidArgument,
                options.name + ": wants at least one input")
        .with_scope(Scope::path());
  }
  Graph& outer = ir::Tracing::innermost(inputs[0].graph());
  const TypeList in = types_of(inputs);
  Regions regions;
  regions.push_back(trace_region(outer, in, forward));
  const TypeList out = types_of(regions[0]->outputs());
  TypeList rule_in = in;
  rule_in.insert(rule_in.end(), out.begin(), out.end());
  rule_in.insert(rule_in.end(), out.begin(), out.end());
  std::vector<int64_t> flows;
  regions.push_back(trace_region(outer, rule_in, [&](const Values& v) {
    const ir::NodeOrigin origin(1);
    const auto x = v.begin() + static_cast<long>(in.size());
    const auto y = x + static_cast<long>(out.size());
    const Values dxs = backward({v.begin(), x}, {x, y}, {y, v.end()});
    flows = check_rule(options.name, inputs, dxs);
    Values kept;
    for (const int64_t i : flows) kept.push_back(dxs[static_cast<size_t>(i)]);
    return kept;
  }));
  const Values captures = close_regions(regions, {in.size(), rule_in.size()});
  Values all = inputs;
  all.insert(all.end(), captures.begin(), captures.end());
  return outer
      .add(kCustomVjp,
           all,
           {{"name", options.name},
            {"num_inputs", static_cast<int64_t>(in.size())},
            {"flows", flows},
            {"first_order_only", int64_t{options.first_order_only}}},
           std::move(regions))
      .outs();
}

}  // namespace kexue::ops
