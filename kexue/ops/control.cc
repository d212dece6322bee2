#include "kexue/ops/control.h"

#include <fmt/format.h>

#include "kexue/ir/clone.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ir/flops.h"
#include "kexue/ops/batch_rules.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/region.h"
#include "kexue/ops/scan_vjp.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {

using namespace detail;

namespace {

ScanSplit split_of(const Attrs& attrs) {
  return {static_cast<size_t>(attrs.i("num_carry")),
          static_cast<size_t>(attrs.i("num_xs")),
          attrs.i("length")};
}

TensorType slice_type(const TensorType& stacked) {
  auto dims = stacked.shape.dims();
  dims.erase(dims.begin());
  return {stacked.dtype, Shape(dims)};
}

TensorType stack_type(const TensorType& one, int64_t length) {
  auto dims = one.shape.dims();
  dims.insert(dims.begin(), length);
  return {one.dtype, Shape(dims)};
}

TypeList infer_scan(const InferContext& c) {
  const ScanSplit s = split_of(c.attrs);
  const Graph& body = *c.regions.at(0);
  if (body.inputs().size() != c.inputs.size()) {
    refuse(c, "body and operands differ in number");
  }
  TypeList out;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const bool is_x = i >= s.carry && i < s.carry + s.xs;
    if (is_x &&
        (c.type(i).shape.rank() < 1 || c.type(i).shape[0] != s.length)) {
      refuse(c, fmt::format("wants {} slices of input {}", s.length, i));
    }
    const TensorType want = is_x ? slice_type(c.type(i)) : c.type(i);
    if (body.inputs()[i].type() != want) {
      refuse(c, "body input " + std::to_string(i) + " differs");
    }
  }
  for (size_t i = 0; i < body.outputs().size(); ++i) {
    const TensorType& t = body.outputs()[i].type();
    if (i < s.carry) {
      if (t != c.type(i)) {
        refuse(c,
               fmt::format("carry {} enters as {} and leaves as {}",
                           i,
                           c.type(i).str(),
                           t.str()));
      }
      out.push_back(t);
    } else {
      out.push_back(stack_type(t, s.length));
    }
  }
  return out;
}

using Ssas = std::vector<stablehlo::Ssa>;

stablehlo::Ssa emit_i32(Emitter& e, int64_t x) {
  return e.constant(HostArray::scalar(static_cast<int32_t>(x)));
}

Ssas starts(Emitter& e, const stablehlo::Ssa& at, int64_t rank) {
  Ssas out = {at};
  if (rank > 1) {
    const auto zero = emit_i32(e, 0);
    for (int64_t i = 1; i < rank; ++i) out.push_back(zero);
  }
  return out;
}

// One turn of the loop: args = i, carry..., ys..., xs..., consts...
Ssas emit_turn(Emitter& e, const Node& n, const Ssas& args) {
  const ScanSplit s = split_of(n.attrs);
  const Graph& body = *n.regions[0];
  const size_t num_ys = body.outputs().size() - s.carry;
  const TensorType i32{DType::kI32, {}};
  auto at = args[0];
  if (n.attrs.i("reverse") != 0) {
    at =
        e.emit("stablehlo.subtract", {emit_i32(e, s.length - 1), at}, {i32})[0];
  }
  Ssas in(args.begin() + 1, args.begin() + 1 + static_cast<long>(s.carry));
  const size_t first_x = 1 + s.carry + num_ys;
  for (size_t k = 0; k < n.inputs.size() - s.carry; ++k) {
    stablehlo::Ssa x = args[first_x + k];
    if (k < s.xs) {
      Ssas operands = starts(e, at, x.type.shape.rank());
      operands.insert(operands.begin(), x);
      auto sizes = x.type.shape.dims();
      sizes[0] = 1;
      x = e.emit("stablehlo.dynamic_slice",
                 operands,
                 {{x.type.dtype, Shape(sizes)}},
                 "slice_sizes = " + stablehlo::int_array(sizes))[0];
      x = e.emit("stablehlo.reshape",
                 {x},
                 {slice_type({x.type.dtype, x.type.shape})})[0];
    }
    in.push_back(x);
  }
  const Ssas out = e.inline_graph(body, in);
  Ssas next = {e.emit("stablehlo.add", {args[0], emit_i32(e, 1)}, {i32})[0]};
  next.insert(
      next.end(), out.begin(), out.begin() + static_cast<long>(s.carry));
  for (size_t k = 0; k < num_ys; ++k) {
    const auto& stack = args[1 + s.carry + k];
    const auto one = e.emit("stablehlo.reshape",
                            {out[s.carry + k]},
                            {stack_type(out[s.carry + k].type, 1)})[0];
    Ssas operands = starts(e, at, stack.type.shape.rank());
    operands.insert(operands.begin(), {stack, one});
    next.push_back(
        e.emit("stablehlo.dynamic_update_slice", operands, {stack.type})[0]);
  }
  next.insert(
      next.end(), args.begin() + static_cast<long>(first_x), args.end());
  return next;
}

