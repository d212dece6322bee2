// Scatter; declared in gather.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/gather.h"
#include "kexue/ops/gather_dims.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

using namespace detail;

constexpr std::string_view kNames[] = {"set", "add", "multiply", "max", "min"};

Combine combine_of(const Node& n) {
  const auto* at =
      std::find(std::begin(kNames), std::end(kNames), n.attrs.s("combine"));
  return static_cast<Combine>(at - std::begin(kNames));
}

TypeList infer_scatter(const InferContext& c) {
  want_inputs(c, 3);
  const std::string& how = c.attrs.s("combine");
  if (how == "max" || how == "min") refuse_complex(c);
  const GatherDims d = gather_dims(c.attrs);
  check_dims(c, d);
  const Shape& x = c.type(0).shape;
  const Shape& u = c.type(2).shape;
  const auto list = list_shape(d, c.type(1).shape);
  bool fits = c.type(2).dtype == c.type(0).dtype &&
              u.dims().size() == list.size() + d.offset.size();
  if (fits) {
    const auto rest = list_dims(d, u.rank());
    for (size_t k = 0; k < rest.size(); ++k) fits &= u[rest[k]] == list[k];
    const auto sizes = block_sizes(d, x.rank(), u);
    for (const int64_t a : window_axes(d, x.rank())) {
      fits &= sizes[static_cast<size_t>(a)] <= x[a];
    }
  }
  if (!fits) refuse(c, "updates do not fit");
  return {c.type(0)};
}

// What the rules need: where the updates lie, and back.
struct Target {
  GatherDims d;
  Value ids;
  Shape updates;
  std::vector<int64_t> sizes;

  Value read(const Value& x) const { return gather(x, ids, d, sizes); }
  // A value for each place, repeated over its block.
  Value spread(const Value& list) const {
    return broadcast_in_dim(list, updates, list_dims(d, updates.rank()));
  }
};

// bool, like the updates: the block is inside x.
Value inside(const Target& t, const Shape& x) {
  const Value last = last_places(t.ids, t.d, x, t.sizes);
  Value ok =
      bit_and(greater_equal(t.ids, zeros_like(t.ids)), less_equal(t.ids, last));
  if (t.d.index_vector < t.ids.rank()) ok = min(ok, {t.d.index_vector});
  return t.spread(ok);
}

// The update that is kept is the last one: the largest position in the list.
Values vjp_of_set(const VjpContext& c, const Target& t) {
  const TensorType type{DType::kI32, c.x[0].shape()};
  const auto list = list_shape(t.d, t.ids.shape());
  Graph& g = t.ids.graph();
  const Value flat = g.add(kIota,
                           {},
                           {{"dtype", DType::kI32},
                            {"shape", std::vector<int64_t>{Shape(list).size()}},
                            {"axis", int64_t{0}}})
                         .out();
  const Value mine = t.spread(reshape(flat, list));
  const Value none = broadcast_to(scalar_like(flat, -1), type.shape);
  const Value last = scatter(none, t.ids, mine, t.d, Combine::kKeepLarger);
  const Value zero = zeros_like(c.dy);
  Values out(3);
  if (c.needs[0]) out[0] = select(less(last, zeros_like(last)), c.dy, zero);
  if (c.needs[2]) {
    const Value read = t.read(c.dy);
    out[2] = select(equal(t.read(last), mine), read, zeros_like(read));
  }
  return out;
}

Values vjp_of_extremum(const VjpContext& c, const Target& t) {
  const Value zero = zeros_like(c.dy);
  const Value hit =
      bit_and(equal(t.read(c.y), c.x[2]), inside(t, c.x[0].shape()));
  const Value kept = convert(equal(c.y, c.x[0]), c.dy.dtype());
  const Value ties =
      scatter(kept, t.ids, convert(hit, c.dy.dtype()), t.d, Combine::kAddTo);
  // No ties at all: a NaN, which equals nothing.
  const Value share = c.dy / maximum(ties, ones_like(ties));
  Values out(3);
  if (c.needs[0]) out[0] = select(equal(c.y, c.x[0]), share, zero);
  if (c.needs[2]) {
    const Value read = t.read(share);
    out[2] = select(hit, read, zeros_like(read));
  }
  return out;
}

Values scatter_vjp(const VjpContext& c) {
  const GatherDims d = gather_dims(c.node.attrs);
  const Shape& updates = c.x[2].shape();
  const Shape& x = c.x[0].shape();
  if (updates.size() == 0 || x.size() == 0) {
    return {c.dy, Value{}, zeros_like(c.x[2])};
  }
  const Target t{d, c.x[1], updates, block_sizes(d, x.rank(), updates)};
  switch (combine_of(c.node)) {
    case Combine::kSet:
      return vjp_of_set(c, t);
    case Combine::kAddTo: {
      if (!c.needs[2]) return {c.dy, Value{}, Value{}};
      const Value read = t.read(c.dy);
      return {c.dy, Value{}, select(inside(t, x), read, zeros_like(read))};
    }
    case Combine::kMultiplyBy:
      throw Error(Code::kUnsupported,
                  "scatter: combining by multiply has no derivative",
                  "add logarithms with Combine::kAddTo instead");
    default:
      return vjp_of_extremum(c, t);
  }
}

