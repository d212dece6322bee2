// Loops whose number of turns the data decides.
#include <fmt/format.h>

#include "kexue/ir/evaluate.h"
#include "kexue/ops/batch_rules.h"
#include "kexue/ops/control.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/region.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {

using namespace detail;

namespace {

void want_predicate(const Values& out) {
  if (out.size() == 1 && out[0].type() == TensorType{DType::kBool, {}}) return;
  throw Error(
      Code::kInvalidArgument,
      fmt::format("while_loop: cond must return one bool[], got {}",
                  out.size() == 1 ? out[0].type().str()
                                  : fmt::format("{} values", out.size())))
      .with_scope(Scope::path());
}

void want_carry(const TypeList& want, const Values& got) {
  if (want.size() != got.size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("while_loop: body returned {} carries, wanted {}",
                            got.size(),
                            want.size()))
        .with_scope(Scope::path());
  }
}

// Regions: cond, body. Inputs: the carry, then constants of both.
TypeList infer_while(const InferContext& c) {
  const auto carry = static_cast<size_t>(c.attrs.i("num_carry"));
  for (const Graph* r : c.regions) {
    if (r->inputs().size() != c.inputs.size()) {
      refuse(c, "regions and operands differ in number");
    }
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      if (r->inputs()[i].type() != c.type(i)) {
        refuse(c, fmt::format("input {} of a region differs", i));
      }
    }
  }
  const Values& out = c.regions.at(1)->outputs();
  want_predicate(c.regions[0]->outputs());
  TypeList types;
  for (size_t i = 0; i < carry; ++i) types.push_back(c.type(i));
  want_carry(types, out);
  for (size_t i = 0; i < carry; ++i) {
    if (out[i].type() == types[i]) continue;
    refuse(c,
           fmt::format("carry {} enters as {} and leaves as {}",
                       i,
                       types[i].str(),
                       out[i].type().str()));
  }
  return types;
}

Values vjp_while(const VjpContext& c) {
  throw Error(Code::kUnsupported,
              fmt::format("while_loop: no derivative (order {}): the number of "
                          "turns is not known when the graph is built",
                          c.node.order + 1),
              "use scan, or give while_loop a bound (max_trips)")
      .with_scope(c.node.scope)
      .with_line(ir::to_string(c.node.where));
}

void lower_while(Emitter& e, const Node& n) {
  const auto init = e.get(n.inputs);
  std::vector<TensorType> types = types_of(n.inputs);
  const auto cond_args = e.begin_region(types);
  const auto cond = e.end_region(e.inline_graph(*n.regions[0], cond_args));
  const auto args = e.begin_region(types);
  auto next = e.inline_graph(*n.regions[1], args);
  next.insert(
      next.end(), args.begin() + static_cast<long>(n.types.size()), args.end());
  const auto body = e.end_region(next);
  const auto out = e.emit("stablehlo.while", init, types, "", {cond, body});
  for (size_t i = 0; i < n.types.size(); ++i) {
    e.bind(const_cast<Node&>(n).out(static_cast<int>(i)), out[i]);
  }
}

std::vector<HostArray> eval_while(const EvalContext& c) {
  std::vector<HostArray> args(c.x.begin(), c.x.end());
  while (ir::evaluate(*c.node.regions[0], args)[0].at(0) != 0) {
    const auto next = ir::evaluate(*c.node.regions[1], args);
    std::copy(next.begin(), next.end(), args.begin());
  }
  args.resize(c.node.types.size());
  return args;
}

// The state joins the carry; the condition only looks at it.
Values thread_while(const Node& n,
                    const Values& inputs,
                    const Value& state,
                    Regions regions) {
  const size_t carry = n.types.size();
  std::vector<size_t> order;
  for (size_t i = 0; i < carry; ++i) order.push_back(i);
  order.push_back(inputs.size());
  for (size_t i = carry; i < inputs.size(); ++i) order.push_back(i);
  for (auto& r : regions) r = reorder_inputs(*r, order);
  regions[0]->set_outputs({regions[0]->outputs()[0]});
  Values in = inputs;
  in.insert(in.begin() + static_cast<long>(carry), state);
  Attrs attrs = n.attrs;
  attrs.set("num_carry", static_cast<int64_t>(carry) + 1);
  return state.graph().add(*n.op, in, attrs, std::move(regions)).outs();
}

// A scan that skips the body once the condition has failed.
Values bounded(const WhileCondition& cond_fn,
               const LoopBody& body,
               const Values& carry,
               int64_t max_trips) {
  const auto turn = [&](const Values& c, const Values&) {
    const Value more = cond_fn(c);
    want_predicate({more});
    const Values next = cond(
        more,
        [&](const Values& v) {
          const Values out = body(v);
          want_carry(types_of(carry), out);
          return out;
        },
        [](const Values& v) { return v; },
        c);
    return std::pair<Values, Values>(next, {});
  };
  return scan(turn, carry, {}, {.length = max_trips}).carry;
}

}  // namespace

constexpr OpDef kWhile{
    .name = "while",
    .infer = infer_while,
    .vjp = vjp_while,
    .lower = lower_while,
    .eval = eval_while,
    .batch = batch_while,
    .thread = thread_while,
    .cast = Cast::kKeep,
};

Values while_loop(const WhileCondition& cond_fn,
                  const LoopBody& body,
                  const Values& carry,
                  int64_t max_trips) {
  if (carry.empty()) {
    throw Error(Code::kInvalidArgument, "while_loop: a carry is needed")
        .with_scope(Scope::path());
  }
  if (max_trips >= 0) return bounded(cond_fn, body, carry, max_trips);
  Graph& outer = ir::Tracing::innermost(carry[0].graph());
  const TypeList types = types_of(carry);
  Regions regions;
  regions.push_back(trace_region(
      outer, types, [&](const Values& v) { return Values{cond_fn(v)}; }));
  regions.push_back(trace_region(outer, types, body));
  Values inputs = carry;
  const Values captures = close_regions(regions, {carry.size(), carry.size()});
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  return outer
      .add(kWhile,
           inputs,
           {{"num_carry", static_cast<int64_t>(carry.size())}},
           std::move(regions))
      .outs();
}

Values fori(int64_t turns, const ForBody& body, const Values& carry) {
  if (turns < 0 || carry.empty()) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("fori: wants a carry and turns >= 0, got {}", turns))
        .with_scope(Scope::path());
  }
  Graph& g = ir::Tracing::innermost(carry[0].graph());
  const ir::Tracing tracing(g);
  const Value steps = iota({DType::kI32, {turns}});
  return scan(
             [&](const Values& c, const Values& x) {
               return std::pair<Values, Values>(body(x[0], c), {});
             },
             carry,
             {steps})
      .carry;
}

Values map(const LoopBody& f, const Values& xs) {
  if (xs.empty()) {
    throw Error(Code::kInvalidArgument, "map: wants at least one input")
        .with_scope(Scope::path());
  }
  return scan(
             [&](const Values&, const Values& x) {
               return std::pair<Values, Values>({}, f(x));
             },
             {},
             xs)
      .ys;
}

}  // namespace kexue::ops
