#include "kexue/ops/conv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kexue/ops/conv_spec.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;
using Dims = std::vector<int64_t>;

void want_groups(const InferContext& c, const ConvSpec& s) {
  const int64_t features = c.attrs.i("feature_groups");
  const int64_t batches = c.attrs.i("batch_groups");
  const Shape& x = c.type(0).shape;
  const Shape& w = c.type(1).shape;
  if (features < 1 || batches < 1 || (features > 1 && batches > 1)) {
    refuse(c, "wants groups >= 1, of features or of batches");
  }
  if (x[s.lhs_f] != features * w[s.rhs_i]) {
    refuse(c,
           fmt::format("x has {} channels, the kernel reads {} in each of {} "
                       "groups",
                       x[s.lhs_f],
                       w[s.rhs_i],
                       features));
  }
  if (w[s.rhs_o] % (features * batches) != 0) {
    refuse(c,
           fmt::format("{} output channels do not make {} groups",
                       w[s.rhs_o],
                       features * batches));
  }
  if (x[s.lhs_b] % batches != 0) {
    refuse(
        c,
        fmt::format("{} examples do not make {} groups", x[s.lhs_b], batches));
  }
}

TypeList infer_conv(const InferContext& c) {
  want_inputs(c, 2);
  const TensorType& x = c.type(0);
  const TensorType& w = c.type(1);
  if (x.dtype != w.dtype || !is_float(x.dtype)) {
    refuse(c, "wants two float tensors of one dtype");
  }
  const ConvSpec s = parse_conv(c.attrs.s("spec"));
  const auto rank = static_cast<int64_t>(s.lhs_term.size());
  if (x.shape.rank() != rank || w.shape.rank() != rank) {
    refuse(c, fmt::format("\"{}\" wants rank {}", c.attrs.s("spec"), rank));
  }
  const WindowSpec window = conv_window(c.attrs, s, w.shape);
  const std::string fault = window_fault(window, s.rank());
  if (!fault.empty()) refuse(c, fault);
  want_groups(c, s);
  Dims dims(static_cast<size_t>(rank));
  dims[static_cast<size_t>(s.out_b)] =
      x.shape[s.lhs_b] / c.attrs.i("batch_groups");
  dims[static_cast<size_t>(s.out_f)] = w.shape[s.rhs_o];
  const auto counts = window_counts(window, sizes_at(x.shape, s.lhs_space));
  for (size_t i = 0; i < s.rank(); ++i) {
    dims[static_cast<size_t>(s.out_space[i])] = counts[i];
  }
  return {{c.attrs.dtype("dtype"), Shape(dims)}};
}

Value convolve(const std::string& spec,
               const Value& x,
               const Value& kernel,
               const WindowSpec& w,
               int64_t feature_groups,
               int64_t batch_groups,
               DType dtype) {
  return x.graph()
      .add(kConvolution,
           {x, kernel},
           {{"spec", spec},
            {"strides", w.strides},
            {"low", w.low},
            {"high", w.high},
            {"lhs_dilation", w.base_dilation},
            {"rhs_dilation", w.window_dilation},
            {"feature_groups", feature_groups},
            {"batch_groups", batch_groups},
            {"dtype", dtype}})
      .out();
}

// x with the groups of axis `from` moved to the front of axis `to`:
// from = (G, rest) becomes rest, to becomes (G, to).
Value regroup(const Value& x, int64_t from, int64_t to, int64_t groups) {
  if (groups == 1) return x;
  Dims split = x.shape().dims();
  Dims joined = split;
  split[static_cast<size_t>(from)] /= groups;
  split.insert(split.begin() + from, groups);
  joined[static_cast<size_t>(from)] /= groups;
  joined[static_cast<size_t>(to)] *= groups;
  Dims perm;
  for (int64_t a = 0; a < x.rank(); ++a) {
    if (a == to) perm.push_back(from);
    perm.push_back(a < from ? a : a + 1);
  }
  return reshape(transpose(reshape(x, split), perm), joined);
}

// dx: the cotangent, its elements a stride apart, convolved with the reversed
// kernel whose inputs and outputs have changed places.
Value input_cotangent(const VjpContext& c, const ConvSpec& s, const Value& dy) {
  const Attrs& a = c.node.attrs;
  const int64_t batches = a.i("batch_groups");
  const int64_t groups = a.i("feature_groups") * batches;
  const WindowSpec window = transposed_window(
      conv_window(a, s, c.x[1].shape()), sizes_at(c.x[0].shape(), s.lhs_space));
  const Value kernel =
      reverse(regroup(c.x[1], s.rhs_o, s.rhs_i, groups), s.rhs_space);
  const Value dx = convolve(
      s.out_term + "," + exchanged(s.rhs_term, 'i', 'o') + "->" + s.lhs_term,
      dy,
      kernel,
      window,
      groups,
      1,
      c.x[0].dtype());
  return regroup(dx, s.lhs_f, s.lhs_b, batches);
}