void lower_scatter(Emitter& e, const Node& n) {
  constexpr std::string_view kBodies[] = {"",
                                          "stablehlo.add",
                                          "stablehlo.multiply",
                                          "stablehlo.maximum",
                                          "stablehlo.minimum"};
  if (n.types[0].shape.size() == 0 || n.inputs[2].shape().size() == 0) {
    e.bind(const_cast<Node&>(n).out(), e.get(n.inputs[0]));
    return;
  }
  const GatherDims d = gather_dims(n.attrs);
  const Combine how = combine_of(n);
  const TensorType scalar{n.types[0].dtype, {}};
  const auto args = e.begin_region({scalar, scalar});
  auto y = args[1];
  if (how != Combine::kSet) {
    const auto body = kBodies[static_cast<size_t>(how)];
    y = e.emit(body, {args[0], args[1]}, {scalar})[0];
  }
  const std::string region = e.end_region({y});
  const auto list = [](const std::vector<int64_t>& v) {
    return fmt::format("[{}]", fmt::join(v, ", "));
  };
  std::string batch;
  if (!d.x_batch.empty()) {
    batch = fmt::format(
        "input_batching_dims = {}, scatter_indices_batching_dims = {}, ",
        list(d.x_batch),
        list(d.index_batch));
  }
  e.emit(n,
         "stablehlo.scatter",
         fmt::format("scatter_dimension_numbers = #stablehlo.scatter<"
                     "update_window_dims = {}, inserted_window_dims = {}, {}"
                     "scatter_dims_to_operand_dims = {}, index_vector_dim = "
                     "{}>, indices_are_sorted = false, unique_indices = false",
                     list(d.offset),
                     list(d.collapsed),
                     batch,
                     list(d.index_map),
                     d.index_vector),
         {region});
}

template <class T>
T combined(Combine how, T a, T b) {
  using U = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;
  switch (how) {
    case Combine::kSet:
      return b;
    case Combine::kAddTo:
      return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    case Combine::kMultiplyBy:
      return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
    default:
      break;
  }
  if constexpr (std::is_arithmetic_v<T>) {  // infer refuses complex ones
    if (a != a) return a;
    return (how == Combine::kKeepLarger ? a > b : a < b) ? a : b;
  }
  return b;
}

std::vector<HostArray> eval_scatter(const EvalContext& c) {
  const GatherDims d = gather_dims(c.node.attrs);
  const Combine how = combine_of(c.node);
  const Shape& shape = c.x[0].shape();
  const Shape& u = c.x[2].shape();
  const Places places(d, block_sizes(d, shape.rank(), u), shape, c.x[1]);
  const auto run = [&](auto x, const auto& updates) {
    IndexWalk it(u);
    for (size_t i = 0; i < updates.size(); ++i, it.next()) {
      const int64_t at = places.at(it.index(), false);
      if (at < 0) continue;
      auto& slot = x[static_cast<size_t>(at)];
      slot = combined(how, slot, updates[i]);
    }
    return x;
  };
  const TensorType& type = c.node.types[0];
  if (is_complex(type.dtype)) {
    return {HostArray::from_complexes(
        type, run(c.x[0].to_complexes(), c.x[2].to_complexes()))};
  }
  if (is_float(type.dtype)) {
    return {make_floats(type, run(c.x[0].to_doubles(), c.x[2].to_doubles()))};
  }
  return {make_ints(type, run(c.x[0].to_ints(), c.x[2].to_ints()))};
}

Values batch_scatter(const BatchContext& c) {
  const GatherDims d = gather_dims(c.node.attrs);
  Values in;
  for (size_t i = 0; i < 3; ++i) {
    const bool shared = i == 1 && !c.batched[1];
    auto dims = c.x[i].shape().dims();
    if (!c.batched[i]) dims.insert(dims.begin(), c.size);
    in.push_back(c.batched[i] || shared ? c.x[i]
                                        : broadcast_to(c.x[i], Shape(dims)));
  }
  return {scatter(in[0],
                  in[1],
                  in[2],
                  with_batch(d, true, c.batched[1]),
                  combine_of(c.node))};
}

}  // namespace

// Inputs: x, indices, updates.
constexpr OpDef kScatter{
    .name = "scatter",
    .infer = infer_scatter,
    .vjp = scatter_vjp,
    .lower = lower_scatter,
    .eval = eval_scatter,
    .batch = batch_scatter,
};

Value scatter(const Arg& x,
              const Value& indices,
              const Value& updates,
              const GatherDims& dims,
              Combine combine) {
  Attrs attrs = to_attrs(dims);
  attrs.set("combine", std::string(kNames[static_cast<size_t>(combine)]));
  return x.graph().add(kScatter, {x, indices, updates}, attrs).out();
}

}  // namespace kexue::ops
