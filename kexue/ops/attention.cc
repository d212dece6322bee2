// Fused attention; declared in fused.h.
#include <fmt/format.h>

#include "kexue/ops/backprop.h"
#include "kexue/ops/batching.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/fused.h"
#include "kexue/ops/linalg.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/random.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

// [B,T,H] of q [B,T,H,D] as [B,H,T].
Shape row_shape(const Shape& q) {
  return {q[0], q[2], q[1]};
}

void check_inputs(const InferContext& c) {
  const Shape& q = c.type(0).shape;
  const Shape& k = c.type(1).shape;
  bool ok = q.rank() == 4 && k.rank() == 4 && c.type(2) == c.type(1) &&
            c.type(0).dtype == c.type(1).dtype;
  ok = ok && q[0] == k[0] && q[2] == k[2] && q[3] == k[3] &&
       c.type(3) == TensorType{DType::kBool, {k[0], k[1]}} &&
       c.type(4) == TensorType{DType::kU32, {2}};
  if (!ok) {
    refuse(
        c,
        "wants q f[B,T,H,D], k and v f[B,S,H,D], mask bool[B,S], key u32[2]");
  }
  if (c.attrs.i("causal") != 0 && q[1] != k[1]) {
    refuse(c, "causal: wants as many queries as keys");
  }
}

Value drop(const Value& p, const Value& key, const Attrs& attrs) {
  const int64_t t = attrs.i("threshold");
  return t == 0 ? p : dropout(p, key, static_cast<double>(t) / 65536.0);
}

// scale q k^T as [B,H,T,S], in f32 or wider.
Value scores(const Attrs& attrs, const Value& q, const Value& k) {
  const DType wide = q.dtype() == DType::kF64 ? DType::kF64 : DType::kF32;
  const Value s =
      q.graph()
          .add(kMatmul,
               {q, k},
               {{"spec", std::string("bthd,bshd->bhts")}, {"dtype", wide}})
          .out();
  return s * attrs.f("scale");
}

// The scores s [B,H,T,S] that the mask, and the order if causal, allow; -inf
// for the others.
Value allowed(const Attrs& attrs, const Value& mask, const Value& s) {
  const Value never = full_like(s, -INFINITY);
  const Value open =
      select(reshape(mask, {mask.dim(0), 1, 1, mask.dim(1)}), s, never);
  if (attrs.i("causal") == 0) return open;
  const TensorType square{DType::kI32, {s.dim(2), s.dim(3)}};
  return select(less_equal(iota(square, 1), iota(square, 0)), open, never);
}

// Inputs: q, k, v, mask, key. Outputs: o, lse (log of the softmax sums; +inf
// for a row without any allowed key, so that exp(s - lse) is 0 there).
Values compose_attention(const Node& n, const Values& in) {
  const Value s = scores(n.attrs, in[0], in[1]);
  const Value open = allowed(n.attrs, in[3], s);
  const Value top = stop_gradient(max(open, {-1}, true));
  const Value safe = select(is_finite(top), top, zeros_like(top));
  const Value e = exp(open - safe);
  const Value total = sum(e, {-1}, true);
  const Value some = greater(total, zeros_like(total));
  const Value divisor = select(some, total, ones_like(total));
  const Value p = drop(e / divisor, in[4], n.attrs);
  const Value o = in[0]
                      .graph()
                      .add(kMatmul,
                           {convert(p, in[2].dtype()), in[2]},
                           {{"spec", std::string("bhts,bshd->bthd")},
                            {"dtype", n.attrs.dtype("dtype")}})
                      .out();
  const Value lse =
      select(some, log(divisor) + safe, full_like(total, INFINITY));
  return {o, reshape(lse, row_shape(in[0].shape()).dims())};
}

Value product(const std::string& spec,
              const Value& a,
              const Value& b,
              DType dtype) {
  return a.graph()
      .add(kMatmul, {a, b}, {{"spec", spec}, {"dtype", dtype}})
      .out();
}

// Inputs: q, k, v, mask, key, o, lse, do. Outputs: dq, dk, dv.
Values compose_attention_grad(const Node& n, const Values& in) {
  const Value& q = in[0];
  const Value& k = in[1];
  const Value& v = in[2];
  const DType low = q.dtype();
  const DType out = n.attrs.dtype("dtype");
  const Value s = scores(n.attrs, q, k);
  const Value lse = reshape(in[6], {q.dim(0), q.dim(2), q.dim(1), 1});
  const Value open = allowed(n.attrs, in[3], s);
  const Value p = exp(open - lse);
  const Value dropped = convert(drop(p, in[4], n.attrs), low);
  const Value dout = convert(in[7], low);
  const Value dv = product("bhts,bthd->bshd", dropped, dout, out);
  const Value dp =
      drop(product("bthd,bshd->bhts", dout, v, s.dtype()), in[4], n.attrs);
  // sum_s p dp = sum_d do o: one small product instead of a row sum of [T,S].
  const Value rows =
      sum(convert(in[7], s.dtype()) * convert(in[5], s.dtype()), {-1});
  const Value delta = reshape(transpose(rows, {0, 2, 1}), lse.shape().dims());
  const Value ds = convert(p * (dp - delta) * n.attrs.f("scale"), low);
  return {product("bhts,bshd->bthd", ds, k, out),
          product("bhts,bthd->bshd", ds, q, out),
          dv};
}

