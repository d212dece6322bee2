#include "kexue/ops/reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "kexue/ops/backprop.h"
#include "kexue/ops/batch_rules.h"
#include "kexue/ops/complex.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

TypeList reduced_type(const InferContext& c) {
  want_inputs(c, 1);
  std::vector<bool> gone(static_cast<size_t>(c.type(0).shape.rank()), false);
  for (const int64_t a : c.attrs.ints("axes")) {
    canonical_axis(a, c.type(0).shape.rank(), "reduce");
    gone[static_cast<size_t>(a)] = true;
  }
  std::vector<int64_t> dims;
  for (size_t i = 0; i < gone.size(); ++i) {
    if (!gone[i]) dims.push_back(c.type(0).shape.dims()[i]);
  }
  return {{c.type(0).dtype, Shape(dims)}};
}

TypeList extremum_type(const InferContext& c) {
  refuse_complex(c);
  return reduced_type(c);
}

// y broadcast back over the reduced axes.
Value expand(const Value& y, const Shape& shape, const Axes& axes) {
  std::vector<int64_t> dims;
  for (int64_t a = 0; a < shape.rank(); ++a) {
    if (std::find(axes.begin(), axes.end(), a) == axes.end()) {
      dims.push_back(a);
    }
  }
  return broadcast_in_dim(y, shape, dims);
}

Values extremum_vjp(const VjpContext& c) {
  const Axes& axes = c.node.attrs.ints("axes");
  const Shape& shape = c.x[0].shape();
  const Value hit =
      convert(equal(c.x[0], expand(c.y, shape, axes)), c.x[0].dtype());
  const Value share = c.dy / sum(hit, axes);
  return {hit * expand(share, shape, axes)};
}

HostArray zero(DType dtype) {
  return HostArray::full({dtype, {}}, 0);
}

void lower_reduce(Emitter& e,
                  const Node& n,
                  std::string_view op,
                  const HostArray& init) {
  const TensorType& scalar = init.type();
  auto x = e.get(n.inputs[0]);
  if (x.type.dtype != scalar.dtype) {
    x = e.emit("stablehlo.convert", {x}, {{scalar.dtype, x.type.shape}})[0];
  }
  const auto start = e.constant(init);
  const auto args = e.begin_region({scalar, scalar});
  const auto body = e.emit(op, {args[0], args[1]}, {scalar});
  const std::string region = e.end_region(body);
  auto out =
      e.emit("stablehlo.reduce",
             {x, start},
             {{scalar.dtype, n.types[0].shape}},
             "dimensions = " + stablehlo::int_array(n.attrs.ints("axes")),
             {region});
  if (scalar.dtype != n.types[0].dtype) {
    out = e.emit("stablehlo.convert", out, {n.types[0]});
  }
  e.bind(const_cast<Node&>(n).out(), out[0]);
}

// Folds every element of `in` into the slot of the result it belongs to.
template <class T, class F>
std::vector<T> fold(const EvalContext& c,
                    const std::vector<T>& in,
                    T init,
                    F&& f) {
  const TensorType& type = c.node.types[0];
  std::vector<T> out(static_cast<size_t>(type.shape.size()), init);
  auto strides = c.x[0].shape().strides();
  const auto& axes = c.node.attrs.ints("axes");
  const auto kept = type.shape.strides();
  for (size_t a = 0, k = 0; a < strides.size(); ++a) {
    const bool gone =
        std::find(axes.begin(), axes.end(), static_cast<int64_t>(a)) !=
        axes.end();
    strides[a] = gone ? 0 : kept[k++];
  }
  IndexWalk it(c.x[0].shape());
  for (size_t i = 0; i < in.size(); ++i, it.next()) {
    auto& slot = out[static_cast<size_t>(offset_of(strides, it.index()))];
    slot = f(slot, in[i]);
  }
  return out;
}

template <class F>
std::vector<HostArray> eval_reduce(const EvalContext& c,
                                   const HostArray& init,
                                   F&& f) {
  const TensorType& type = c.node.types[0];
  if (is_float(type.dtype)) {
    return {make_floats(type, fold(c, c.x[0].to_doubles(), init.at(0), f))};
  }
  return {make_ints(type, fold(c, c.x[0].to_ints(), init.to_ints()[0], f))};
}

double plus(double a, double b) {
  return a + b;
}
int64_t plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}

