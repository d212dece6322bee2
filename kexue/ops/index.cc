#include "kexue/ops/index.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "kexue/ops/batch_rules.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

// Shape of ids followed by the row's shape.
Shape rows_shape(const Shape& ids, const Shape& table) {
  auto dims = ids.dims();
  dims.insert(dims.end(), table.begin() + 1, table.end());
  return Shape(dims);
}

void want_rows(const InferContext& c) {
  if (c.type(0).shape.rank() < 1 || c.type(1).dtype != DType::kI32) {
    refuse(c, "wants a table [V,...] and i32 indices");
  }
}

std::string range_list(int64_t from, int64_t to) {
  std::vector<int64_t> v;
  for (int64_t i = from; i < to; ++i) v.push_back(i);
  return fmt::format("[{}]", fmt::join(v, ", "));
}

// Rows of a table, zeros for indices outside.
Value take_inside(const Value& table, const Value& ids) {
  const Value rows = take(table, ids);
  const Value low = greater_equal(ids, scalar_like(ids, 0));
  const Value high =
      less(ids, scalar_like(ids, static_cast<double>(table.dim(0))));
  std::vector<int64_t> dims(static_cast<size_t>(ids.rank()));
  std::iota(dims.begin(), dims.end(), 0);
  const Value inside = broadcast_in_dim(bit_and(low, high), rows.shape(), dims);
  return select(inside, rows, zeros_like(rows));
}

std::vector<int64_t> ones(const Value& x) {
  return std::vector<int64_t>(static_cast<size_t>(x.rank()), 1);
}

// Every axis but one goes along with the same axis of the ids.
GatherDims along_axis(const Value& x,
                      const Value& ids,
                      int64_t axis,
                      const char* who) {
  axis = canonical_axis(axis, x.rank(), who);
  auto want = x.shape().dims();
  if (ids.rank() == x.rank()) {
    want[static_cast<size_t>(axis)] = ids.dim(axis);
  }
  if (ids.shape().dims() != want) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: dims other than axis {} must agree, got {} "
                            "and {}",
                            who,
                            axis,
                            x.type().str(),
                            ids.type().str()));
  }
  GatherDims d;
  for (int64_t a = 0; a < x.rank(); ++a) {
    if (a != axis) d.x_batch.push_back(a);
  }
  d.index_batch = d.x_batch;
  d.collapsed = {axis};
  d.index_map = {axis};
  d.index_vector = x.rank();
  return d;
}

}  // namespace

constexpr OpDef kTake{
    .name = "take",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 2);
      want_rows(c);
      if (c.type(0).shape[0] == 0 && c.type(1).shape.size() != 0) {
        refuse(c, "wants a table with rows");
      }
      return {{c.type(0).dtype, rows_shape(c.type(1).shape, c.type(0).shape)}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      // Clamped like the reading: scatter_add drops what lies outside.
      const Value ids = c.x[1];
      const auto last = static_cast<double>(c.x[0].dim(0) - 1);
      const Value at =
          minimum(maximum(ids, scalar_like(ids, 0)), scalar_like(ids, last));
      return {scatter_add(zeros_like(c.x[0]), at, c.dy), Value{}};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          const int64_t ids = n.inputs[1].rank();
          auto sizes = n.inputs[0].shape().dims();
          sizes[0] = 1;
          e.emit(n,
                 "stablehlo.gather",
                 fmt::format("dimension_numbers = #stablehlo.gather<"
                             "offset_dims = {}, collapsed_slice_dims = [0], "
                             "start_index_map = [0], index_vector_dim = {}>, "
                             "slice_sizes = {}",
                             range_list(ids, n.types[0].shape.rank()),
                             ids,
                             stablehlo::int_array(sizes)));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      HostArray out(c.node.types[0]);
      const int64_t rows = c.x[0].shape()[0];
      const size_t w =
          rows == 0 ? 0 : c.x[0].bytes() / static_cast<size_t>(rows);
      const auto ids = c.x[1].to_ints();
      for (size_t i = 0; i < ids.size(); ++i) {
        const auto r =
            static_cast<size_t>(std::clamp<int64_t>(ids[i], 0, rows - 1));
        std::copy_n(c.x[0].data() + r * w, w, out.mutable_data() + i * w);
      }
      return {out};
    },
    .batch = batch_take,
};