bool kernel_fits(const Node& n) {
  const DType d = n.inputs[0].dtype();
  const int64_t width = n.inputs[0].dim(3);
  return (d == DType::kF32 || d == DType::kBF16) && width % 16 == 0 &&
         width <= 256 && n.inputs[0].dim(1) <= 1024 &&
         n.inputs[1].dim(1) <= 1024;
}

std::string ffi_attrs(const Node& n) {
  return fmt::format(
      "scale = {:e} : f32, threshold = {} : i64, "
      "causal = {} : i64",
      n.attrs.f("scale"),
      n.attrs.i("threshold"),
      n.attrs.i("causal"));
}

Values attention_vjp(const VjpContext& c) {
  Node& n = c.node;
  // lse itself is differentiated: second order.
  if (!c.dys[0] || c.dys[1]) return vjp_of_composition(c);
  Attrs attrs = n.attrs;
  attrs.set("dtype", c.x[0].dtype());
  Values in = c.x;
  in.insert(in.end(), {n.out(0), n.out(1), c.dy});
  Values out = n.graph->add(kAttentionGrad, in, attrs).outs();
  out.resize(c.x.size());
  return out;
}

// More examples are more rows of the batch, unless dropout counts elements.
Values batch_attention(const BatchContext& c) {
  if (c.node.attrs.i("threshold") != 0) return batch_composition(c);
  const auto folded = [&](const Value& x) {
    std::vector<int64_t> dims(x.shape().begin() + 1, x.shape().end());
    dims[0] *= c.size;
    return reshape(x, dims);
  };
  Values in;
  for (size_t i = 0; i < c.x.size(); ++i) {
    if (i == 4) {  // the key is not read
      in.push_back(c.batched[i] ? full({DType::kU32, {2}}, 0) : c.x[i]);
      continue;
    }
    in.push_back(folded(c.batched[i] ? c.x[i] : repeat(c.x[i], c.size)));
  }
  Values out = ir::Tracing::current().add(*c.node.op, in, c.node.attrs).outs();
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = reshape(out[i], with_lead(c.size, c.node.types[i].shape.dims()));
  }
  return out;
}

// Of q k^T, and as many of each other product; causal: of the triangle alone.
double product_flops(const Node& n) {
  const auto& q = n.inputs[0].shape();
  const auto keys = static_cast<double>(n.inputs[1].dim(1));
  const double seen = n.attrs.i("causal") != 0 ? (keys + 1) / 2 : keys;
  return 2.0 * static_cast<double>(q.size()) * seen;
}

}  // namespace

constexpr OpDef kAttention{
    .name = "attention",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 5);
      want_float(c);
      check_inputs(c);
      const DType wide =
          c.type(0).dtype == DType::kF64 ? DType::kF64 : DType::kF32;
      return {{c.attrs.dtype("dtype"), c.type(0).shape},
              {wide, row_shape(c.type(0).shape)}};
    },
    .vjp = attention_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(n, "kexue_attention", ffi_attrs(n));
        },
    .batch = batch_attention,
    .compose = compose_attention,
    .kernel = [](const Node& n) -> std::string_view {
      const bool wide = n.types[0].dtype == DType::kF32;
      return wide && kernel_fits(n) ? "kexue_attention" : "";
    },
    .flops = [](const Node& n) { return 2 * product_flops(n); },
    .cast = Cast::kCompute,
};

constexpr OpDef kAttentionGrad{
    .name = "attention_grad",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 8);
      check_inputs(c);
      const DType d = c.attrs.dtype("dtype");
      return {{d, c.type(0).shape}, {d, c.type(1).shape}, {d, c.type(2).shape}};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(n, "kexue_attention_grad", ffi_attrs(n));
        },
    .batch = batch_attention,
    .compose = compose_attention_grad,
    .kernel = [](const Node& n) -> std::string_view {
      const DType out = n.types[0].dtype;
      const bool wide = n.inputs[5].dtype() == DType::kF32 &&
                        n.inputs[7].dtype() == DType::kF32;
      return kernel_fits(n) && wide &&
                     (out == DType::kF32 || out == DType::kBF16)
                 ? "kexue_attention_grad"
                 : "";
    },
    // Scores again, then dv, the slope of the shares, dq and dk.
    .flops = [](const Node& n) { return 5 * product_flops(n); },
    .cast = Cast::kCompute,
    .keep_inputs = 0xe0,  // o, lse, do stay wide
};

Value attention(const Arg& q,
                const Value& k,
                const Value& v,
                const Value& mask,
                const Value& key,
                double scale,
                double dropout_rate,
                bool is_causal) {
  return q.graph()
      .add(kAttention,
           {q, k, v, mask, key},
           {{"scale", scale},
            {"threshold", dropout_threshold(dropout_rate)},
            {"causal", int64_t{is_causal}},
            {"dtype", q.dtype()}})
      .out();
}

}  // namespace kexue::ops
