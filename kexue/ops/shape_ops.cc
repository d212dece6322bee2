#include "kexue/ops/shape_ops.h"

#include <fmt/format.h>

#include <numeric>

#include "kexue/ops/batch_rules.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

// Copies elements: out[o(i)] = in[f(i)] for each index i of `walk`.
template <class In, class Out>
void copy_by(const HostArray& in,
             HostArray& out,
             const Shape& walk,
             In&& in_at,
             Out&& out_at) {
  const size_t w = size_bytes(in.dtype());
  IndexWalk it(walk);
  for (int64_t n = walk.size(); n > 0; --n, it.next()) {
    std::copy_n(
        in.data() + static_cast<size_t>(in_at(it.index())) * w,
        w,
        out.mutable_data() + static_cast<size_t>(out_at(it.index())) * w);
  }
}

std::vector<int64_t> inverse(const std::vector<int64_t>& perm) {
  std::vector<int64_t> inv(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) {
    inv[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  }
  return inv;
}

}  // namespace

constexpr OpDef kConstant{
    .name = "constant",
    .infer = [](const InferContext& c) -> TypeList {
      return {c.attrs.array("value").type()};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.constant",
                 "value = " + stablehlo::dense(n.attrs.array("value")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return {c.node.attrs.array("value")};
    },
    .is_view = true,
    .cast = Cast::kKeep,
};

constexpr OpDef kIota{
    .name = "iota",
    .infer = [](const InferContext& c) -> TypeList {
      return {{c.attrs.dtype("dtype"), Shape(c.attrs.ints("shape"))}};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.iota",
                 fmt::format("iota_dimension = {} : i64", n.attrs.i("axis")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const TensorType& type = c.node.types[0];
      const auto axis = static_cast<size_t>(c.node.attrs.i("axis"));
      std::vector<double> v;
      IndexWalk it(type.shape);
      for (int64_t n = type.shape.size(); n > 0; --n, it.next()) {
        v.push_back(static_cast<double>(it.index()[axis]));
      }
      return {make_floats(type, v)};
    },
    .is_view = true,
    .cast = Cast::kKeep,
};

// y[i] = x[i restricted to dims]
constexpr OpDef kBroadcast{
    .name = "broadcast_in_dim",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      const auto& dims = c.attrs.ints("dims");
      const Shape shape(c.attrs.ints("shape"));
      const Shape& in = c.type(0).shape;
      bool ok = static_cast<int64_t>(dims.size()) == in.rank();
      for (size_t i = 0; ok && i < dims.size(); ++i) {
        ok = dims[i] >= 0 && dims[i] < shape.rank() &&
             (i == 0 || dims[i] > dims[i - 1]) &&
             (in.dims()[i] == 1 || in.dims()[i] == shape[dims[i]]);
      }
      if (!ok) refuse(c, "cannot broadcast to " + shape.str());
      return {{c.type(0).dtype, shape}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      const auto& dims = c.node.attrs.ints("dims");
      std::vector<int64_t> axes;
      for (int64_t a = 0, k = 0; a < c.dy.rank(); ++a) {
        const bool kept = k < static_cast<int64_t>(dims.size()) &&
                          dims[static_cast<size_t>(k)] == a;
        if (!kept || (c.x[0].dim(k) == 1 && c.dy.dim(a) != 1)) {
          axes.push_back(a);
        }
        if (kept) ++k;
      }
      // Without axes `sum` would take all of them.
      const Value dx = axes.empty() ? c.dy : sum(c.dy, axes);
      return {reshape(dx, c.x[0].shape().dims())};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.broadcast_in_dim",
                 "broadcast_dimensions = " +
                     stablehlo::int_array(n.attrs.ints("dims")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      const auto& dims = c.node.attrs.ints("dims");
      const auto in_strides = c.x[0].shape().strides();
      const auto out_strides = out.shape().strides();
      copy_by(
          c.x[0],
          out,
          out.shape(),
          [&](const auto& i) {
            int64_t at = 0;
            for (size_t k = 0; k < dims.size(); ++k) {
              if (c.x[0].shape().dims()[k] == 1) continue;
              at += in_strides[k] * i[static_cast<size_t>(dims[k])];
            }
            return at;
          },
          [&](const auto& i) { return offset_of(out_strides, i); });
      return {out};
    },
    .batch = batch_broadcast,
    .is_view = true,
};

constexpr OpDef kReshape{
    .name = "reshape",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      const Shape shape(c.attrs.ints("shape"));
      if (shape.size() != c.type(0).shape.size()) {
        refuse(c, "cannot reshape to " + shape.str());
      }
      return {{c.type(0).dtype, shape}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {reshape(c.dy, c.x[0].shape().dims())};
    },
    .lower = lower_as<"reshape">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return {c.x[0].reshaped(c.node.types[0].shape)};
    },
    .batch = batch_reshape,
    .is_identity = true,
    .is_view = true,
};

constexpr OpDef kTranspose{
    .name = "transpose",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      const auto& perm = c.attrs.ints("perm");
      std::vector<int64_t> sorted = perm;
      std::sort(sorted.begin(), sorted.end());
      std::vector<int64_t> all(static_cast<size_t>(c.type(0).shape.rank()));
      std::iota(all.begin(), all.end(), 0);
      if (sorted != all) refuse(c, "perm is no permutation of the axes");
      std::vector<int64_t> dims;
      for (const int64_t p : perm) dims.push_back(c.type(0).shape[p]);
      return {{c.type(0).dtype, Shape(dims)}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {transpose(c.dy, inverse(c.node.attrs.ints("perm")))};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.transpose",
                 "permutation = " + stablehlo::int_array(n.attrs.ints("perm")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      const auto& perm = c.node.attrs.ints("perm");
      const auto in_strides = c.x[0].shape().strides();
      const auto out_strides = out.shape().strides();
      copy_by(
          c.x[0],
          out,
          out.shape(),
          [&](const auto& i) {
            int64_t at = 0;
            for (size_t k = 0; k < perm.size(); ++k) {
              at += in_strides[static_cast<size_t>(perm[k])] * i[k];
            }
            return at;
          },
          [&](const auto& i) { return offset_of(out_strides, i); });
      return {out};
    },
    .batch = batch_transpose,
    .is_view = true,
};

Value constant(const HostArray& value) {
  return ir::Tracing::current().add(kConstant, {}, {{"value", value}}).out();
}

Value full(const TensorType& type, double value) {
  const Value s = constant(HostArray::full({type.dtype, {}}, value));
  return broadcast_to(s, type.shape);
}

Value scalar_like(const Arg& x, double value) {
  return x.graph()
      .add(kConstant, {}, {{"value", HostArray::full({x.dtype(), {}}, value)}})
      .out();
}

Value full_like(const Arg& x, double value) {
  return broadcast_to(scalar_like(x, value), x.shape());
}
Value zeros_like(const Arg& x) {
  return full_like(x, 0);
}
Value ones_like(const Arg& x) {
  return full_like(x, 1);
}

Value iota(const TensorType& type, int64_t axis) {
  axis = axis_of(axis, type.shape.rank(), "iota");
  return ir::Tracing::current()
      .add(
          kIota,
          {},
          {{"dtype", type.dtype}, {"shape", type.shape.dims()}, {"axis", axis}})
      .out();
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view who) {
  std::vector<int64_t> dims(static_cast<size_t>(std::max(a.rank(), b.rank())),
                            1);
  for (int64_t k = 1; k <= static_cast<int64_t>(dims.size()); ++k) {
    const int64_t x = k <= a.rank() ? a[-k] : 1;
    const int64_t y = k <= b.rank() ? b[-k] : 1;
    if (x != y && x != 1 && y != 1) {
      throw ir::located({Code::kInvalidArgument,
                         fmt::format("{}: shapes {} and {} do not broadcast",
                                     who,
                                     a.str(),
                                     b.str())});
    }
    dims[dims.size() - static_cast<size_t>(k)] = x == 1 ? y : x;
  }
  return Shape(dims);
}

Value broadcast_in_dim(const Arg& x,
                       const Shape& shape,
                       const std::vector<int64_t>& dims) {
  return x.graph()
      .add(kBroadcast, {x}, {{"shape", shape.dims()}, {"dims", dims}})
      .out();
}

Value broadcast_to(const Arg& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  std::vector<int64_t> dims(static_cast<size_t>(x.rank()));
  std::iota(dims.begin(), dims.end(), shape.rank() - x.rank());
  return broadcast_in_dim(x, shape, dims);
}

Value reshape(const Arg& x, const std::vector<int64_t>& dims) {
  std::vector<int64_t> full_dims = dims;
  int64_t known = 1;
  int64_t* open = nullptr;
  for (int64_t& d : full_dims) {
    if (d == -1 && open == nullptr) {
      open = &d;
    } else {
      known *= d;
    }
  }
  if (open != nullptr) *open = known == 0 ? 0 : x.shape().size() / known;
  if (full_dims == x.shape().dims()) return x;
  return x.graph().add(kReshape, {x}, {{"shape", full_dims}}).out();
}

Value transpose(const Arg& x, const std::vector<int64_t>& perm) {
  return x.graph().add(kTranspose, {x}, {{"perm", perm}}).out();
}

}  // namespace kexue::ops
