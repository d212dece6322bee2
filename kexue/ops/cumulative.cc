#include "kexue/ops/cumulative.h"

#include <fmt/format.h>

#include "kexue/ops/backprop.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;
using stablehlo::Ssa;

Ssa emit_same(Emitter& e, std::string_view op, const std::vector<Ssa>& in) {
  return e.emit(op, in, {in[0].type})[0];
}

// Each of these is an associative rule `f` with its start, as the host, the
// compiler and the graph see it.
struct Plus {
  static HostArray start(DType d) { return HostArray::full({d, {}}, 0); }
  static double f(double a, double b) { return a + b; }
  static uint64_t f(uint64_t a, uint64_t b) { return a + b; }
  static Ssa f(Emitter& e, const Ssa& a, const Ssa& b) {
    return emit_same(e, "stablehlo.add", {a, b});
  }
};

struct Times {
  static HostArray start(DType d) { return HostArray::full({d, {}}, 1); }
  static double f(double a, double b) { return a * b; }
  static uint64_t f(uint64_t a, uint64_t b) { return a * b; }
  static Ssa f(Emitter& e, const Ssa& a, const Ssa& b) {
    return emit_same(e, "stablehlo.multiply", {a, b});
  }
  static Value f(const Value& a, const Value& b) { return a * b; }
};

template <bool kLargest>
struct Extremum {
  static HostArray start(DType d) { return extreme(d, kLargest); }
  static double f(double a, double b) {
    return a != a || (kLargest ? a > b : a < b) ? a : b;
  }
  static uint64_t f(uint64_t a, uint64_t b) {
    const bool more = static_cast<int64_t>(a) > static_cast<int64_t>(b);
    return more == kLargest ? a : b;
  }
  static Ssa f(Emitter& e, const Ssa& a, const Ssa& b) {
    return emit_same(
        e, kLargest ? "stablehlo.maximum" : "stablehlo.minimum", {a, b});
  }
  static Value f(const Value& a, const Value& b) {
    return kLargest ? maximum(a, b) : minimum(a, b);
  }
};

// log(e^a + e^b) = max + log1p(e^-|a - b|), where equal infinities have no
// difference.
struct LogPlus {
  static HostArray start(DType d) { return extreme(d, true); }
  static double f(double a, double b) {
    const double gap = a == b ? 0 : std::fabs(a - b);
    return (a > b ? a : b) + std::log1p(std::exp(-gap));
  }
  static uint64_t f(uint64_t, uint64_t) {
    throw Error(Code::kInternal, "float op on integers");
  }
  static Ssa f(Emitter& e, const Ssa& a, const Ssa& b) {
    const Ssa zero = e.constant(HostArray::full(a.type, 0));
    const Ssa equal =
        e.emit("stablehlo.compare",
               {a, b},
               {{DType::kBool, {}}},
               "comparison_direction = #stablehlo<comparison_direction EQ>")[0];
    const Ssa apart = emit_same(
        e, "stablehlo.abs", {emit_same(e, "stablehlo.subtract", {a, b})});
    const Ssa gap =
        e.emit("stablehlo.select", {equal, zero, apart}, {a.type})[0];
    const Ssa less = emit_same(
        e, "stablehlo.exponential", {emit_same(e, "stablehlo.negate", {gap})});
    const Ssa more = emit_same(e, "stablehlo.log_plus_one", {less});
    return emit_same(
        e, "stablehlo.add", {emit_same(e, "stablehlo.maximum", {a, b}), more});
  }
};

TypeList infer_cumulative(const InferContext& c) {
  const TensorType type = same_type(c)[0];
  canonical_axis(c.attrs.i("axis"), type.shape.rank(), c.op.data());
  if (!is_float(type.dtype) && !is_integer(type.dtype)) {
    refuse(c, "wants floats or integers");
  }
  return {type};
}

