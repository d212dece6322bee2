#include "kexue/ops/batching.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "kexue/base/error.h"
#include "kexue/ir/clone.h"
#include "kexue/ir/location.h"
#include "kexue/ops/control.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

bool any(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), true) != flags.end();
}

Values batch_node(const BatchContext& c) {
  const OpDef& op = *c.node.op;
  Values out = op.batch != nullptr     ? op.batch(c)
               : op.compose != nullptr ? batch_composition(c)
                                       : batch_by_loop(c);
  for (size_t i = 0; i < c.node.types.size(); ++i) {
    const TensorType want{
        c.node.types[i].dtype,
        Shape(with_lead(c.size, c.node.types[i].shape.dims()))};
    if (out.at(i).type() != want) {
      throw Error(Code::kInternal,
                  fmt::format("{}: batched to {}, wanted {}",
                              op.name,
                              out[i].type().str(),
                              want.str()));
    }
  }
  return out;
}

}  // namespace

std::vector<int64_t> with_lead(int64_t size, const std::vector<int64_t>& dims) {
  std::vector<int64_t> out = {size};
  out.insert(out.end(), dims.begin(), dims.end());
  return out;
}

Value repeat(const Value& x, int64_t size) {
  return broadcast_to(x, Shape(with_lead(size, x.shape().dims())));
}

std::vector<bool> batched_outputs(const Graph& graph,
                                  const std::vector<bool>& batched_inputs) {
  std::vector<bool> hit(graph.nodes().size(), false);
  const auto at = [&](const Value& v) -> std::vector<bool>::reference {
    return hit[static_cast<size_t>(v.node()->id)];
  };
  for (size_t i = 0; i < batched_inputs.size(); ++i) {
    at(graph.inputs()[i]) = batched_inputs[i];
  }
  for (const auto& node : graph.nodes()) {
    for (const Value& v : node->inputs) {
      if (at(v)) hit[static_cast<size_t>(node->id)] = true;
    }
  }
  std::vector<bool> out;
  for (const Value& v : graph.outputs()) out.push_back(at(v));
  return out;
}

Batched batch_graph(const Graph& graph,
                    const Batched& args,
                    int64_t size,
                    Graph& into) {
  const ir::Tracing tracing(into);
  std::unordered_map<Value, std::pair<Value, bool>, ir::ValueHash> made;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    made[graph.inputs()[i]] = {args.values.at(i), args.batched.at(i)};
  }
  const auto lookup = [&](const Values& values) {
    Batched out;
    for (const Value& v : values) {
      const auto& [value, flag] = made.at(v);
      out.values.push_back(value);
      out.batched.push_back(flag);
    }
    return out;
  };
  for (const auto& node : graph.nodes()) {
    if (ir::is_input(*node)) continue;
    const ir::NodeOrigin origin(*node);
    const Batched in = lookup(node->inputs);
    const bool differs = any(in.batched);
    const Values out = differs
                           ? batch_node({*node, in.values, in.batched, size})
                           : ir::clone_node(*node, in.values, into).outs();
    for (size_t i = 0; i < out.size(); ++i) {
      made[node->out(static_cast<int>(i))] = {out[i], differs};
    }
  }
  return lookup(graph.outputs());
}

Values batch_composition(const BatchContext& c) {
  Graph plain;
  Values args;
  for (const Value& v : c.node.inputs) args.push_back(plain.input(v.type()));
  {
    const ir::Tracing tracing(plain);
    plain.set_outputs(c.node.op->compose(c.node, args));
  }
  Graph& into = ir::Tracing::current();
  Batched out = batch_graph(plain, {c.x, c.batched}, c.size, into);
  for (size_t i = 0; i < out.values.size(); ++i) {
    if (!out.batched[i]) out.values[i] = repeat(out.values[i], c.size);
  }
  return out.values;
}

Values batch_by_loop(const BatchContext& c) {
  Values stacks;
  for (size_t i = 0; i < c.x.size(); ++i) {
    if (c.batched[i]) stacks.push_back(c.x[i]);
  }
  const auto body = [&](const Values&, const Values& slices) {
    Values in = c.x;
    size_t k = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      if (c.batched[i]) in[i] = slices[k++];
    }
    Node& one = ir::clone_node(c.node, in, ir::Tracing::current());
    return std::pair(Values{}, one.outs());
  };
  return scan(body, {}, stacks).ys;
}

}  // namespace kexue::ops
