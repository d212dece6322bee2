// The pooling ops; their public forms are in pool_forms.cc.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "kexue/base/error.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/index.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/pool_node.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace detail {

Value pool(const OpDef& op, const Value& x, const WindowSpec& w) {
  return x.graph()
      .add(op,
           {x},
           {{"window", w.size},
            {"strides", w.strides},
            {"low", w.low},
            {"high", w.high},
            {"base_dilation", w.base_dilation},
            {"dilation", w.window_dilation}})
      .out();
}

}  // namespace detail

namespace {

using namespace detail;
using Dims = std::vector<int64_t>;

// What a window with no element gets from max_pool_index: scatter_add drops it.
constexpr int64_t kNowhere = std::numeric_limits<int32_t>::max();

WindowSpec window_of(const Attrs& a) {
  return {.size = a.ints("window"),
          .strides = a.ints("strides"),
          .low = a.ints("low"),
          .high = a.ints("high"),
          .base_dilation = a.ints("base_dilation"),
          .window_dilation = a.ints("dilation")};
}

// The window has an entry for every dimension of x.
Shape pooled_shape(const InferContext& c) {
  want_inputs(c, 1);
  want_float(c);
  const Shape& x = c.type(0).shape;
  const WindowSpec w = window_of(c.attrs);
  const std::string fault = window_fault(w, static_cast<size_t>(x.rank()));
  if (!fault.empty()) refuse(c, fault);
  return Shape(window_counts(w, x.dims()));
}

TypeList pooled_type(const InferContext& c) {
  return {{c.type(0).dtype, pooled_shape(c)}};
}

Values sum_pool_vjp(const VjpContext& c) {
  const Dims& in = c.x[0].shape().dims();
  if (c.dy.shape().size() == 0 || c.x[0].shape().size() == 0) return Values(1);
  return {pool(kSumPool, c.dy, transposed_window(window_of(c.node.attrs), in))};
}

// The cotangent goes to the elements chosen. Reading and adding by index are
// each other's derivative, so all orders follow.
Values max_pool_vjp(const VjpContext& c) {
  const Value& x = c.x[0];
  if (c.dy.shape().size() == 0 || x.shape().size() == 0) return Values(1);
  const Value at = pool(kMaxPoolIndex, x, window_of(c.node.attrs));
  const Value flat = reshape(x, {-1});
  const Value dx =
      scatter_add(zeros_like(flat), reshape(at, {-1}), reshape(c.dy, {-1}));
  return {reshape(dx, x.shape().dims())};
}

// x with the padding and the gaps that the window slides over, filled with
// `fill`; the compiler's own padding of windows may not be negative.
stablehlo::Ssa padded(Emitter& e,
                      const stablehlo::Ssa& x,
                      const stablehlo::Ssa& fill,
                      const WindowSpec& w) {
  Dims dims = x.type.shape.dims();
  Dims gaps;
  for (size_t i = 0; i < dims.size(); ++i) {
    dims[i] = std::max<int64_t>(
        0, dilated(dims[i], w.base_dilation[i]) + w.low[i] + w.high[i]);
    gaps.push_back(w.base_dilation[i] - 1);
  }
  if (dims == x.type.shape.dims() && w.low == Dims(dims.size(), 0)) return x;
  return e.emit("stablehlo.pad",
                {x, fill},
                {{x.type.dtype, Shape(dims)}},
                fmt::format("edge_padding_low = {}, edge_padding_high = {}, "
                            "interior_padding = {}",
                            stablehlo::int_array(w.low),
                            stablehlo::int_array(w.high),
                            stablehlo::int_array(gaps)))[0];
}

std::string window_attrs(const WindowSpec& w) {
  const size_t rank = w.size.size();
  const std::vector<std::string> none(rank, "[0, 0]");
  return fmt::format(
      "window_dimensions = {}, window_strides = {}, "
      "base_dilations = {}, window_dilations = {}, "
      "padding = dense<[{}]> : tensor<{}x2xi64>",
      stablehlo::int_array(w.size),
      stablehlo::int_array(w.strides),
      stablehlo::int_array(Dims(rank, 1)),
      stablehlo::int_array(w.window_dilation),
      fmt::join(none, ", "),
      rank);
}

// Sums and maxima: one value slides.
void lower_pool(Emitter& e,
                const Node& n,
                std::string_view op,
                const HostArray& init) {
  const TensorType scalar = init.type();
  const WindowSpec w = window_of(n.attrs);
  auto x = e.get(n.inputs[0]);
  if (x.type.dtype != scalar.dtype) {
    x = e.emit("stablehlo.convert", {x}, {{scalar.dtype, x.type.shape}})[0];
  }
  const auto start = e.constant(init);
  x = padded(e, x, start, w);
  const auto args = e.begin_region({scalar, scalar});
  const auto body = e.emit(op, {args[0], args[1]}, {scalar});
  const std::string region = e.end_region(body);
  auto y = e.emit("stablehlo.reduce_window",
                  {x, start},
                  {{scalar.dtype, n.types[0].shape}},
                  window_attrs(w),
                  {region});
  if (scalar.dtype != n.types[0].dtype) {
    y = e.emit("stablehlo.convert", y, {n.types[0]});
  }
  e.bind(const_cast<Node&>(n).out(), y[0]);
}

// The body of the sliding pair (value, place): whether the left one wins.
stablehlo::Ssa left_wins(Emitter& e, const std::vector<stablehlo::Ssa>& a) {
  const TensorType flag{DType::kBool, {}};
  const auto compare = [&](size_t i, size_t j, const char* how) {
    return e.emit("stablehlo.compare",
                  {a[i], a[j]},
                  {flag},
                  fmt::format("comparison_direction = "
                              "#stablehlo<comparison_direction {}>",
                              how))[0];
  };
  const auto both = [&](const char* op, const auto& p, const auto& q) {
    return e.emit(op, {p, q}, {flag})[0];
  };
  // Arguments: left value, left place, right value, right place.
  const auto left_nan = compare(0, 0, "NE");
  const auto right_nan = compare(2, 2, "NE");
  const auto earlier = compare(1, 3, "LT");
  const auto tie = both("stablehlo.or",
                        compare(0, 2, "EQ"),
                        both("stablehlo.and", left_nan, right_nan));
  const auto right_real = e.emit("stablehlo.not", {right_nan}, {flag})[0];
  const auto above = both("stablehlo.or",
                          compare(0, 2, "GT"),
                          both("stablehlo.and", left_nan, right_real));
  return both("stablehlo.or", above, both("stablehlo.and", tie, earlier));
}

void lower_index(Emitter& e, const Node& n) {
  const WindowSpec w = window_of(n.attrs);
  auto x = e.get(n.inputs[0]);
  const Shape& shape = x.type.shape;
  if (size_bytes(x.type.dtype) < 4) {
    x = e.emit("stablehlo.convert", {x}, {{DType::kF32, shape}})[0];
  }
  const TensorType value{x.type.dtype, {}};
  const TensorType place{DType::kI32, {}};
  const auto lowest = e.constant(HostArray::full(value, -INFINITY));
  const auto nowhere =
      e.constant(HostArray::scalar(static_cast<int32_t>(kNowhere)));
  const auto count = e.emit("stablehlo.iota",
                            {},
                            {{DType::kI32, Shape{shape.size()}}},
                            "iota_dimension = 0 : i64");
  const auto at = e.emit("stablehlo.reshape", count, {{DType::kI32, shape}})[0];
  const auto values = padded(e, x, lowest, w);
  const auto places = padded(e, at, nowhere, w);
  const auto args = e.begin_region({value, place, value, place});
  const auto left = left_wins(e, args);
  const auto v =
      e.emit("stablehlo.select", {left, args[0], args[2]}, {value})[0];
  const auto p =
      e.emit("stablehlo.select", {left, args[1], args[3]}, {place})[0];
  const std::string region = e.end_region({v, p});
  const Shape& out = n.types[0].shape;
  const auto y = e.emit("stablehlo.reduce_window",
                        {values, places, lowest, nowhere},
                        {{value.dtype, out}, n.types[0]},
                        window_attrs(w),
                        {region});
  e.bind(const_cast<Node&>(n).out(), y[1]);
}

// Folds the elements of x in each window, in row-major order:
// slot = f(slot, flat index into x).
template <class T, class F>
std::vector<T> slide(const EvalContext& c, T init, F&& f) {
  const WindowSpec w = window_of(c.node.attrs);
  const Shape& in = c.x[0].shape();
  const auto strides = in.strides();
  const Shape window(w.size);
  std::vector<T> out(static_cast<size_t>(c.node.types[0].shape.size()), init);
  IndexWalk o(c.node.types[0].shape);
  for (T& slot : out) {
    IndexWalk k(window);
    for (int64_t n = window.size(); n > 0; --n, k.next()) {
      int64_t at = 0;
      bool inside = true;
      for (size_t i = 0; inside && i < strides.size(); ++i) {
        const int64_t p = o.index()[i] * w.strides[i] +
                          k.index()[i] * w.window_dilation[i] - w.low[i];
        inside = p >= 0 && p % w.base_dilation[i] == 0 &&
                 p / w.base_dilation[i] < in.dims()[i];
        at += p / w.base_dilation[i] * strides[i];
      }
      if (inside) slot = f(slot, static_cast<size_t>(at));
    }
    o.next();
  }
  return out;
}

// The chosen places, flat; kNowhere where there is none.
std::vector<int64_t> chosen(const EvalContext& c,
                            const std::vector<double>& x) {
  return slide<int64_t>(c, kNowhere, [&](int64_t best, size_t at) {
    if (best == kNowhere) return static_cast<int64_t>(at);
    const double top = x[static_cast<size_t>(best)];
    const bool wins = x[at] > top || (x[at] != x[at] && top == top);
    return wins ? static_cast<int64_t>(at) : best;
  });
}

// The example axis is one more that the window does not span.
Value pool_each(const BatchContext& c) {
  WindowSpec w = window_of(c.node.attrs);
  for (auto* list :
       {&w.size, &w.strides, &w.base_dilation, &w.window_dilation}) {
    list->insert(list->begin(), 1);
  }
  w.low.insert(w.low.begin(), 0);
  w.high.insert(w.high.begin(), 0);
  return pool(*c.node.op, c.x[0], w);
}

Values batch_pool(const BatchContext& c) {
  return {pool_each(c)};
}

// Places count within one example.
Values batch_index(const BatchContext& c) {
  const Value at = pool_each(c);
  const Value nowhere = full_like(at, static_cast<double>(kNowhere));
  const Value example = at.graph()
                            .add(kIota,
                                 {},
                                 {{"dtype", DType::kI32},
                                  {"shape", at.shape().dims()},
                                  {"axis", int64_t{0}}})
                            .out();
  const auto n = static_cast<double>(c.node.inputs[0].shape().size());
  return {select(equal(at, nowhere), at, at - example * n)};
}

}  // namespace