// Doubling: after step k, y[i] covers 2^k elements. The derivative of cumprod
// and the like comes from here; no division, no difference of sums.
template <class Rule>
Values doubling(const Node& n, const Values& in) {
  const int64_t axis = n.attrs.i("axis");
  const bool backward = n.attrs.i("reverse") != 0;
  const DType dtype = in[0].dtype();
  const Value w = convert(in[0], accumulator(dtype));
  Value y = backward ? reverse(w, {axis}) : w;
  const int64_t size = y.dim(axis);
  for (int64_t reach = 1; reach < size; reach *= 2) {
    const Value joined = Rule::f(slice_axis(y, axis, 0, size - reach),
                                 slice_axis(y, axis, reach, size));
    y = concatenate({slice_axis(y, axis, 0, reach), joined}, axis);
  }
  return {convert(backward ? reverse(y, {axis}) : y, dtype)};
}

// A window over the whole axis with all its padding on one side. Compilers
// know the form: 10^5 elements take half a millisecond on a CPU, not 10^10
// steps.
template <class Rule>
void lower_cumulative(Emitter& e, const Node& n) {
  const TensorType& type = n.types[0];
  const auto rank = static_cast<size_t>(type.shape.rank());
  const auto axis = static_cast<size_t>(n.attrs.i("axis"));
  const int64_t size = type.shape.dims()[axis];
  auto x = e.get(n.inputs[0]);
  if (type.shape.size() == 0) {
    e.bind(const_cast<Node&>(n).out(), x);
    return;
  }
  const DType wide = accumulator(type.dtype);
  if (wide != type.dtype) {
    x = e.emit("stablehlo.convert", {x}, {{wide, type.shape}})[0];
  }
  const Ssa start = e.constant(Rule::start(wide));
  const auto args = e.begin_region({start.type, start.type});
  const Ssa body = Rule::f(e, args[0], args[1]);
  const std::string region = e.end_region({body});
  const std::vector<int64_t> ones(rank, 1);
  auto window = ones;
  window[axis] = size;
  std::vector<int64_t> padding(2 * rank, 0);
  padding[2 * axis + (n.attrs.i("reverse") != 0 ? 1 : 0)] = size - 1;
  const auto one_each = stablehlo::int_array(ones);
  auto y = e.emit(
      "stablehlo.reduce_window",
      {x, start},
      {{wide, type.shape}},
      fmt::format("window_dimensions = {}, window_strides = {}, "
                  "base_dilations = {}, window_dilations = {}, padding = {}",
                  stablehlo::int_array(window),
                  one_each,
                  one_each,
                  one_each,
                  stablehlo::dense(
                      HostArray::of<int64_t>({type.shape.rank(), 2}, padding))),
      {region})[0];
  if (wide != type.dtype) y = e.emit("stablehlo.convert", {y}, {type})[0];
  e.bind(const_cast<Node&>(n).out(), y);
}

// Runs along `axis`, all lines at once: flat order meets each element after
// the one before it.
template <class Rule, class T>
void run(std::vector<T>& v, const Shape& shape, int64_t axis, bool backward) {
  const int64_t stride = shape.strides()[static_cast<size_t>(axis)];
  const int64_t size = shape[axis];
  const auto total = static_cast<int64_t>(v.size());
  for (int64_t k = 0; k < total; ++k) {
    const int64_t i = backward ? total - 1 - k : k;
    const int64_t place = i / stride % size;
    if (place == (backward ? size - 1 : 0)) continue;
    T& y = v[static_cast<size_t>(i)];
    y = Rule::f(v[static_cast<size_t>(backward ? i + stride : i - stride)], y);
  }
}

template <class Rule>
std::vector<HostArray> eval_cumulative(const EvalContext& c) {
  const TensorType& type = c.node.types[0];
  const int64_t axis = c.node.attrs.i("axis");
  const bool backward = c.node.attrs.i("reverse") != 0;
  if (is_float(type.dtype)) {
    auto v = c.x[0].to_doubles();
    run<Rule>(v, type.shape, axis, backward);
    return {make_floats(type, v)};
  }
  const auto in = c.x[0].to_ints();
  std::vector<uint64_t> v(in.begin(), in.end());
  run<Rule>(v, type.shape, axis, backward);
  return {make_ints(type, std::vector<int64_t>(v.begin(), v.end()))};
}

