#include "kexue/ops/group_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

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

// [B,G], one element a group of an example.
TensorType group_type(const TensorType& x, int64_t groups) {
  return {x.dtype == DType::kF64 ? x.dtype : DType::kF32,
          Shape{x.shape[0], groups}};
}

void want_operands(const InferContext& c, size_t x) {
  const TensorType& type = c.type(x);
  want_float(c, x);
  if (type.shape.rank() < 2 ||
      c.type(x + 1) != TensorType{type.dtype, Shape{type.shape[-1]}} ||
      c.type(x + 2) != c.type(x + 1)) {
    refuse(c, "wants x f[B,...,C], gamma f[C], beta f[C]");
  }
  const int64_t groups = c.attrs.i("groups");
  if (groups < 1 || type.shape[-1] % groups != 0) {
    refuse(c, fmt::format("cannot make {} groups of the channels", groups));
  }
}

// x f[B,...,C] in the types and shapes that the formulas are written in.
struct Parts {
  DType narrow;
  DType wide;
  std::vector<int64_t> dims;
  int64_t groups;

  Parts(const Node& n, const Value& x)
      : narrow(x.dtype()),
        wide(narrow == DType::kF64 ? narrow : DType::kF32),
        dims(x.shape().dims()),
        groups(n.attrs.i("groups")) {}

  Value widened(const Value& v) const { return convert(v, wide); }
  Value rounded(const Value& v) const { return convert(v, narrow); }
  // [B,...,C] -> [B,P,G,C/G]
  Value split(const Value& v) const {
    int64_t positions = 1;
    for (size_t i = 1; i + 1 < dims.size(); ++i) positions *= dims[i];
    return reshape(v, {dims.front(), positions, groups, dims.back() / groups});
  }
  Value joined(const Value& v) const { return reshape(v, dims); }
  // [B,G] -> [B,1,G,1]
  Value column(const Value& v) const {
    return reshape(v, {dims.front(), 1, groups, 1});
  }
  Value over_positions(const Value& v) const {
    std::vector<int64_t> axes;
    for (int64_t i = 0; i + 1 < v.rank(); ++i) axes.push_back(i);
    return sum(v, axes);
  }
};

Values compose_group_norm(const Node& n, const Values& in) {
  const Parts p(n, in[0]);
  const Value x = p.split(p.widened(in[0]));
  const Value mu = mean(x, {1, 3});
  const Value d = x - p.column(mu);
  const Value rstd = rsqrt(mean(d * d, {1, 3}) + n.attrs.f("eps"));
  const Value h = p.joined(d * p.column(rstd));
  const Value y = h * p.widened(in[1]) + p.widened(in[2]);
  const Value z = n.attrs.i("silu") != 0 ? y * logistic(y) : y;
  return {convert(z, n.types[0].dtype), mu, rstd};
}

// Inputs: dz, x, gamma, beta, mean, rstd.
Values compose_group_norm_grad(const Node& n, const Values& in) {
  const Parts p(n, in[1]);
  const Value gamma = p.widened(in[2]);
  const Value rstd = p.column(in[5]);
  const Value h = (p.split(p.widened(in[1])) - p.column(in[4])) * rstd;
  const Value flat = p.joined(h);
  Value dy = p.widened(in[0]);
  if (n.attrs.i("silu") != 0) {
    const Value y = flat * gamma + p.widened(in[3]);
    const Value s = logistic(y);
    dy = dy * (s * (1.0 + y * (1.0 - s)));
  }
  const Value u = p.split(dy * gamma);
  const Value u_mean = mean(u, {1, 3}, true);
  const Value uh_mean = mean(u * h, {1, 3}, true);
  const Value dx = p.joined(rstd * (u - u_mean - h * uh_mean));
  return {convert(dx, n.types[0].dtype),
          p.rounded(p.over_positions(dy * flat)),
          p.rounded(p.over_positions(dy))};
}

// As layer_norm's: once mean or rstd are used themselves (second order), the
// composition is differentiated.
Values group_norm_vjp(const VjpContext& c) {
  Node& n = c.node;
  if (!c.dys[0] || c.dys[1] || c.dys[2]) return vjp_of_composition(c);
  Node& grad = n.graph->add(
      kGroupNormGrad,
      {c.dy, c.x[0], c.x[1], c.x[2], n.out(1), n.out(2)},
      {{"groups", n.attrs.i("groups")}, {"silu", n.attrs.i("silu")}});
  return grad.outs();
}

// More examples, if they share gamma and beta.
Values batch_group_norm(const BatchContext& c) {
  if (c.batched[1] || c.batched[2]) return batch_composition(c);
  std::vector<int64_t> dims = c.node.inputs[0].shape().dims();
  dims.front() *= c.size;
  Values out =
      c.x[0]
          .graph()
          .add(
              *c.node.op, {reshape(c.x[0], dims), c.x[1], c.x[2]}, c.node.attrs)
          .outs();
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = reshape(out[i], with_lead(c.size, c.node.types[i].shape.dims()));
  }
  return out;
}

bool has_kernel(DType d) {
  return d == DType::kF32 || d == DType::kBF16;
}

bool fits(const Node& n) {
  return has_kernel(n.types[0].dtype) &&
         std::all_of(n.inputs.begin(), n.inputs.end(), [](const Value& v) {
           return has_kernel(v.dtype());
         });
}

std::string call_attrs(const Node& n) {
  return fmt::format("groups = {} : i64, silu = {} : i64",
                     n.attrs.i("groups"),
                     n.attrs.i("silu"));
}

}  // namespace

// Inputs: x, gamma, beta. Outputs: z, mean, 1/std.
constexpr OpDef kGroupNorm{
    .name = "group_norm",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 3);
      want_operands(c, 0);
      const TensorType row = group_type(c.type(0), c.attrs.i("groups"));
      return {result_type(c, 0), row, row};
    },
    .vjp = group_norm_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(
              n,
              "kexue_group_norm",
              fmt::format(
                  "eps = {:e} : f32, {}", n.attrs.f("eps"), call_attrs(n)));
        },
    .batch = batch_group_norm,
    .compose = compose_group_norm,
    .kernel = [](const Node& n) -> std::string_view {
      return fits(n) ? "kexue_group_norm" : "";
    },
    .cast = Cast::kF32,
};

// Inputs: dz, x, gamma, beta, mean, 1/std. Outputs: dx, dgamma, dbeta.
constexpr OpDef kGroupNormGrad{
    .name = "group_norm_grad",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 6);
      want_operands(c, 1);
      const TensorType row = group_type(c.type(1), c.attrs.i("groups"));
      if (c.type(0) != c.type(1)) refuse(c, "wants dz of x's type");
      if (c.type(4) != row || c.type(5) != row) {
        refuse(c, "wants mean and rstd f[B,groups]");
      }
      return {result_type(c, 1), c.type(2), c.type(3)};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(n, "kexue_group_norm_grad", call_attrs(n));
        },
    .compose = compose_group_norm_grad,
    .kernel = [](const Node& n) -> std::string_view {
      return fits(n) ? "kexue_group_norm_grad" : "";
    },
    .cast = Cast::kF32,
};

Value group_norm(const Arg& x,
                 const Value& gamma,
                 const Value& beta,
                 int64_t groups,
                 double eps,
                 bool silu) {
  return x.graph()
      .add(kGroupNorm,
           {x, gamma, beta},
           {{"groups", groups},
            {"eps", eps},
            {"silu", static_cast<int64_t>(silu)}})
      .out();
}

}  // namespace kexue::ops
