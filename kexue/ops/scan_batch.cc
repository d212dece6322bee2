#include "kexue/ops/batch_rules.h"
#include "kexue/ops/batching.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops::detail {
namespace {

// [n,length,...] to [length,n,...] and back.
Value swap_leading(const Value& x) {
  std::vector<int64_t> perm = {1, 0};
  for (int64_t a = 2; a < x.rank(); ++a) perm.push_back(a);
  return transpose(x, perm);
}

// Which inputs of the body differ between examples: those that enter so, and
// carries that some turn makes so.
std::vector<bool> differing(const BatchContext& c, size_t num_carry) {
  std::vector<bool> flags = c.batched;
  for (bool grew = true; grew;) {
    grew = false;
    const auto outs = batched_outputs(*c.node.regions[0], flags);
    for (size_t i = 0; i < num_carry; ++i) {
      if (outs[i] && !flags[i]) flags[i] = grew = true;
    }
  }
  return flags;
}

}  // namespace

Values batch_scan(const BatchContext& c) {
  const auto num_carry = static_cast<size_t>(c.node.attrs.i("num_carry"));
  const auto num_xs = static_cast<size_t>(c.node.attrs.i("num_xs"));
  const Graph& body = *c.node.regions[0];
  auto made = std::make_unique<Graph>();
  Batched args{{}, differing(c, num_carry)};
  Values inputs;
  for (size_t i = 0; i < c.x.size(); ++i) {
    Value v = c.x[i];
    if (args.batched[i] && !c.batched[i]) v = repeat(v, c.size);
    const bool is_x = i >= num_carry && i < num_carry + num_xs;
    if (is_x && args.batched[i]) v = swap_leading(v);
    inputs.push_back(v);
    TensorType one = body.inputs()[i].type();
    if (args.batched[i]) {
      one.shape = Shape(with_lead(c.size, one.shape.dims()));
    }
    args.values.push_back(made->input(one));
  }
  Batched outs = batch_graph(body, args, c.size, *made);
  for (size_t i = 0; i < num_carry; ++i) {
    if (args.batched[i] && !outs.batched[i]) {
      outs.values[i] = repeat(outs.values[i], c.size);
      outs.batched[i] = true;
    }
  }
  made->set_outputs(outs.values);
  std::vector<std::unique_ptr<Graph>> regions;
  regions.push_back(std::move(made));
  Graph& into = ir::Tracing::current();
  Values result =
      into.add(*c.node.op, inputs, c.node.attrs, std::move(regions)).outs();
  for (size_t i = 0; i < result.size(); ++i) {
    if (!outs.batched[i]) {
      result[i] = repeat(result[i], c.size);
    } else if (i >= num_carry) {
      result[i] = swap_leading(result[i]);
    }
  }
  return result;
}

}  // namespace kexue::ops::detail
