#include "kexue/ops/remat.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kexue/ops/batching.h"
#include "kexue/ops/control.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/pass_through.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {

using namespace detail;

namespace {

constexpr std::string_view kNamed = "named:";

TypeList all_types(const InferContext& c) {
  if (c.inputs.empty()) refuse(c, "wants at least one input");
  TypeList out;
  for (size_t i = 0; i < c.inputs.size(); ++i) out.push_back(c.type(i));
  return out;
}

Values prune_barrier(const Node& n,
                     const Values& inputs,
                     const std::vector<bool>& used) {
  Values kept;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (used[i]) kept.push_back(inputs[i]);
  }
  if (kept.size() == inputs.size()) return {};
  Node& made = kept[0].graph().add(*n.op, kept, n.attrs);
  Values out;
  int at = 0;
  for (const bool u : used) out.push_back(u ? made.out(at++) : Value{});
  return out;
}

Values batch_barrier(const BatchContext& c) {
  Values in;
  for (size_t i = 0; i < c.x.size(); ++i) {
    in.push_back(c.batched[i] ? c.x[i] : repeat(c.x[i], c.size));
  }
  return optimization_barrier(in);
}

Value with_leading_one(const Value& x) {
  auto dims = x.shape().dims();
  dims.insert(dims.begin(), 1);
  return reshape(x, dims);
}

Value without_leading_one(const Value& x) {
  auto dims = x.shape().dims();
  dims.erase(dims.begin());
  return reshape(x, dims);
}

}  // namespace

constexpr OpDef kOptimizationBarrier{
    .name = "optimization_barrier",
    .infer = all_types,
    .vjp = [](const VjpContext& c) -> Values { return c.dys; },
    .lower = lower_as<"optimization_barrier">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return {c.x.begin(), c.x.end()};
    },
    .batch = batch_barrier,
    .prune = prune_barrier,
    .cast = Cast::kKeep,
};

constexpr OpDef kCheckpointName{
    .name = "checkpoint_name",
    .infer = same_type,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy}; },
    .lower = lower_as_input,
    .eval = eval_as_input,
    .batch = batch_elementwise,
    .is_identity = true,
    .is_view = true,
    .cast = Cast::kKeep,
};

RematPolicy RematPolicy::save_named(const std::vector<std::string>& names) {
  return {fmt::format("{},{},", kNamed, fmt::join(names, ","))};
}

bool RematPolicy::keeps(const ir::Node& node) const {
  if (text == "nothing" || text.starts_with(kNamed)) return false;
  if (text == "products") return node.op->cast == Cast::kCompute;
  return !node.op->is_view;
}

// Not the named value but what it names: rules use the outputs of their own
// node (exp), which the name only follows.
bool RematPolicy::keeps_input(const ir::Node& node) const {
  return text.starts_with(kNamed) && node.op == &kCheckpointName &&
         text.find("," + node.attrs.s("name") + ",") != text.npos;
}

// A loop of one turn: what scan keeps for its backward loop is what this op
// keeps, and one rule serves both.
Values remat(const std::function<Values(const Values&)>& f,
             const Values& inputs,
             const RematPolicy& policy) {
  if (inputs.empty()) {
    throw Error(Code::kInvalidArgument, "remat: wants at least one input")
        .with_scope(Scope::path());
  }
  Values stacked;
  for (const Value& x : inputs) stacked.push_back(with_leading_one(x));
  const auto r =
      scan([&](const Values&,
               const Values& x) { return std::pair<Values, Values>({}, f(x)); },
           {},
           stacked,
           {.remat = policy});
  Values out;
  for (const Value& y : r.ys) out.push_back(without_leading_one(y));
  return out;
}

Value checkpoint_name(const Arg& x, const std::string& name) {
  if (name.empty() || name.find(',') != name.npos) {
    throw Error(Code::kInvalidArgument,
                fmt::format("checkpoint_name: wants a name without commas, "
                            "got \"{}\"",
                            name))
        .with_scope(Scope::path())
        .with_line(ir::to_string(ir::current_location()));
  }
  return x.graph().add(kCheckpointName, {x}, {{"name", name}}).out();
}

Values optimization_barrier(const Values& xs) {
  if (xs.empty()) {
    throw Error(Code::kInvalidArgument,
                "optimization_barrier: wants at least one input")
        .with_scope(Scope::path());
  }
  return xs[0].graph().add(kOptimizationBarrier, xs).outs();
}

Value optimization_barrier(const Arg& x) {
  const Value v = x;
  return optimization_barrier(Values{v})[0];
}

}  // namespace kexue::ops