// dw: x convolved with the cotangent over the batch. Channels of x play the
// batch, examples the channels.
Value kernel_cotangent(const VjpContext& c,
                       const ConvSpec& s,
                       const Value& dy) {
  const Attrs& a = c.node.attrs;
  const WindowSpec w = conv_window(a, s, c.x[1].shape());
  WindowSpec window{.size = sizes_at(dy.shape(), s.out_space),
                    .strides = w.window_dilation,
                    .low = w.low,
                    .high = {},
                    .base_dilation = w.base_dilation,
                    .window_dilation = w.strides};
  for (size_t i = 0; i < s.rank(); ++i) {
    const int64_t n = c.x[0].dim(s.lhs_space[i]);
    window.high.push_back(dilated(window.size[i], w.strides[i]) +
                          dilated(w.size[i], w.window_dilation[i]) - 1 -
                          dilated(n, w.base_dilation[i]) - w.low[i]);
  }
  std::string kernel_term = s.out_term;
  for (char& l : kernel_term) l = l == 'b' ? 'i' : (l == 'f' ? 'o' : l);
  std::string out_term = s.rhs_term;
  for (char& l : out_term) l = l == 'i' ? 'b' : (l == 'o' ? 'f' : l);
  return convolve(
      exchanged(s.lhs_term, 'b', 'f') + "," + kernel_term + "->" + out_term,
      c.x[0],
      dy,
      window,
      a.i("batch_groups"),
      a.i("feature_groups"),
      c.x[1].dtype());
}

Values conv_vjp(const VjpContext& c) {
  const ConvSpec s = parse_conv(c.node.attrs.s("spec"));
  // Nothing flows, and no window fits into nothing.
  if (c.dy.shape().size() == 0 || c.x[0].shape().size() == 0 ||
      c.x[1].shape().size() == 0) {
    return Values(2);
  }
  const Value dy = convert(c.dy, c.x[0].dtype());
  Values out(2);
  if (c.needs[0]) out[0] = input_cotangent(c, s, dy);
  if (c.needs[1]) out[1] = kernel_cotangent(c, s, dy);
  return out;
}

std::string dimension_numbers(const ConvSpec& s) {
  const auto term = [](const std::string& letters) {
    return fmt::format("[{}]", fmt::join(letters, ", "));
  };
  return fmt::format("#stablehlo.conv<{}x{}->{}>",
                     term(s.lhs_term),
                     term(s.rhs_term),
                     term(s.out_term));
}

void lower_conv(Emitter& e, const Node& n) {
  const TensorType& type = n.types[0];
  std::vector<stablehlo::Ssa> in = e.get(n.inputs);
  if (in[0].type.shape.size() == 0 || in[1].type.shape.size() == 0) {
    const auto zero = e.constant(HostArray::full({type.dtype, {}}, 0));
    e.bind(const_cast<Node&>(n).out(),
           e.emit("stablehlo.broadcast_in_dim",
                  {zero},
                  {type},
                  "broadcast_dimensions = array<i64>")[0]);
    return;
  }
  for (auto& x : in) {
    if (!e.mixed_products() && x.type.dtype != type.dtype) {
      x = e.emit("stablehlo.convert", {x}, {{type.dtype, x.type.shape}})[0];
    }
  }
  const ConvSpec s = parse_conv(n.attrs.s("spec"));
  std::vector<std::string> pads;
  for (size_t i = 0; i < s.rank(); ++i) {
    pads.push_back(fmt::format(
        "[{}, {}]", n.attrs.ints("low")[i], n.attrs.ints("high")[i]));
  }
  const auto out = e.emit(
      "stablehlo.convolution",
      in,
      {type},
      fmt::format("window_strides = {}, padding = dense<[{}]> : "
                  "tensor<{}x2xi64>, lhs_dilation = {}, rhs_dilation = {}, "
                  "dimension_numbers = {}, feature_group_count = {} : i64, "
                  "batch_group_count = {} : i64",
                  stablehlo::int_array(n.attrs.ints("strides")),
                  fmt::join(pads, ", "),
                  s.rank(),
                  stablehlo::int_array(n.attrs.ints("lhs_dilation")),
                  stablehlo::int_array(n.attrs.ints("rhs_dilation")),
                  dimension_numbers(s),
                  n.attrs.i("feature_groups"),
                  n.attrs.i("batch_groups")));
  e.bind(const_cast<Node&>(n).out(), out[0]);
}

// Sum over one window: `at` is the flat place in x and in the kernel without
// the spatial part, `o` the window's position.
struct WindowSum {
  const WindowSpec& w;
  Dims in;         // spatial sizes of x
  Dims x_strides;  // of spatial dimensions
  Dims w_strides;
  int64_t channels;  // of one group
  int64_t x_channel_stride;
  int64_t w_channel_stride;
  const std::vector<double>& x;
  const std::vector<double>& kernel;