// One turn is no loop. See unroll_scan for the barrier.
void lower_one_turn(Emitter& e, const Node& n) {
  const ScanSplit s = split_of(n.attrs);
  Ssas in = e.get(n.inputs);
  for (size_t i = s.carry; i < s.carry + s.xs; ++i) {
    in[i] = e.emit("stablehlo.reshape", {in[i]}, {slice_type(in[i].type)})[0];
  }
  if (n.attrs.i("recompute") != 0) {
    std::vector<TensorType> types;
    for (const auto& v : in) types.push_back(v.type);
    in = e.emit("stablehlo.optimization_barrier", in, types);
  }
  Ssas out = e.inline_graph(*n.regions[0], in);
  for (size_t i = 0; i < out.size(); ++i) {
    if (i >= s.carry) {
      out[i] = e.emit("stablehlo.reshape", {out[i]}, {n.types[i]})[0];
    }
    e.bind(const_cast<Node&>(n).out(static_cast<int>(i)), out[i]);
  }
}

void lower_scan(Emitter& e, const Node& n) {
  const ScanSplit s = split_of(n.attrs);
  if (s.length == 1) return lower_one_turn(e, n);
  Ssas init = {emit_i32(e, 0)};
  for (size_t i = 0; i < s.carry; ++i) init.push_back(e.get(n.inputs[i]));
  for (size_t i = s.carry; i < n.types.size(); ++i) {
    const auto zero = e.constant(HostArray::full({n.types[i].dtype, {}}, 0));
    init.push_back(e.emit("stablehlo.broadcast_in_dim",
                          {zero},
                          {n.types[i]},
                          "broadcast_dimensions = array<i64>")[0]);
  }
  if (s.length == 0) {  // a slice of nothing would not even type-check
    for (size_t i = 0; i < n.types.size(); ++i) {
      e.bind(const_cast<Node&>(n).out(static_cast<int>(i)), init[1 + i]);
    }
    return;
  }
  for (size_t i = s.carry; i < n.inputs.size(); ++i) {
    init.push_back(e.get(n.inputs[i]));
  }
  std::vector<TensorType> types;
  for (const auto& v : init) types.push_back(v.type);
  const auto cond_args = e.begin_region(types);
  const auto more =
      e.emit("stablehlo.compare",
             {cond_args[0], emit_i32(e, s.length)},
             {{DType::kBool, {}}},
             "comparison_direction = #stablehlo<comparison_direction LT>");
  const std::string cond = e.end_region(more);
  const auto args = e.begin_region(types);
  const std::string turn = e.end_region(emit_turn(e, n, args));
  const auto out = e.emit("stablehlo.while", init, types, "", {cond, turn});
  for (size_t i = 0; i < n.types.size(); ++i) {
    e.bind(const_cast<Node&>(n).out(static_cast<int>(i)), out[1 + i]);
  }
}

std::vector<HostArray> eval_scan(const EvalContext& c) {
  const ScanSplit s = split_of(c.node.attrs);
  const bool reverse = c.node.attrs.i("reverse") != 0;
  std::vector<HostArray> args(c.x.begin(), c.x.end());
  std::vector<HostArray> out(args.begin(),
                             args.begin() + static_cast<long>(s.carry));
  for (size_t i = s.carry; i < c.node.types.size(); ++i) {
    out.emplace_back(c.node.types[i]);
  }
  for (int64_t t = 0; t < s.length; ++t) {
    const auto at = static_cast<size_t>(reverse ? s.length - 1 - t : t);
    for (size_t k = s.carry; k < s.carry + s.xs; ++k) {
      HostArray one(slice_type(c.x[k].type()));
      std::copy_n(
          c.x[k].data() + at * one.bytes(), one.bytes(), one.mutable_data());
      args[k] = one;
    }
    const auto step = ir::evaluate(*c.node.regions[0], args);
    for (size_t k = 0; k < step.size(); ++k) {
      if (k < s.carry) {
        args[k] = step[k];
        out[k] = step[k];
      } else {
        std::copy_n(step[k].data(),
                    step[k].bytes(),
                    out[k].mutable_data() + at * step[k].bytes());
      }
    }
  }
  return out;
}