// All inputs get the new leading axis.
Values batch_along_axis(const BatchContext& c) {
  Values in;
  for (size_t i = 0; i < c.x.size(); ++i) {
    auto dims = c.x[i].shape().dims();
    if (!c.batched[i]) dims.insert(dims.begin(), c.size);
    in.push_back(c.batched[i] ? c.x[i] : broadcast_to(c.x[i], Shape(dims)));
  }
  Attrs attrs = c.node.attrs;
  attrs.set("axis", attrs.i("axis") + 1);
  return c.x[0].graph().add(*c.node.op, in, attrs).outs();
}

template <class Rule>
constexpr OpDef cumulative(std::string_view name,
                           Values (*vjp)(const VjpContext&)) {
  return {.name = name,
          .infer = infer_cumulative,
          .vjp = vjp,
          .lower = lower_cumulative<Rule>,
          .eval = eval_cumulative<Rule>,
          .batch = batch_along_axis,
          .cast = Cast::kF32};
}

template <class Rule>
Values vjp_by_doubling(const VjpContext& c) {
  return vjp_of(doubling<Rule>, c);
}

std::string_view cumlogsumexp_kernel(const Node& n, std::string_view target) {
  const TensorType& type = n.types[0];
  const bool fits = type.shape.size() > 0 &&
                    (type.dtype == DType::kF32 || type.dtype == DType::kF64);
  return fits ? target : "";
}

void call_along_axis(Emitter& e, const Node& n) {
  e.custom_call(n,
                n.op->kernel(n),
                fmt::format("axis = {} : i64, reverse = {} : i64",
                            n.attrs.i("axis"),
                            n.attrs.i("reverse")));
}

void lower_cumlogsumexp(Emitter& e, const Node& n) {
  if (e.use_kernel(n.op->kernel(n))) return call_along_axis(e, n);
  lower_cumulative<LogPlus>(e, n);
}

// exp(a - b) for a <= b: 0 for a = -inf, 1 for inf in inf. The infinities go
// before the difference, so that no derivative meets them.
Value share(const Value& a, const Value& b) {
  const Value top = full_like(a, INFINITY);
  const Value none = equal(a, full_like(a, -INFINITY));
  const Value skip = bit_or(none, bit_and(equal(a, top), equal(b, top)));
  const Value zero = zeros_like(a);
  const Value e = exp(select(skip, zero, a) - select(skip, zero, b));
  return select(none, zero, e);
}

// dx[j] = sum over i >= j of dy[i] exp(x[j] - y[i]), by doubling: after step
// k, s[j] = sum of dy[i] exp(y[j] - y[i]) covers 2^k elements.
Values compose_cumlogsumexp_grad(const Node& n, const Values& in) {
  const int64_t axis = n.attrs.i("axis");
  const bool backward = n.attrs.i("reverse") != 0;
  const DType dtype = in[0].dtype();
  const auto turned = [&](const Value& v) {
    return backward ? reverse(v, {axis}) : v;
  };
  const auto wide = [&](const Value& v) {
    return turned(convert(v, accumulator(dtype)));
  };
  const Value x = wide(in[1]);
  const Value y = wide(in[2]);
  Value s = wide(in[0]);
  const int64_t size = x.dim(axis);
  for (int64_t reach = 1; reach < size; reach *= 2) {
    const auto near = [&](const Value& v) {
      return slice_axis(v, axis, 0, size - reach);
    };
    const auto far = [&](const Value& v) {
      return slice_axis(v, axis, reach, size);
    };
    const Value joined = near(s) + share(near(y), far(y)) * far(s);
    s = concatenate({joined, slice_axis(s, axis, size - reach, size)}, axis);
  }
  // The first result is the first element, whatever it is.
  const int64_t one = std::min<int64_t>(1, size);
  const auto rest = [&](const Value& v) {
    return slice_axis(v, axis, one, size);
  };
  const Value first = slice_axis(s, axis, 0, one);
  const Value dx =
      concatenate({first, share(rest(x), rest(y)) * rest(s)}, axis);
  return {convert(turned(dx), dtype)};
}