constexpr OpDef kSumPool{
    .name = "sum_pool",
    .infer = pooled_type,
    .vjp = sum_pool_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          const DType d = n.types[0].dtype;
          const DType wide = d == DType::kF64 ? d : DType::kF32;
          lower_pool(e, n, "stablehlo.add", HostArray::full({wide, {}}, 0));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const auto x = c.x[0].to_doubles();
      return {make_floats(c.node.types[0],
                          slide<double>(c, 0, [&](double sum, size_t at) {
                            return sum + x[at];
                          }))};
    },
    .batch = batch_pool,
    .cast = Cast::kF32,
};

constexpr OpDef kMaxPool{
    .name = "max_pool",
    .infer = pooled_type,
    .vjp = max_pool_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          lower_pool(e,
                     n,
                     "stablehlo.maximum",
                     HostArray::full({n.types[0].dtype, {}}, -INFINITY));
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const auto x = c.x[0].to_doubles();
      std::vector<double> y;
      for (const int64_t at : chosen(c, x)) {
        y.push_back(at == kNowhere ? -INFINITY : x[static_cast<size_t>(at)]);
      }
      return {make_floats(c.node.types[0], y)};
    },
    .batch = batch_pool,
};

constexpr OpDef kMaxPoolIndex{
    .name = "max_pool_index",
    .infer = [](const InferContext& c) -> TypeList {
      const Shape out = pooled_shape(c);
      if (c.type(0).shape.size() >= kNowhere) {
        throw Error(Code::kUnsupported,
                    fmt::format("max_pool_index: {} has more than 2^31 - 2 "
                                "elements",
                                c.type(0).str()))
            .with_scope(Scope::path());
      }
      return {{DType::kI32, out}};
    },
    .lower = lower_index,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return {make_ints(c.node.types[0], chosen(c, c.x[0].to_doubles()))};
    },
    .batch = batch_index,
};

}  // namespace kexue::ops