// The state becomes the last carry.
Values thread_scan(const Node& n,
                   const Values& inputs,
                   const Value& state,
                   Regions regions) {
  const size_t carry = split_of(n.attrs).carry;
  std::vector<size_t> order;
  for (size_t i = 0; i < carry; ++i) order.push_back(i);
  order.push_back(inputs.size());
  for (size_t i = carry; i < inputs.size(); ++i) order.push_back(i);
  regions[0] = reorder_inputs(*regions[0], order);
  const auto at = static_cast<long>(carry);
  Values outs = regions[0]->outputs();
  std::rotate(outs.begin() + at, outs.end() - 1, outs.end());
  regions[0]->set_outputs(outs);
  Values in = inputs;
  in.insert(in.begin() + at, state);
  Attrs attrs = n.attrs;
  attrs.set("num_carry", static_cast<int64_t>(carry) + 1);
  Values made = state.graph().add(*n.op, in, attrs, std::move(regions)).outs();
  std::rotate(made.begin() + at, made.begin() + at + 1, made.end());
  return made;
}

}  // namespace

constexpr OpDef kScan{
    .name = "scan",
    .infer = infer_scan,
    .vjp = scan_vjp,
    .lower = lower_scan,
    .eval = eval_scan,
    .batch = batch_scan,
    .prune = prune_scan,
    .unroll = unroll_scan,
    .thread = thread_scan,
    .flops =
        [](const Node& n) {
          return static_cast<double>(n.attrs.i("length")) *
                 ir::flops(*n.regions[0]);
        },
    .cast = Cast::kKeep,
};

ScanResult scan(const ScanBody& body,
                const Values& carry,
                const Values& xs,
                const ScanOptions& options) {
  int64_t length = options.length;
  for (const Value& x : xs) {
    if (length < 0 && x.rank() > 0) length = x.dim(0);
    if (x.rank() < 1 || x.dim(0) != length) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format(
              "scan: xs want {} slices, got {}", length, x.type().str()));
    }
  }
  if (length < 0 || (carry.empty() && xs.empty())) {
    throw Error(Code::kInvalidArgument,
                "scan: no xs, so `length` and a carry are needed");
  }
  // The body may use values of the trace that is under way, so the loop goes
  // there even if all operands come from further out.
  Graph& outer =
      ir::Tracing::innermost((carry.empty() ? xs : carry)[0].graph());
  auto inner = std::make_unique<Graph>(&outer);
  Values c;
  Values x;
  for (const Value& v : carry) c.push_back(inner->input(v.type(), "carry"));
  for (const Value& v : xs)
    x.push_back(inner->input(slice_type(v.type()), "x"));
  {
    const ir::Tracing tracing(*inner);
    auto [next, ys] = body(c, x);
    if (next.size() != carry.size()) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("scan: body returned {} carries, wanted {}",
                              next.size(),
                              carry.size()));
    }
    next.insert(next.end(), ys.begin(), ys.end());
    inner->set_outputs(next);
  }
  Values inputs = carry;
  inputs.insert(inputs.end(), xs.begin(), xs.end());
  const Values captures = inner->captures();
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  inner->close();
  std::vector<std::unique_ptr<Graph>> regions;
  regions.push_back(std::move(inner));
  Node& n = outer.add(kScan,
                      inputs,
                      {{"num_carry", static_cast<int64_t>(carry.size())},
                       {"num_xs", static_cast<int64_t>(xs.size())},
                       {"length", length},
                       {"reverse", int64_t{options.reverse}},
                       {"remat", options.remat.text},
                       {"recompute", int64_t{0}}},
                      std::move(regions));
  ScanResult r;
  for (size_t i = 0; i < n.types.size(); ++i) {
    (i < carry.size() ? r.carry : r.ys).push_back(n.out(static_cast<int>(i)));
  }
  return r;
}

}  // namespace kexue::ops
