#include "kexue/ops/gather.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/gather_dims.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

using namespace detail;

std::string list_text(std::string_view name, const std::vector<int64_t>& v) {
  return fmt::format("{} = [{}], ", name, fmt::join(v, ", "));
}

TypeList infer_gather(const InferContext& c) {
  want_inputs(c, 2);
  const GatherDims d = gather_dims(c.attrs);
  const auto& sizes = c.attrs.ints("sizes");
  const Shape& x = c.type(0).shape;
  check_dims(c, d);
  if (static_cast<int64_t>(sizes.size()) != x.rank()) {
    refuse(c, "wants a block size per dim of x");
  }
  for (size_t a = 0; a < sizes.size(); ++a) {
    if (sizes[a] < 0 || sizes[a] > x.dims()[a]) {
      refuse(
          c,
          fmt::format("a block of {} along dim {} does not fit", sizes[a], a));
    }
  }
  const auto window = window_axes(d, x.rank());
  for (const auto* dims : {&d.collapsed, &d.x_batch}) {
    for (const int64_t a : *dims) {
      if (sizes[static_cast<size_t>(a)] != 1) {
        refuse(c, "wants size 1 in collapsed and batch dims");
      }
    }
  }
  const auto list = list_shape(d, c.type(1).shape);
  std::vector<int64_t> dims(list.size() + window.size());
  for (size_t k = 0; k < window.size(); ++k) {
    dims[static_cast<size_t>(d.offset[k])] =
        sizes[static_cast<size_t>(window[k])];
  }
  const auto rest = list_dims(d, static_cast<int64_t>(dims.size()));
  for (size_t k = 0; k < rest.size(); ++k) {
    dims[static_cast<size_t>(rest[k])] = list[k];
  }
  return {{c.type(0).dtype, Shape(dims)}};
}

// Scatter drops what gather clamps, so the places are clamped first.
Values gather_vjp(const VjpContext& c) {
  const GatherDims d = gather_dims(c.node.attrs);
  const Value ids = c.x[1];
  const Value last =
      last_places(ids, d, c.x[0].shape(), c.node.attrs.ints("sizes"));
  const Value at = minimum(maximum(ids, zeros_like(ids)), last);
  return {scatter(zeros_like(c.x[0]), at, c.dy, d, Combine::kAddTo), Value{}};
}

void lower_gather(Emitter& e, const Node& n) {
  const GatherDims d = gather_dims(n.attrs);
  std::string text = list_text("offset_dims", d.offset) +
                     list_text("collapsed_slice_dims", d.collapsed);
  if (!d.x_batch.empty()) {
    text += list_text("operand_batching_dims", d.x_batch) +
            list_text("start_indices_batching_dims", d.index_batch);
  }
  text += list_text("start_index_map", d.index_map);
  e.emit(n,
         "stablehlo.gather",
         fmt::format("dimension_numbers = #stablehlo.gather<{}"
                     "index_vector_dim = {}>, slice_sizes = {}",
                     text,
                     d.index_vector,
                     stablehlo::int_array(n.attrs.ints("sizes"))));
}

std::vector<HostArray> eval_gather(const EvalContext& c) {
  HostArray out(c.node.types[0]);
  const size_t w = size_bytes(out.dtype());
  const Places places(gather_dims(c.node.attrs),
                      c.node.attrs.ints("sizes"),
                      c.x[0].shape(),
                      c.x[1]);
  IndexWalk it(out.shape());
  for (size_t i = 0; i < static_cast<size_t>(out.size()); ++i, it.next()) {
    const auto from = static_cast<size_t>(places.at(it.index(), true));
    std::copy_n(c.x[0].data() + from * w, w, out.mutable_data() + i * w);
  }
  return {out};
}

Values batch_gather(const BatchContext& c) {
  auto sizes = c.node.attrs.ints("sizes");
  if (c.batched[0]) sizes.insert(sizes.begin(), c.batched[1] ? 1 : c.size);
  return {
      gather(c.x[0],
             c.x[1],
             with_batch(gather_dims(c.node.attrs), c.batched[0], c.batched[1]),
             sizes)};
}

}  // namespace

// Inputs: x, indices.
constexpr OpDef kGather{
    .name = "gather",
    .infer = infer_gather,
    .vjp = gather_vjp,
    .lower = lower_gather,
    .eval = eval_gather,
    .batch = batch_gather,
};

Value gather(const Arg& x,
             const Value& indices,
             const GatherDims& dims,
             const std::vector<int64_t>& sizes) {
  Attrs attrs = to_attrs(dims);
  attrs.set("sizes", sizes);
  return x.graph().add(kGather, {x, indices}, attrs).out();
}

}  // namespace kexue::ops
