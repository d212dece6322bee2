#include "kexue/ops/sort.h"

#include <fmt/format.h>

#include <numeric>

#include "kexue/ops/index.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

Value positions(const Value& x, int64_t axis) {
  return x.graph()
      .add(
          kIota,
          {},
          {{"dtype", DType::kI32}, {"shape", x.shape().dims()}, {"axis", axis}})
      .out();
}

TypeList infer_sort(const InferContext& c) {
  if (c.inputs.empty()) refuse(c, "wants keys");
  TypeList out;
  for (const Value& v : c.inputs) {
    if (v.shape() != c.type(0).shape) refuse(c, "wants values of one shape");
    out.push_back(v.type());
  }
  if (is_complex(c.type(0).dtype)) refuse(c, "complex numbers have no order");
  canonical_axis(c.attrs.i("axis"), c.type(0).shape.rank(), "sort");
  return out;
}

// The last output is the permutation, unless it was pruned.
Value permutation(const VjpContext& c) {
  if (c.node.attrs.i("indexed") != 0) {
    return c.node.out(static_cast<int>(c.node.types.size()) - 1);
  }
  return argsort(c.x[0],
                 {.axis = c.node.attrs.i("axis"),
                  .descending = c.node.attrs.i("descending") != 0});
}

Values sort_vjp(const VjpContext& c) {
  const Value from = permutation(c);
  Values out(c.x.size());
  for (size_t i = 0; i < out.size(); ++i) {
    if (!c.dys[i] || !c.needs[i]) continue;
    out[i] = put_along_axis(zeros_like(c.x[i]),
                            from,
                            c.dys[i],
                            c.node.attrs.i("axis"),
                            Combine::kAddTo);
  }
  return out;
}

Values prune_sort(const Node& n,
                  const Values& inputs,
                  const std::vector<bool>& used) {
  Values in = {inputs[0]};
  std::vector<int> place = {0};
  for (size_t i = 1; i < inputs.size(); ++i) {
    place.push_back(used[i] ? static_cast<int>(in.size()) : -1);
    if (used[i]) in.push_back(inputs[i]);
  }
  if (in.size() == inputs.size()) return {};
  Attrs attrs = n.attrs;
  attrs.set("indexed", n.attrs.i("indexed") & (used.back() ? 1 : 0));
  Node& made = in[0].graph().add(*n.op, in, attrs);
  Values out;
  for (const int p : place) out.push_back(p < 0 ? Value{} : made.out(p));
  return out;
}

// Any axis, any real key; nothing to order needs no call.
std::string_view sort_kernel(const Node& n) {
  return n.types[0].shape.size() > 0 ? "kexue_sort" : "";
}

void lower_sort(Emitter& e, const Node& n) {
  const bool down = n.attrs.i("descending") != 0;
  if (e.use_kernel(n.op->kernel(n))) {
    e.custom_call(n,
                  n.op->kernel(n),
                  fmt::format("axis = {} : i64, descending = {} : i64",
                              n.attrs.i("axis"),
                              down ? 1 : 0));
    return;
  }
  TypeList types;
  for (const auto& t : n.types) types.insert(types.end(), 2, {t.dtype, {}});
  const auto args = e.begin_region(types);
  const TensorType yes{DType::kBool, {}};
  const auto compare = [&](const auto& a, const auto& b, const char* how) {
    return e.emit(
        "stablehlo.compare",
        {a, b},
        {yes},
        fmt::format(
            "comparison_direction = #stablehlo<comparison_direction {}>", how));
  };
  auto before = compare(args[0], args[1], down ? "GT" : "LT");
  if (is_float(n.types[0].dtype)) {
    const auto a = compare(args[0], args[0], "EQ")[0];
    const auto b = compare(args[1], args[1], "NE")[0];
    const auto last = e.emit("stablehlo.and", {a, b}, {yes})[0];
    before = e.emit("stablehlo.or", {before[0], last}, {yes});
  }
  const std::string region = e.end_region(before);
  e.emit(
      n,
      "stablehlo.sort",
      fmt::format("dimension = {} : i64, is_stable = true", n.attrs.i("axis")),
      {region});
}

// For each place along a line, the place its element comes from.
template <class T>
std::vector<int64_t> line_order(const std::vector<T>& keys,
                                int64_t first,
                                int64_t step,
                                int64_t size,
                                bool down) {
  const auto key = [&](int64_t i) {
    return keys[static_cast<size_t>(first + i * step)];
  };
  std::vector<int64_t> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
    const T a = key(i);
    const T b = key(j);
    return (down ? a > b : a < b) || (a == a && b != b);
  });
  return order;
}

std::vector<HostArray> eval_sort(const EvalContext& c) {
  const int64_t axis = c.node.attrs.i("axis");
  const bool down = c.node.attrs.i("descending") != 0;
  const Shape& shape = c.x[0].shape();
  std::vector<HostArray> out;
  for (const auto& type : c.node.types) out.emplace_back(type);
  const int64_t step = shape.strides()[static_cast<size_t>(axis)];
  const auto move = [&](const auto& keys) {
    auto starts = shape.dims();
    starts[static_cast<size_t>(axis)] = 1;
    const Shape lines(starts);
    IndexWalk it(lines);
    for (int64_t n = shape.size() == 0 ? 0 : lines.size(); n > 0;
         --n, it.next()) {
      const int64_t first = offset_of(shape.strides(), it.index());
      const auto order = line_order(keys, first, step, shape[axis], down);
      for (size_t k = 0; k < out.size(); ++k) {
        const size_t w = size_bytes(out[k].dtype());
        for (size_t i = 0; i < order.size(); ++i) {
          const auto to = first + static_cast<int64_t>(i) * step;
          const auto from = first + order[i] * step;
          std::copy_n(c.x[k].data() + static_cast<size_t>(from) * w,
                      w,
                      out[k].mutable_data() + static_cast<size_t>(to) * w);
        }
      }
    }
  };
  if (is_float(c.x[0].dtype())) {
    move(c.x[0].to_doubles());
  } else {
    move(c.x[0].to_ints());
  }
  return out;
}