double times(double a, double b) {
  return a * b;
}
int64_t times(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) *
                              static_cast<uint64_t>(b));
}

// The product as a tree of multiplications: its derivatives need no division,
// so zeros among the factors do no harm, in any order.
Values product_tree(const Node& n, const Values& in) {
  Value y = in[0];
  for (const int64_t axis : n.attrs.ints("axes")) {
    for (int64_t size = y.dim(axis); size > 1; size = y.dim(axis)) {
      const int64_t half = size / 2;
      const Value pairs =
          slice_axis(y, axis, 0, half) * slice_axis(y, axis, half, 2 * half);
      y = size == 2 * half
              ? pairs
              : concatenate({pairs, slice_axis(y, axis, size - 1, size)}, axis);
    }
  }
  const Shape& shape = n.types[0].shape;
  if (y.shape().size() != shape.size()) {  // no factors
    return {broadcast_to(scalar_like(y, 1), shape)};
  }
  return {reshape(y, shape.dims())};
}

Value reduce(const OpDef& op, const Value& x, const Axes& axes, bool keep) {
  const Axes all = reduced_axes(axes, x.rank(), op.name);
  if (all.empty()) return x;
  const Value y = x.graph().add(op, {x}, {{"axes", all}}).out();
  if (!keep) return y;
  auto dims = x.shape().dims();
  for (const int64_t a : all) dims[static_cast<size_t>(a)] = 1;
  return reshape(y, dims);
}

}  // namespace

constexpr OpDef kSum{
    .name = "sum",
    .infer = reduced_type,
    .vjp = [](const VjpContext& c) -> Values {
      return {expand(c.dy, c.x[0].shape(), c.node.attrs.ints("axes"))};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          lower_reduce(
              e, n, "stablehlo.add", zero(accumulator(n.types[0].dtype)));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const TensorType& type = c.node.types[0];
      if (is_complex(type.dtype)) {
        const auto z = c.x[0].to_complexes();
        return {HostArray::from_complexes(
            type, fold(c, z, Complex{}, std::plus<>{}))};
      }
      return eval_reduce(
          c, zero(type.dtype), [](auto a, auto b) { return plus(a, b); });
    },
    .batch = batch_over_axes,
    .cast = Cast::kF32,
};

constexpr OpDef kProd{
    .name = "prod",
    .infer = extremum_type,
    .vjp = [](const VjpContext& c) -> Values {
      return vjp_of(product_tree, c);
    },
    .lower =
        [](Emitter& e, const Node& n) {
          const DType type = accumulator(n.types[0].dtype);
          lower_reduce(
              e, n, "stablehlo.multiply", HostArray::full({type, {}}, 1));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const HostArray one = HostArray::full({c.node.types[0].dtype, {}}, 1);
      return eval_reduce(c, one, [](auto a, auto b) { return times(a, b); });
    },
    .batch = batch_over_axes,
    .cast = Cast::kF32,
};

constexpr OpDef kMax{
    .name = "max",
    .infer = extremum_type,
    .vjp = extremum_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          lower_reduce(
              e, n, "stablehlo.maximum", extreme(n.types[0].dtype, true));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return eval_reduce(
          c, extreme(c.node.types[0].dtype, true), [](auto a, auto b) {
            return a != a || a > b ? a : b;
          });
    },
    .batch = batch_over_axes,
};

constexpr OpDef kMin{
    .name = "min",
    .infer = extremum_type,
    .vjp = extremum_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          lower_reduce(
              e, n, "stablehlo.minimum", extreme(n.types[0].dtype, false));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return eval_reduce(
          c, extreme(c.node.types[0].dtype, false), [](auto a, auto b) {
            return a != a || a < b ? a : b;
          });
    },
    .batch = batch_over_axes,
};

Value sum(const Arg& x, const Axes& axes, bool keep_dims) {
  return reduce(kSum, x, axes, keep_dims);
}
Value prod(const Arg& x, const Axes& axes, bool keep_dims) {
  return reduce(kProd, x, axes, keep_dims);
}
Value max(const Arg& x, const Axes& axes, bool keep_dims) {
  return reduce(kMax, x, axes, keep_dims);
}
Value min(const Arg& x, const Axes& axes, bool keep_dims) {
  return reduce(kMin, x, axes, keep_dims);
}

}  // namespace kexue::ops
