// Slices, padding and joining; declared in shape_ops.h.
#include <fmt/format.h>

#include "kexue/ops/batch_rules.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

// Copies a block between two arrays; a start per dimension on either side.
void copy_block(const HostArray& in,
                const std::vector<int64_t>& in_start,
                HostArray& out,
                const std::vector<int64_t>& out_start,
                const Shape& block) {
  const size_t w = size_bytes(in.dtype());
  const auto si = in.shape().strides();
  const auto so = out.shape().strides();
  const int64_t a = offset_of(si, in_start);
  const int64_t b = offset_of(so, out_start);
  IndexWalk it(block);
  for (int64_t n = block.size(); n > 0; --n, it.next()) {
    const auto from = static_cast<size_t>(a + offset_of(si, it.index()));
    const auto to = static_cast<size_t>(b + offset_of(so, it.index()));
    std::copy_n(in.data() + from * w, w, out.mutable_data() + to * w);
  }
}

std::vector<int64_t> zeros(const Shape& s) {
  return std::vector<int64_t>(static_cast<size_t>(s.rank()), 0);
}

// The scalar start inputs from `first` on, clamped so that `block` fits.
std::vector<int64_t> clamped_start(const EvalContext& c,
                                   size_t first,
                                   const Shape& block) {
  std::vector<int64_t> start;
  for (size_t k = 0; first + k < c.x.size(); ++k) {
    const int64_t last = c.x[0].shape().dims()[k] - block.dims()[k];
    const auto at = static_cast<int64_t>(c.x[first + k].at(0));
    start.push_back(std::clamp<int64_t>(at, 0, last));
  }
  return start;
}

void want_starts(const InferContext& c, size_t first) {
  const auto rank = static_cast<size_t>(c.type(0).shape.rank());
  if (c.inputs.size() != first + rank) refuse(c, "wants one start per axis");
  for (size_t i = first; i < c.inputs.size(); ++i) {
    if (c.type(i) != TensorType{DType::kI32, {}}) {
      refuse(c, "wants i32 scalars as starts");
    }
  }
}

}  // namespace

