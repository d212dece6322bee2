#include "kexue/ops/fused.h"

#include <fmt/format.h>

#include <numbers>

#include "kexue/ops/backprop.h"
#include "kexue/ops/batching.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

bool all_f32(const Node& n) {
  for (const Value& v : n.inputs) {
    if (v.dtype() != DType::kF32) return false;
  }
  return true;
}

// Kernels round their result themselves, but not to every type.
bool writable(const Node& n) {
  const DType d = n.types[0].dtype;
  return d == DType::kF32 || d == DType::kBF16;
}

// [...] of [...,D]
Shape lead_shape(const Shape& s) {
  auto dims = s.dims();
  dims.pop_back();
  return Shape(dims);
}

DType wide(DType d) {
  return d == DType::kF64 ? d : DType::kF32;
}

Values converted(const Values& values, DType dtype) {
  Values out;
  for (const Value& v : values) out.push_back(convert(v, dtype));
  return out;
}

Value column(const Value& x) {
  auto dims = x.shape().dims();
  dims.push_back(1);
  return reshape(x, dims);
}

Axes lead_axes(const Value& x) {
  Axes axes;
  for (int64_t i = 0; i + 1 < x.rank(); ++i) axes.push_back(i);
  return axes;
}

TypeList infer_layer_norm(const InferContext& c) {
  want_inputs(c, 3);
  want_float(c);
  const TensorType& x = c.type(0);
  if (x.shape.rank() < 1 ||
      c.type(1) != TensorType{x.dtype, Shape{x.shape[-1]}} ||
      c.type(2) != c.type(1)) {
    refuse(c, "wants x f[...,D], gamma f[D], beta f[D]");
  }
  const TensorType row{wide(x.dtype), lead_shape(x.shape)};
  return {x, row, row};
}

Values compose_layer_norm(const Node& n, const Values& in) {
  const DType narrow = in[0].dtype();
  const Values w = converted(in, wide(narrow));
  const Value mu = mean(w[0], {-1});
  const Value d = w[0] - column(mu);
  const Value rstd = rsqrt(mean(d * d, {-1}) + n.attrs.f("eps"));
  return {convert(d * column(rstd) * w[1] + w[2], narrow), mu, rstd};
}

// Inputs: dy, x, gamma, mean, rstd.
Values compose_layer_norm_grad(const Node&, const Values& in) {
  const DType narrow = in[1].dtype();
  const Values w = converted(in, wide(narrow));
  const Value xhat = (w[1] - column(w[3])) * column(w[4]);
  const Value g = w[0] * w[2];
  const Value m1 = mean(g, {-1}, true);
  const Value m2 = mean(g * xhat, {-1}, true);
  const Value dx = column(w[4]) * (g - m1 - xhat * m2);
  const Axes lead = lead_axes(in[1]);
  const auto over_rows = [&](const Value& v) {
    return lead.empty() ? v : sum(v, lead);
  };
  return converted({dx, over_rows(w[0] * xhat), over_rows(w[0])}, narrow);
}

// First order goes through the fused gradient unless mean or rstd are used
// themselves (second order): then the composition is differentiated.
Values layer_norm_vjp(const VjpContext& c) {
  Node& n = c.node;
  if (!c.dys[0] || c.dys[1] || c.dys[2]) return vjp_of_composition(c);
  Node& grad =
      n.graph->add(kLayerNormGrad, {c.dy, c.x[0], c.x[1], n.out(1), n.out(2)});
  return grad.outs();
}

// Rows of more examples are more rows, if they share gamma and beta.
Values batch_layer_norm(const BatchContext& c) {
  if (c.batched[1] || c.batched[2]) return batch_composition(c);
  return c.x[0].graph().add(*c.node.op, c.x, c.node.attrs).outs();
}

// erf'(x / sqrt 2) / sqrt 2 = exp(-x^2 / 2) / sqrt(2 pi)
Value gelu_slope(const Value& x) {
  const Value cdf = (erf(x * (1 / std::numbers::sqrt2)) + 1.0) * 0.5;
  const double c = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  // Where exp is 0 the product is 0 even for |x| whose square overflows.
  const Value bell = exp(x * x * -0.5) * c;
  return cdf + x * bell;
}

}  // namespace

