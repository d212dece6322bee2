// Sums over rows; declared in fused.h.
#include "kexue/ops/elementwise.h"
#include "kexue/ops/fused.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

// Below this many elements a call costs more than the compiler's loop.
constexpr int64_t kSmallest = 4096;

}  // namespace

constexpr OpDef kColumnSum{
    .name = "column_sum",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      want_float(c);
      const Shape& s = c.type(0).shape;
      if (s.rank() < 2) refuse(c, "wants x f[...,D] of two axes or more");
      return {{accumulator(c.type(0).dtype), Shape{s[-1]}}};
    },
    .lower = [](Emitter& e,
                const Node& n) { e.custom_call(n, "kexue_column_sum", ""); },
    .compose = [](const Node&, const Values& in) -> Values {
      Axes lead;
      for (int64_t i = 0; i + 1 < in[0].rank(); ++i) lead.push_back(i);
      return {sum(widen(in[0]), lead)};
    },
    .kernel = [](const Node& n) -> std::string_view {
      const TensorType& x = n.inputs[0].type();
      const bool known = x.dtype == DType::kF32 || x.dtype == DType::kBF16;
      return known && x.shape.size() >= kSmallest ? "kexue_column_sum" : "";
    },
    .cast = Cast::kCompute,
};

Value column_sum(const Arg& x) {
  return unary(kColumnSum, x);
}

}  // namespace kexue::ops