// 16 bits are too few for y: rounded, the shares would not add up to 1.
Values cumlogsumexp_vjp(const VjpContext& c) {
  const DType dtype = c.y.dtype();
  const DType wide = accumulator(dtype);
  const Value x = convert(c.x[0], wide);
  const Attrs& a = c.node.attrs;
  const Value y =
      wide == dtype ? c.y : cumlogsumexp(x, a.i("axis"), a.i("reverse") != 0);
  const Value dx =
      x.graph().add(kCumlogsumexpGrad, {convert(c.dy, wide), x, y}, a).out();
  return {convert(dx, dtype)};
}

Value add_node(const OpDef& op, const Value& x, int64_t axis, bool reverse) {
  return x.graph()
      .add(op,
           {x},
           {{"axis", axis_of(axis, x.rank(), op.name)},
            {"reverse", int64_t{reverse}}})
      .out();
}

}  // namespace

constexpr OpDef kCumsum =
    cumulative<Plus>("cumsum", [](const VjpContext& c) -> Values {
      const Attrs& a = c.node.attrs;
      return {cumsum(c.dy, a.i("axis"), a.i("reverse") == 0)};
    });
constexpr OpDef kCumprod = cumulative<Times>("cumprod", vjp_by_doubling<Times>);
constexpr OpDef kCummax =
    cumulative<Extremum<true>>("cummax", vjp_by_doubling<Extremum<true>>);
constexpr OpDef kCummin =
    cumulative<Extremum<false>>("cummin", vjp_by_doubling<Extremum<false>>);
constexpr OpDef kCumlogsumexp = [] {
  OpDef op = cumulative<LogPlus>("cumlogsumexp", cumlogsumexp_vjp);
  op.lower = lower_cumlogsumexp;
  op.kernel = [](const Node& n) {
    return cumlogsumexp_kernel(n, "kexue_cumlogsumexp");
  };
  return op;
}();

// Inputs: dy, x, y = cumlogsumexp(x).
constexpr OpDef kCumlogsumexpGrad{
    .name = "cumlogsumexp_grad",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 3);
      want_float(c);
      if (c.type(1) != c.type(0) || c.type(2) != c.type(0)) {
        refuse(c, "wants dy, x and y of one type");
      }
      canonical_axis(c.attrs.i("axis"), c.type(0).shape.rank(), c.op.data());
      return {c.type(0)};
    },
    .lower = call_along_axis,
    .batch = batch_along_axis,
    .compose = compose_cumlogsumexp_grad,
    .kernel =
        [](const Node& n) {
          return cumlogsumexp_kernel(n, "kexue_cumlogsumexp_grad");
        },
    .cast = Cast::kF32,
};

Value cumsum(const Arg& x, int64_t axis, bool reverse) {
  return add_node(kCumsum, x, axis, reverse);
}
Value cumprod(const Arg& x, int64_t axis, bool reverse) {
  return add_node(kCumprod, x, axis, reverse);
}
Value cummax(const Arg& x, int64_t axis, bool reverse) {
  return add_node(kCummax, x, axis, reverse);
}
Value cummin(const Arg& x, int64_t axis, bool reverse) {
  return add_node(kCummin, x, axis, reverse);
}
Value cumlogsumexp(const Arg& x, int64_t axis, bool reverse) {
  if (!is_float(x.dtype())) {
    throw ir::located(
        {Code::kInvalidArgument,
         "cumlogsumexp: wants a float tensor, got " + x.type().str()});
  }
  return add_node(kCumlogsumexp, x, axis, reverse);
}

}  // namespace kexue::ops