// Inputs: x, gamma, beta. Outputs: y, mean, 1/std.
constexpr OpDef kLayerNorm{
    .name = "layer_norm",
    .infer = infer_layer_norm,
    .vjp = layer_norm_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(n,
                        "kexue_layer_norm",
                        fmt::format("eps = {:e} : f32", n.attrs.f("eps")));
        },
    .batch = batch_layer_norm,
    .compose = compose_layer_norm,
    .kernel = [](const Node& n) -> std::string_view {
      return all_f32(n) ? "kexue_layer_norm" : "";
    },
    .cast = Cast::kF32,
};

// Inputs: dy, x, gamma, mean, 1/std. Outputs: dx, dgamma, dbeta.
constexpr OpDef kLayerNormGrad{
    .name = "layer_norm_grad",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 5);
      if (c.type(0) != c.type(1)) refuse(c, "wants dy of x's type");
      return {c.type(1), c.type(2), c.type(2)};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(n, "kexue_layer_norm_grad", "");
        },
    .compose = compose_layer_norm_grad,
    .kernel = [](const Node& n) -> std::string_view {
      return all_f32(n) ? "kexue_layer_norm_grad" : "";
    },
    .cast = Cast::kF32,
};

constexpr OpDef kGelu{
    .name = "gelu",
    .infer = [](const InferContext& c) -> TypeList {
      float_unary(c);
      return {result_type(c, 0)};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy.graph().add(kGeluGrad, {c.dy, c.x[0]}).out()};
    },
    .lower = [](Emitter& e,
                const Node& n) { e.custom_call(n, "kexue_gelu", ""); },
    .batch = batch_elementwise,
    .compose = [](const Node& n, const Values& in) -> Values {
      const Value twice_cdf = erf(in[0] * (1 / std::numbers::sqrt2)) + 1.0;
      return {convert(in[0] * 0.5 * twice_cdf, n.types[0].dtype)};
    },
    .kernel = [](const Node& n) -> std::string_view {
      return all_f32(n) && writable(n) ? "kexue_gelu" : "";
    },
};

// Inputs: dy, x.
constexpr OpDef kGeluGrad{
    .name = "gelu_grad",
    .infer = [](const InferContext& c) -> TypeList {
      want_float(c);
      same_binary(c);
      return {result_type(c, 1)};
    },
    .lower = [](Emitter& e,
                const Node& n) { e.custom_call(n, "kexue_gelu_grad", ""); },
    .batch = batch_elementwise,
    .compose = [](const Node& n, const Values& in) -> Values {
      return {convert(in[0] * gelu_slope(in[1]), n.types[0].dtype)};
    },
    .kernel = [](const Node& n) -> std::string_view {
      return all_f32(n) && writable(n) ? "kexue_gelu_grad" : "";
    },
};

Value layer_norm(const Arg& x,
                 const Value& gamma,
                 const Value& beta,
                 double eps) {
  return x.graph().add(kLayerNorm, {x, gamma, beta}, {{"eps", eps}}).out();
}

Value gelu(const Arg& x) {
  return unary(kGelu, x);
}

Value gelu_tanh(const Arg& x) {
  const Value inner =
      (x + x * x * x * 0.044715) * std::sqrt(2 * std::numbers::inv_pi);
  return x * 0.5 * (tanh(inner) + 1.0);
}

Value relu(const Arg& x) {
  const Value zero = zeros_like(x);
  return select(greater(x, zero), x, zero);
}

Value softmax(const Arg& x, int64_t axis) {
  const Value w = widen(x);
  const Value e = exp(w - stop_gradient(max(w, {axis}, true)));
  return convert(e / sum(e, {axis}, true), x.dtype());
}

Value masked_softmax(const Arg& x, const Value& mask, int64_t axis) {
  const Value w = widen(x);
  const Value open = select(mask, w, full_like(w, -INFINITY));
  const Value top = stop_gradient(max(open, {axis}, true));
  const Value safe = select(is_finite(top), top, zeros_like(top));
  const Value e = exp(open - safe);
  const Value s = sum(e, {axis}, true);
  const Value p = e / select(greater(s, zeros_like(s)), s, ones_like(s));
  return convert(p, x.dtype());
}

Value log_softmax(const Arg& x, int64_t axis) {
  const Value w = widen(x);
  return convert(w - logsumexp(w, {axis}, true), x.dtype());
}

}  // namespace kexue::ops