// Another leading axis on every input.
Values batch_sort(const BatchContext& c) {
  Values in;
  for (size_t i = 0; i < c.x.size(); ++i) {
    auto dims = c.x[i].shape().dims();
    if (!c.batched[i]) dims.insert(dims.begin(), c.size);
    in.push_back(c.batched[i] ? c.x[i] : broadcast_to(c.x[i], Shape(dims)));
  }
  Attrs attrs = c.node.attrs;
  attrs.set("axis", attrs.i("axis") + 1);
  return in[0].graph().add(*c.node.op, in, attrs).outs();
}

}  // namespace

// Inputs: keys, values that move with them. If "indexed", the last input is
// iota along the axis: its output is the permutation.
constexpr OpDef kSort{
    .name = "sort",
    .infer = infer_sort,
    .vjp = sort_vjp,
    .lower = lower_sort,
    .eval = eval_sort,
    .batch = batch_sort,
    .kernel = sort_kernel,
    .prune = prune_sort,
};

namespace {

// Outputs: keys, values, the permutation.
Values sort_node(const Value& keys,
                 const Values& values,
                 const SortOptions& o) {
  const int64_t axis = canonical_axis(o.axis, keys.rank(), "sort");
  Values in = {keys};
  in.insert(in.end(), values.begin(), values.end());
  in.push_back(positions(keys, axis));
  return keys.graph()
      .add(kSort,
           in,
           {{"axis", axis},
            {"descending", int64_t{o.descending}},
            {"indexed", int64_t{1}}})
      .outs();
}

TypeList infer_top_k(const InferContext& c) {
  want_inputs(c, 1);
  const Shape& shape = c.type(0).shape;
  const int64_t axis = canonical_axis(c.attrs.i("axis"), shape.rank(), "top_k");
  auto dims = shape.dims();
  dims[static_cast<size_t>(axis)] = c.attrs.i("k");
  return {{c.type(0).dtype, Shape(dims)}, {DType::kI32, Shape(dims)}};
}

Values compose_top_k(const Node& n, const Values& in) {
  const int64_t axis = n.attrs.i("axis");
  const int64_t k = n.attrs.i("k");
  const Values all = sort_node(in[0], {}, {.axis = axis, .descending = true});
  return {slice_axis(all[0], axis, 0, k), slice_axis(all[1], axis, 0, k)};
}

// Few of many: the kernel keeps its best in order by insertion.
std::string_view top_k_kernel(const Node& n) {
  constexpr int64_t kMost = 64;
  const int64_t k = n.attrs.i("k");
  const TensorType& x = n.inputs[0].type();
  const bool fits = x.dtype == DType::kF32 && x.shape.size() > 0 &&
                    n.attrs.i("axis") == x.shape.rank() - 1 && k > 0 &&
                    k <= kMost && 8 * k <= x.shape[-1];
  return fits ? "kexue_top_k" : "";
}

}  // namespace

// Outputs: values, i32 indices.
constexpr OpDef kTopK{
    .name = "top_k",
    .infer = infer_top_k,
    .vjp = [](const VjpContext& c) -> Values {
      if (!c.dys[0]) return {Value{}};
      return {put_along_axis(zeros_like(c.x[0]),
                             c.node.out(1),
                             c.dys[0],
                             c.node.attrs.i("axis"),
                             Combine::kAddTo)};
    },
    .lower = [](Emitter& e,
                const Node& n) { e.custom_call(n, "kexue_top_k", ""); },
    .batch = [](const BatchContext& c) -> Values {
      Attrs attrs = c.node.attrs;
      attrs.set("axis", attrs.i("axis") + 1);
      return c.x[0].graph().add(*c.node.op, c.x, attrs).outs();
    },
    .compose = compose_top_k,
    .kernel = top_k_kernel,
};

Value sort(const Arg& x, const SortOptions& options) {
  return sort_node(x, {}, options)[0];
}

Value argsort(const Arg& x, const SortOptions& options) {
  return sort_node(x, {}, options)[1];
}

Values sort_by_key(const Arg& keys,
                   const Values& values,
                   const SortOptions& options) {
  Values out = sort_node(keys, values, options);
  out.pop_back();
  return out;
}

TopK top_k(const Arg& x, int64_t k, int64_t axis) {
  axis = canonical_axis(axis, x.rank(), "top_k");
  if (k < 0 || k > x.dim(axis)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("top_k: no {} elements along axis {} of {}",
                            k,
                            axis,
                            x.type().str()));
  }
  Node& n = x.graph().add(kTopK, {x}, {{"k", k}, {"axis", axis}});
  return {n.out(0), n.out(1)};
}

}  // namespace kexue::ops
