#include "kexue/ops/batch_rules.h"

#include "kexue/ops/batching.h"
#include "kexue/ops/einsum_spec.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops::detail {
namespace {

using Dims = std::vector<int64_t>;

// Axes of one example as axes of the stack of examples.
Dims shifted(Dims axes) {
  for (int64_t& a : axes) ++a;
  return axes;
}

Value stacked(const BatchContext& c, size_t i) {
  return c.batched[i] ? c.x[i] : repeat(c.x[i], c.size);
}

Values again(const BatchContext& c, const Values& in, const Attrs& attrs) {
  return in[0].graph().add(*c.node.op, in, attrs).outs();
}

}  // namespace

Values batch_broadcast(const BatchContext& c) {
  const Shape shape(with_lead(c.size, c.node.types[0].shape.dims()));
  return {broadcast_in_dim(
      c.x[0], shape, with_lead(0, shifted(c.node.attrs.ints("dims"))))};
}

Values batch_reshape(const BatchContext& c) {
  return {reshape(c.x[0], with_lead(c.size, c.node.types[0].shape.dims()))};
}

Values batch_transpose(const BatchContext& c) {
  return {transpose(c.x[0], with_lead(0, shifted(c.node.attrs.ints("perm"))))};
}

Values batch_concatenate(const BatchContext& c) {
  Values parts;
  for (size_t i = 0; i < c.x.size(); ++i) parts.push_back(stacked(c, i));
  const int64_t axis = canonical_axis(
      c.node.attrs.i("axis"), c.node.types[0].shape.rank(), "concatenate");
  return {concatenate(parts, axis + 1)};
}

Values batch_slice(const BatchContext& c) {
  return {slice(c.x[0],
                with_lead(0, c.node.attrs.ints("start")),
                with_lead(c.size, c.node.attrs.ints("limit")))};
}

Values batch_pad(const BatchContext& c) {
  const Dims low = with_lead(0, c.node.attrs.ints("low"));
  const Dims high = with_lead(0, c.node.attrs.ints("high"));
  const Value x = stacked(c, 0);
  if (!c.batched[1]) {
    return again(c, {x, c.x[1]}, {{"low", low}, {"high", high}});
  }
  // A filler for each example: pad with anything, then select.
  const Value yes =
      x.graph()
          .add(kConstant,
               {},
               {{"value", HostArray::full({DType::kBool, {}}, 1)}})
          .out();
  const Value inside = pad(broadcast_to(yes, x.shape()), low, high);
  const Value padded = pad(x, low, high);
  return {
      select(inside, padded, broadcast_in_dim(c.x[1], padded.shape(), {0}))};
}

Values batch_over_axes(const BatchContext& c) {
  Attrs attrs = c.node.attrs;
  attrs.set("axes", shifted(attrs.ints("axes")));
  return again(c, c.x, attrs);
}

Values batch_matmul(const BatchContext& c) {
  const EinsumSpec s = parse_einsum(c.node.attrs.s("spec"));
  char letter = 'z';
  while ((s.a + s.b).find(letter) != std::string::npos) --letter;
  const auto with = [&](const std::string& term, bool batched) {
    return batched ? letter + term : term;
  };
  const bool factors = c.batched[0] || c.batched[1];
  const bool own_bias = c.x.size() == 3 && c.batched[2];
  Attrs attrs = c.node.attrs;
  attrs.set("spec",
            with(s.a, c.batched[0]) + "," + with(s.b, c.batched[1]) + "->" +
                with(s.out, factors));
  Values in = c.x;
  if (own_bias) in.pop_back();
  const Value y = again(c, in, attrs)[0];
  if (!own_bias) return {y};
  // Only a bias that all examples share fits into the product.
  const Value bias = convert(c.x[2], y.dtype());
  const Shape full(with_lead(c.size, c.node.types[0].shape.dims()));
  Dims dims = {0};
  for (int64_t a = 1; a < bias.rank(); ++a) {
    dims.push_back(full.rank() - bias.rank() + a);
  }
  return {broadcast_to(y, full) + broadcast_in_dim(bias, full, dims)};
}

}  // namespace kexue::ops::detail
