#include "kexue/ops/update.h"

#include <fmt/format.h>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

TypeList infer_adamw(const InferContext& c) {
  want_inputs(c, 9);
  want_float(c);
  const TensorType& type = c.type(0);
  for (size_t i = 1; i < 9; ++i) {
    if (c.type(i) != (i < 4 ? type : TensorType{type.dtype, {}})) {
      refuse(c, "wants four arrays of one type and five scalars of its dtype");
    }
  }
  return {type, type, type};
}

// Inputs: w, m, v, g, rate, eps, decay, scale, go.
Values compose_adamw(const Node& n, const Values& in) {
  const double b1 = n.attrs.f("beta1");
  const double b2 = n.attrs.f("beta2");
  const Value h = in[3] * in[7];
  const Value m = in[1] * b1 + h * (1 - b1);
  const Value v = in[2] * b2 + h * h * (1 - b2);
  const Value w = in[0] - in[0] * in[6] - in[4] * m / (sqrt(v) + in[5]);
  const Value go = greater(in[8], zeros_like(in[8]));
  return {select(go, w, in[0]), select(go, m, in[1]), select(go, v, in[2])};
}

}  // namespace

constexpr OpDef kAdamW{
    .name = "adamw",
    .infer = infer_adamw,
    .lower =
        [](Emitter& e, const Node& n) {
          const double b1 = n.attrs.f("beta1");
          const double b2 = n.attrs.f("beta2");
          e.custom_call(
              n,
              "kexue_adamw",
              fmt::format("beta1 = {:.9e} : f32, beta2 = {:.9e} : f32, "
                          "rest1 = {:.9e} : f32, rest2 = {:.9e} : f32",
                          b1,
                          b2,
                          1 - b1,
                          1 - b2),
              3);
        },
    .compose = compose_adamw,
    .kernel = [](const Node& n) -> std::string_view {
      return n.types[0].dtype == DType::kF32 ? "kexue_adamw" : "";
    },
    .cast = Cast::kF32,
};

Values adamw(const Arg& w,
             const Value& m,
             const Value& v,
             const Value& g,
             const AdamWScalars& s,
             double beta1,
             double beta2) {
  return w.graph()
      .add(kAdamW,
           {w, m, v, g, s.rate, s.eps, s.decay, s.scale, s.go},
           {{"beta1", beta1}, {"beta2", beta2}})
      .outs();
}

}  // namespace kexue::ops