  double operator()(const Dims& o, int64_t x_at, int64_t w_at) const {
    double total = 0;
    IndexWalk k{Shape(w.size)};
    for (int64_t n = Shape(w.size).size(); n > 0; --n, k.next()) {
      int64_t xa = x_at;
      int64_t wa = w_at;
      bool inside = true;
      for (size_t i = 0; inside && i < in.size(); ++i) {
        const int64_t p = o[i] * w.strides[i] +
                          k.index()[i] * w.window_dilation[i] - w.low[i];
        const int64_t q = p / w.base_dilation[i];
        inside = p >= 0 && p % w.base_dilation[i] == 0 && q < in[i];
        xa += q * x_strides[i];
        wa += k.index()[i] * w_strides[i];
      }
      for (int64_t c = 0; inside && c < channels; ++c) {
        total += x[static_cast<size_t>(xa + c * x_channel_stride)] *
                 kernel[static_cast<size_t>(wa + c * w_channel_stride)];
      }
    }
    return total;
  }
};

std::vector<HostArray> eval_conv(const EvalContext& c) {
  const Attrs& a = c.node.attrs;
  const ConvSpec s = parse_conv(a.s("spec"));
  const TensorType& type = c.node.types[0];
  const Shape& xs = c.x[0].shape();
  const Shape& ws = c.x[1].shape();
  const Shape x_strides(xs.strides());
  const Shape w_strides(ws.strides());
  const WindowSpec window = conv_window(a, s, ws);
  const auto x = c.x[0].to_doubles();
  const auto kernel = c.x[1].to_doubles();
  const WindowSum sum{.w = window,
                      .in = sizes_at(xs, s.lhs_space),
                      .x_strides = sizes_at(x_strides, s.lhs_space),
                      .w_strides = sizes_at(w_strides, s.rhs_space),
                      .channels = ws[s.rhs_i],
                      .x_channel_stride = x_strides[s.lhs_f],
                      .w_channel_stride = w_strides[s.rhs_i],
                      .x = x,
                      .kernel = kernel};
  const int64_t feature_part = ws[s.rhs_o] / a.i("feature_groups");
  const int64_t batch_part = ws[s.rhs_o] / a.i("batch_groups");
  std::vector<double> out(static_cast<size_t>(type.shape.size()));
  IndexWalk it(type.shape);
  for (double& y : out) {
    const auto index = [&](int64_t place) {
      return it.index()[static_cast<size_t>(place)];
    };
    Dims o;
    for (const int64_t p : s.out_space) o.push_back(index(p));
    const int64_t f = index(s.out_f);
    const int64_t b = index(s.out_b) + f / batch_part * type.shape[s.out_b];
    y = sum(o,
            b * x_strides[s.lhs_b] +
                f / feature_part * ws[s.rhs_i] * x_strides[s.lhs_f],
            f * w_strides[s.rhs_o]);
    it.next();
  }
  return {make_floats(type, out)};
}

// Of each result: the products with one group's channels under the window.
// Zeros that a dilated x has between its elements are not counted.
double conv_flops(const Node& n) {
  const ConvSpec s = parse_conv(n.attrs.s("spec"));
  const Shape& w = n.inputs[1].shape();
  double count = 2 * static_cast<double>(n.types[0].shape.size()) *
                 static_cast<double>(w[s.rhs_i]);
  for (size_t i = 0; i < s.rank(); ++i) {
    count *= static_cast<double>(w[s.rhs_space[i]]) /
             static_cast<double>(n.attrs.ints("lhs_dilation")[i]);
  }
  return count;
}

}  // namespace

// Inputs: x, kernel.
constexpr OpDef kConvolution{
    .name = "convolution",
    .infer = infer_conv,
    .vjp = conv_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          e.use_kernel(conv_kernel(n)) ? lower_conv_call(e, n)
                                       : lower_conv(e, n);
        },
    .eval = eval_conv,
    .batch = batch_conv,
    .kernel = conv_kernel,
    .flops = conv_flops,
    .cast = Cast::kCompute,
};

Value conv_general(const std::string& spec,
                   const Arg& x,
                   const Value& kernel,
                   const ConvOptions& options) {
  const ConvSpec s = parse_conv(spec);
  WindowSpec w{.size = Dims(s.rank(), 1),
               .strides = or_all(options.strides, s.rank(), 1),
               .low = Dims(s.rank(), 0),
               .high = Dims(s.rank(), 0),
               .base_dilation = or_all(options.input_dilation, s.rank(), 1),
               .window_dilation = or_all(options.kernel_dilation, s.rank(), 1)};
  // With other ranks the op itself complains.
  const auto rank = static_cast<int64_t>(s.lhs_term.size());
  if (x.rank() == rank && kernel.rank() == rank) {
    w.size = sizes_at(kernel.shape(), s.rhs_space);
    set_padding(w, options.padding, sizes_at(x.shape(), s.lhs_space));
  }
  return convolve(spec,
                  x,
                  kernel,
                  w,
                  options.feature_groups,
                  options.batch_groups,
                  x.dtype());
}

}  // namespace kexue::ops