constexpr OpDef kConcatenate{
    .name = "concatenate",
    .infer = [](const InferContext& c) -> TypeList {
      if (c.inputs.empty()) refuse(c, "wants at least one input");
      TensorType type = c.type(0);
      const int64_t axis =
          canonical_axis(c.attrs.i("axis"), type.shape.rank(), "concatenate");
      auto dims = type.shape.dims();
      auto& joined = dims[static_cast<size_t>(axis)];
      joined = 0;
      for (size_t i = 0; i < c.inputs.size(); ++i) {
        auto other = c.type(i).shape.dims();
        if (other.size() != dims.size() || c.type(i).dtype != type.dtype) {
          refuse(c, "wants one dtype and rank");
        }
        joined += other[static_cast<size_t>(axis)];
        other[static_cast<size_t>(axis)] = type.shape[axis];
        if (other != type.shape.dims()) refuse(c, "other dims must agree");
      }
      return {{type.dtype, Shape(dims)}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      Values out;
      const int64_t axis = c.node.attrs.i("axis");
      int64_t at = 0;
      for (const Value& x : c.x) {
        out.push_back(slice_axis(c.dy, axis, at, at + x.dim(axis)));
        at += x.dim(axis);
      }
      return out;
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.concatenate",
                 fmt::format("dimension = {} : i64", n.attrs.i("axis")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      auto at = zeros(out.shape());
      const auto axis = static_cast<size_t>(c.node.attrs.i("axis"));
      for (const auto& x : c.x) {
        copy_block(x, zeros(x.shape()), out, at, x.shape());
        at[axis] += x.shape().dims()[axis];
      }
      return {out};
    },
    .batch = batch_concatenate,
};

constexpr OpDef kSlice{
    .name = "slice",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      const auto& start = c.attrs.ints("start");
      const auto& limit = c.attrs.ints("limit");
      const Shape& in = c.type(0).shape;
      if (static_cast<int64_t>(start.size()) != in.rank() ||
          limit.size() != start.size()) {
        refuse(c, "wants start and limit for every axis");
      }
      std::vector<int64_t> dims;
      for (size_t i = 0; i < start.size(); ++i) {
        if (start[i] < 0 || limit[i] < start[i] || limit[i] > in.dims()[i]) {
          refuse(
              c,
              fmt::format(
                  "range {}:{} of axis {} is outside", start[i], limit[i], i));
        }
        dims.push_back(limit[i] - start[i]);
      }
      return {{c.type(0).dtype, Shape(dims)}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      const auto& start = c.node.attrs.ints("start");
      const auto& limit = c.node.attrs.ints("limit");
      std::vector<int64_t> high;
      for (size_t i = 0; i < limit.size(); ++i) {
        high.push_back(c.x[0].shape().dims()[i] - limit[i]);
      }
      return {pad(c.dy, start, high)};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          const std::vector<int64_t> ones(n.attrs.ints("start").size(), 1);
          e.emit(n,
                 "stablehlo.slice",
                 fmt::format("start_indices = {}, limit_indices = {}, strides "
                             "= {}",
                             stablehlo::int_array(n.attrs.ints("start")),
                             stablehlo::int_array(n.attrs.ints("limit")),
                             stablehlo::int_array(ones)));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      copy_block(c.x[0],
                 c.node.attrs.ints("start"),
                 out,
                 zeros(out.shape()),
                 out.shape());
      return {out};
    },
    .batch = batch_slice,
};

// Inputs: x, the scalar that fills.
constexpr OpDef kPad{
    .name = "pad",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 2);
      auto dims = c.type(0).shape.dims();
      const auto& low = c.attrs.ints("low");
      const auto& high = c.attrs.ints("high");
      if (low.size() != dims.size() || high.size() != dims.size()) {
        refuse(c, "wants low and high for every axis");
      }
      for (size_t i = 0; i < dims.size(); ++i) {
        if (low[i] < 0 || high[i] < 0) refuse(c, "wants padding >= 0");
        dims[i] += low[i] + high[i];
      }
      return {{c.type(0).dtype, Shape(dims)}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      const auto& low = c.node.attrs.ints("low");
      std::vector<int64_t> limit;
      for (size_t i = 0; i < low.size(); ++i) {
        limit.push_back(low[i] + c.x[0].shape().dims()[i]);
      }
      const Value inner = slice(c.dy, low, limit);
      return {inner, c.needs[1] ? sum(c.dy) - sum(inner) : Value{}};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          const std::vector<int64_t> none(n.attrs.ints("low").size(), 0);
          e.emit(n,
                 "stablehlo.pad",
                 fmt::format("edge_padding_low = {}, edge_padding_high = {}, "
                             "interior_padding = {}",
                             stablehlo::int_array(n.attrs.ints("low")),
                             stablehlo::int_array(n.attrs.ints("high")),
                             stablehlo::int_array(none)));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      const size_t w = size_bytes(out.dtype());
      for (size_t i = 0; i < static_cast<size_t>(out.size()); ++i) {
        std::copy_n(c.x[1].data(), w, out.mutable_data() + i * w);
      }
      copy_block(c.x[0],
                 zeros(out.shape()),
                 out,
                 c.node.attrs.ints("low"),
                 c.x[0].shape());
      return {out};
    },
    .batch = batch_pad,
};

constexpr OpDef kReverse{
    .name = "reverse",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      for (const int64_t a : c.attrs.ints("axes")) {
        canonical_axis(a, c.type(0).shape.rank(), "reverse");
      }
      return {c.type(0)};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {reverse(c.dy, c.node.attrs.ints("axes"))};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.reverse",
                 "dimensions = " + stablehlo::int_array(n.attrs.ints("axes")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      const size_t w = size_bytes(out.dtype());
      const auto strides = out.shape().strides();
      IndexWalk it(out.shape());
      for (size_t n = 0; n < static_cast<size_t>(out.size()); ++n, it.next()) {
        auto from = it.index();
        for (const int64_t a : c.node.attrs.ints("axes")) {
          auto& i = from[static_cast<size_t>(a)];
          i = out.shape()[a] - 1 - i;
        }
        const auto at = static_cast<size_t>(offset_of(strides, from));
        std::copy_n(c.x[0].data() + at * w, w, out.mutable_data() + n * w);
      }
      return {out};
    },
    .batch = batch_over_axes,
};

// Inputs: x, one i32 scalar per axis.
constexpr OpDef kDynamicSlice{
    .name = "dynamic_slice",
    .infer = [](const InferContext& c) -> TypeList {
      want_starts(c, 1);
      const Shape sizes(c.attrs.ints("sizes"));
      for (int64_t i = 0; i < sizes.rank(); ++i) {
        if (sizes.rank() != c.type(0).shape.rank() ||
            sizes[i] > c.type(0).shape[i]) {
          refuse(c, "block " + sizes.str() + " does not fit");
        }
      }
      return {{c.type(0).dtype, sizes}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      const Values start(c.x.begin() + 1, c.x.end());
      Values out(c.x.size());
      out[0] = dynamic_update_slice(
          broadcast_to(scalar_like(c.dy, 0), c.x[0].shape()), c.dy, start);
      return out;
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(
              n,
              "stablehlo.dynamic_slice",
              "slice_sizes = " + stablehlo::int_array(n.attrs.ints("sizes")));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      copy_block(c.x[0],
                 clamped_start(c, 1, out.shape()),
                 out,
                 zeros(out.shape()),
                 out.shape());
      return {out};
    },
    .batch = batch_dynamic_slice,
};

// Inputs: x, update, one i32 scalar per axis.
constexpr OpDef kDynamicUpdateSlice{
    .name = "dynamic_update_slice",
    .infer = [](const InferContext& c) -> TypeList {
      want_starts(c, 2);
      const Shape& u = c.type(1).shape;
      bool ok = u.rank() == c.type(0).shape.rank() &&
                c.type(0).dtype == c.type(1).dtype;
      for (int64_t i = 0; ok && i < u.rank(); ++i) {
        ok = u[i] <= c.type(0).shape[i];
      }
      if (!ok) refuse(c, "the update does not fit");
      return {c.type(0)};
    },
    .vjp = [](const VjpContext& c) -> Values {
      const Values start(c.x.begin() + 2, c.x.end());
      Values out(c.x.size());
      if (c.needs[0]) {
        out[0] = dynamic_update_slice(c.dy, zeros_like(c.x[1]), start);
      }
      if (c.needs[1]) {
        out[1] = dynamic_slice(c.dy, start, c.x[1].shape().dims());
      }
      return out;
    },
    .lower = lower_as<"dynamic_update_slice">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out = c.x[0].clone();
      copy_block(c.x[1],
                 zeros(out.shape()),
                 out,
                 clamped_start(c, 2, c.x[1].shape()),
                 c.x[1].shape());
      return {out};
    },
    .batch = batch_dynamic_update_slice,
};

Value concatenate(const Values& parts, int64_t axis) {
  if (parts.empty()) {
    throw Error(Code::kInvalidArgument, "concatenate: no parts");
  }
  axis = axis_of(axis, parts[0].rank(), "concatenate");
  if (parts.size() == 1) return parts[0];
  return parts[0].graph().add(kConcatenate, parts, {{"axis", axis}}).out();
}

Value slice(const Arg& x,
            const std::vector<int64_t>& start,
            const std::vector<int64_t>& limit) {
  return x.graph().add(kSlice, {x}, {{"start", start}, {"limit", limit}}).out();
}

Value slice_axis(const Arg& x, int64_t axis, int64_t start, int64_t limit) {
  const auto k = static_cast<size_t>(axis_of(axis, x.rank(), "slice_axis"));
  auto a = zeros(x.shape());
  auto b = x.shape().dims();
  a[k] = start;
  b[k] = limit;
  return slice(x, a, b);
}

Value pad(const Arg& x,
          const std::vector<int64_t>& low,
          const std::vector<int64_t>& high,
          double value) {
  return x.graph()
      .add(kPad, {x, scalar_like(x, value)}, {{"low", low}, {"high", high}})
      .out();
}

Value reverse(const Arg& x, const std::vector<int64_t>& axes) {
  return x.graph().add(kReverse, {x}, {{"axes", axes}}).out();
}

Value dynamic_slice(const Arg& x,
                    const Values& start,
                    const std::vector<int64_t>& sizes) {
  Values in = {x};
  in.insert(in.end(), start.begin(), start.end());
  return x.graph().add(kDynamicSlice, in, {{"sizes", sizes}}).out();
}

Value dynamic_update_slice(const Arg& x,
                           const Value& update,
                           const Values& start) {
  Values in = {x, update};
  in.insert(in.end(), start.begin(), start.end());
  return x.graph().add(kDynamicUpdateSlice, in).out();
}

}  // namespace kexue::ops
