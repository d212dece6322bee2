// Softmax cross-entropy; declared in fused.h.
#include "kexue/ops/backprop.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/fused.h"
#include "kexue/ops/index.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

Value column(const Value& x) {
  auto dims = x.shape().dims();
  dims.push_back(1);
  return reshape(x, dims);
}

void check_inputs(const InferContext& c, size_t logits, size_t labels) {
  want_float(c, logits);
  auto dims = c.type(labels).shape.dims();
  const Shape& s = c.type(logits).shape;
  const bool ranked = s.rank() >= 1;
  if (ranked) dims.push_back(s[-1]);
  if (!ranked || s != Shape(dims) || c.type(labels).dtype != DType::kI32) {
    refuse(c, "wants logits f[...,C], labels i32[...]");
  }
}

// Which labels name a class.
Value counted(const Value& labels, int64_t classes) {
  return bit_and(greater_equal(labels, zeros_like(labels)),
                 less(labels, full_like(labels, static_cast<double>(classes))));
}

// Inputs: logits, labels. Outputs: loss, lse.
Values compose_cross_entropy(const Node&, const Values& in) {
  const Value w = widen(in[0]);
  const int64_t classes = w.dim(-1);
  const Value top = stop_gradient(max(w, {-1}, true));
  const Value shift = select(is_finite(top), top, zeros_like(top));
  const Value d = w - shift;
  const Value rest = log(sum(exp(d), {-1}));
  const Value hit = one_hot(in[1], classes, DType::kBool);
  // The difference to the maximum is exact where a large logit has the label.
  const Value own = sum(select(hit, d, zeros_like(d)), {-1});
  const Value loss =
      select(counted(in[1], classes), rest - own, zeros_like(rest));
  return {loss, rest + reshape(shift, rest.shape().dims())};
}

// Inputs: dy, logits, labels, lse.
Values compose_cross_entropy_grad(const Node& n, const Values& in) {
  const Value w = widen(in[1]);
  const int64_t classes = w.dim(-1);
  const Value dy = convert(in[0], w.dtype());
  const Value p = exp(w - column(convert(in[3], w.dtype())));
  const Value slope = p - one_hot(in[2], classes, w.dtype());
  const Value counts = broadcast_to(column(counted(in[2], classes)), w.shape());
  const Value dx = select(counts, slope * column(dy), zeros_like(w));
  return {convert(dx, n.types[0].dtype)};
}

bool has_kernel(DType d) {
  return d == DType::kF32 || d == DType::kBF16;
}

}  // namespace

constexpr OpDef kSoftmaxCrossEntropy{
    .name = "softmax_cross_entropy",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 2);
      check_inputs(c, 0, 1);
      const TensorType row{accumulator(c.type(0).dtype), c.type(1).shape};
      return {row, row};
    },
    // First order by the fused gradient, unless lse itself is used.
    .vjp = [](const VjpContext& c) -> Values {
      if (!c.dys[0] || c.dys[1]) return vjp_of_composition(c);
      Node& n = c.node;
      return {
          n.graph
              ->add(kSoftmaxCrossEntropyGrad, {c.dy, c.x[0], c.x[1], n.out(1)})
              .out(),
          {}};
    },
    .lower = [](Emitter& e,
                const Node& n) { e.custom_call(n, "kexue_cross_entropy", ""); },
    .batch = batch_elementwise,  // more examples are more rows
    .compose = compose_cross_entropy,
    .kernel = [](const Node& n) -> std::string_view {
      return has_kernel(n.inputs[0].dtype()) ? "kexue_cross_entropy" : "";
    },
    .cast = Cast::kKeep,  // reads 16-bit logits itself
};

// Inputs: dy, logits, labels, lse.
constexpr OpDef kSoftmaxCrossEntropyGrad{
    .name = "softmax_cross_entropy_grad",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 4);
      check_inputs(c, 1, 2);
      want_float(c, 0);
      want_float(c, 3);
      const Shape& rows = c.type(2).shape;
      if (c.type(0).shape != rows || c.type(3).shape != rows) {
        refuse(c,
               "wants dy f[...], logits f[...,C], labels i32[...], lse f[...]");
      }
      return {result_type(c, 1)};
    },
    .lower =
        [](Emitter& e, const Node& n) {
          e.custom_call(n, "kexue_cross_entropy_grad", "");
        },
    .batch = batch_elementwise,
    .compose = compose_cross_entropy_grad,
    .kernel = [](const Node& n) -> std::string_view {
      return has_kernel(n.inputs[1].dtype()) && has_kernel(n.types[0].dtype) &&
                     n.inputs[0].dtype() == DType::kF32 &&
                     n.inputs[3].dtype() == DType::kF32
                 ? "kexue_cross_entropy_grad"
                 : "";
    },
    .cast = Cast::kKeep,
};

Value softmax_cross_entropy(const Arg& logits, const Value& labels) {
  return logits.graph().add(kSoftmaxCrossEntropy, {logits, labels}).out();
}

}  // namespace kexue::ops
