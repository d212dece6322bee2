// Batch rules of loops and branches that all examples go through together.
// Where examples go different ways, each is run alone: a branch or a turn that
// an example does not take is never computed for it.
#include <algorithm>

#include "kexue/ops/batch_rules.h"
#include "kexue/ops/batching.h"
#include "kexue/ops/region.h"

namespace kexue::ops::detail {
namespace {

TensorType with_examples(TensorType one, bool batched, int64_t size) {
  if (batched) one.shape = Shape(with_lead(size, one.shape.dims()));
  return one;
}

// `region` for all examples. Outputs that are the same for all of them are
// repeated where `wide` says so.
std::unique_ptr<Graph> batched_region(const Graph& region,
                                      const std::vector<bool>& batched,
                                      const std::vector<bool>& wide,
                                      int64_t size) {
  auto made = std::make_unique<Graph>();
  Batched args{{}, batched};
  for (size_t i = 0; i < batched.size(); ++i) {
    args.values.push_back(made->input(
        with_examples(region.inputs()[i].type(), batched[i], size)));
  }
  Batched outs = batch_graph(region, args, size, *made);
  const ir::Tracing tracing(*made);
  for (size_t i = 0; i < wide.size(); ++i) {
    if (wide[i] && !outs.batched[i])
      outs.values[i] = repeat(outs.values[i], size);
  }
  made->set_outputs(outs.values);
  return made;
}

}  // namespace

Values batch_case(const BatchContext& c) {
  if (c.batched[0]) return batch_by_loop(c);
  const std::vector<bool> operands(c.batched.begin() + 1, c.batched.end());
  const std::vector<bool> all(c.node.types.size(), true);
  Regions regions;
  for (const auto& r : c.node.regions) {
    regions.push_back(batched_region(*r, operands, all, c.size));
  }
  return ir::Tracing::current()
      .add(*c.node.op, c.x, c.node.attrs, std::move(regions))
      .outs();
}

Values batch_while(const BatchContext& c) {
  const Graph& cond = *c.node.regions[0];
  const Graph& body = *c.node.regions[1];
  const size_t carry = c.node.types.size();
  // Carries that some turn makes different.
  std::vector<bool> flags = c.batched;
  for (bool grew = true; grew;) {
    grew = false;
    const auto outs = batched_outputs(body, flags);
    for (size_t i = 0; i < carry; ++i) {
      if (outs[i] && !flags[i]) flags[i] = grew = true;
    }
  }
  if (batched_outputs(cond, flags)[0]) return batch_by_loop(c);
  Values inputs = c.x;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (flags[i] && !c.batched[i]) inputs[i] = repeat(inputs[i], c.size);
  }
  const std::vector<bool> wide(flags.begin(),
                               flags.begin() + static_cast<long>(carry));
  Regions regions;
  regions.push_back(batched_region(cond, flags, {}, c.size));
  regions.push_back(batched_region(body, flags, wide, c.size));
  Values out = ir::Tracing::current()
                   .add(*c.node.op, inputs, c.node.attrs, std::move(regions))
                   .outs();
  for (size_t i = 0; i < carry; ++i) {
    if (!wide[i]) out[i] = repeat(out[i], c.size);
  }
  return out;
}

}  // namespace kexue::ops::detail