constexpr OpDef kScatterAdd{
    .name = "scatter_add",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 3);
      want_rows(c);
      if (c.type(2).dtype != c.type(0).dtype ||
          c.type(2).shape != rows_shape(c.type(1).shape, c.type(0).shape)) {
        refuse(c, "updates do not fit");
      }
      return {c.type(0)};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy, Value{}, c.needs[2] ? take_inside(c.dy, c.x[1]) : Value{}};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          const int64_t ids = n.inputs[1].rank();
          const TensorType scalar{n.types[0].dtype, {}};
          const auto args = e.begin_region({scalar, scalar});
          const auto y = e.emit("stablehlo.add", {args[0], args[1]}, {scalar});
          e.emit(n,
                 "stablehlo.scatter",
                 fmt::format("scatter_dimension_numbers = #stablehlo.scatter<"
                             "update_window_dims = {}, inserted_window_dims = "
                             "[0], scatter_dims_to_operand_dims = [0], "
                             "index_vector_dim = {}>, indices_are_sorted = "
                             "false, unique_indices = false",
                             range_list(ids, n.inputs[2].rank()),
                             ids),
                 {e.end_region(y)});
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const auto ids = c.x[1].to_ints();
      const int64_t rows = c.x[0].shape()[0];
      const auto added = [&](auto out, const auto& u) {
        const size_t w = ids.empty() ? 0 : u.size() / ids.size();
        for (size_t i = 0; i < ids.size(); ++i) {
          if (ids[i] < 0 || ids[i] >= rows) continue;
          for (size_t j = 0; j < w; ++j) {
            out[static_cast<size_t>(ids[i]) * w + j] += u[i * w + j];
          }
        }
        return out;
      };
      const TensorType& type = c.node.types[0];
      if (is_complex(type.dtype)) {
        return {HostArray::from_complexes(
            type, added(c.x[0].to_complexes(), c.x[2].to_complexes()))};
      }
      return {
          make_floats(type, added(c.x[0].to_doubles(), c.x[2].to_doubles()))};
    },
    .batch = batch_scatter_add,
};

Value take(const Arg& table, const Value& ids) {
  return table.graph().add(kTake, {table, ids}).out();
}

Value scatter_add(const Arg& x, const Value& ids, const Value& updates) {
  return x.graph().add(kScatterAdd, {x, ids, updates}).out();
}

Value take(const Arg& x, const Value& ids, int64_t axis) {
  axis = canonical_axis(axis, x.rank(), "take");
  if (axis == 0) return take(x, ids);
  GatherDims d;
  auto sizes = x.shape().dims();
  sizes[static_cast<size_t>(axis)] = 1;
  for (int64_t a = 0; a < x.rank(); ++a) {
    if (a != axis) d.offset.push_back(a < axis ? a : a - 1 + ids.rank());
  }
  d.collapsed = {axis};
  d.index_map = {axis};
  d.index_vector = ids.rank();
  return gather(x, ids, d, sizes);
}

Value take_along_axis(const Arg& x, const Value& ids, int64_t axis) {
  const auto d = along_axis(x, ids, axis, "take_along_axis");
  return gather(x, ids, d, ones(x));
}

Value put_along_axis(const Arg& x,
                     const Value& ids,
                     const Value& updates,
                     int64_t axis,
                     Combine combine) {
  const auto d = along_axis(x, ids, axis, "put_along_axis");
  return scatter(x, ids, updates, d, combine);
}

Value one_hot(const Arg& ids, int64_t n, DType dtype, int64_t axis) {
  axis = canonical_axis(axis, ids.rank() + 1, "one_hot");
  auto dims = ids.shape().dims();
  dims.insert(dims.begin() + axis, 1);
  const Value column = reshape(ids, dims);
  dims[static_cast<size_t>(axis)] = n;
  const Value i =
      ids.graph()
          .add(kIota,
               {},
               {{"dtype", ids.dtype()}, {"shape", dims}, {"axis", axis}})
          .out();
  return convert(equal(column, i), dtype);
}

Value masked_fill(const Arg& x, const Value& mask, double value) {
  return select(broadcast_to(mask, x.shape()), full_like(x, value), x);
}

}  // namespace kexue::ops
