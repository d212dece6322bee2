#include "kexue/transforms/precision.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/ir/clone.h"
#include "kexue/ir/location.h"
#include "kexue/ir/verify.h"
#include "kexue/ops/elementwise.h"

namespace kexue::transforms {
namespace {

using ir::Values;

bool is_policy_float(const Value& v) {
  return v.dtype() == DType::kF32 || v.dtype() == DType::kBF16 ||
         v.dtype() == DType::kF16;
}

Value cast(const Value& v, DType dtype) {
  return is_policy_float(v) ? ops::convert(v, dtype) : v;
}

[[noreturn]] void refuse(const Node& n,
                         const std::string& what,
                         const std::string& hint) {
  std::string text = fmt::format("precision: {} in {}", what, n.op->name);
  const std::string line = ir::to_string(n.where);
  if (!line.empty()) text += " at " + line;
  throw Error(Code::kInvalidArgument, text, hint).with_scope(n.scope);
}

// The constant that v is, if need be spread over a shape; null if it is none.
const HostArray* constant_of(const Value& v) {
  const Node* n = v.node();
  while (n->inputs.size() == 1 &&
         (n->op->cast == Cast::kKeep || n->op->cast == Cast::kFollow) &&
         n->regions.empty() && n->types[0].dtype == n->inputs[0].dtype()) {
    n = n->inputs[0].node();
  }
  const bool is = n->inputs.empty() && n->attrs.has("value");
  return is ? &n->attrs.array("value") : nullptr;
}

// An eps that becomes 0 divides by it, a large number that stands for
// infinity becomes infinite and gives NaN: neither may happen in silence.
// bf16 has the range of f32.
void refuse_lost_constant(const Node& user, const Value& v) {
  const HostArray* array = constant_of(v);
  if (array == nullptr || array->size() > 4096) return;
  for (const double x : array->to_doubles()) {
    const double low = round_to(DType::kF16, x);
    if (x != 0 && low == 0) {
      refuse(
          user,
          fmt::format("the constant {} becomes 0 in f16 (smallest: 5.96e-08)",
                      static_cast<float>(x)),
          "an eps belongs into an op that runs in f32 (layer_norm, norm, "
          "softmax), or must be larger; bf16 keeps it");
    }
    if (std::isfinite(x) && std::isinf(low)) {
      refuse(user,
             fmt::format("the constant {} becomes infinite in f16 (largest: "
                         "65504)",
                         static_cast<float>(x)),
             "mask with select(mask, x, -inf) in place of adding a large "
             "number; bf16 keeps it");
    }
  }
}

bool is_low(DType dtype) {
  return dtype == DType::kBF16 || dtype == DType::kF16;
}

// Ids and counts as 16-bit floats are others: 257 is 256 in bf16.
void refuse_low_integers(const Node& n) {
  if (n.inputs.size() != 1 || n.op->cast != Cast::kKeep) return;
  const DType from = n.inputs[0].dtype();
  const bool wide =
      from == DType::kI32 || from == DType::kI64 || from == DType::kU32;
  if (!wide || !is_low(n.types[0].dtype)) return;
  refuse(n,
         fmt::format("{} is cast to {}, which cannot count beyond {}",
                     n.inputs[0].type().str(),
                     name(n.types[0].dtype),
                     n.types[0].dtype == DType::kBF16 ? 256 : 2048),
         "convert to f32: the policy rounds where it is safe");
}

class Rewriter final {
 public:
  explicit Rewriter(const Precision& p) : p_(p) {}

  std::unique_ptr<Graph> run(const Graph& graph) {
    auto made = ir::rewrite(
        graph, [this](const Node& n, const Values& in, Graph& into) {
          return node(n, in, into);
        });
    Values outs;
    for (size_t i = 0; i < made->outputs().size(); ++i) {
      outs.push_back(
          ops::convert(made->outputs()[i], graph.outputs()[i].dtype()));
    }
    made->set_outputs(outs);
    return made;
  }

 private:
  Values node(const Node& n, Values in, Graph& into) {
    Attrs attrs = n.attrs;
    std::vector<std::unique_ptr<Graph>> regions;
    for (const auto& r : n.regions) regions.push_back(run(*r));
    // An op on f64 or complex numbers is none of the policy's business.
    bool foreign = !n.regions.empty();
    for (const Value& v : n.inputs) {
      foreign |= v.dtype() == DType::kF64 || is_complex(v.dtype());
    }
    if (foreign) {
      restore(n, in);
    } else {
      switch (n.op->cast) {
        case Cast::kKeep:
          refuse_low_integers(n);
          break;
        case Cast::kFollow:
          follow(n, in);
          break;
        case Cast::kF32:
          for (Value& v : in) v = cast(v, DType::kF32);
          break;
        case Cast::kCompute:
          compute(n, in, attrs);
          break;
      }
    }
    return into.add(*n.op, in, attrs, std::move(regions)).outs();
  }

  // Gives inputs the types they were written with.
  static void restore(const Node& n, Values& in) {
    for (size_t i = 0; i < in.size(); ++i) {
      in[i] = ops::convert(in[i], n.inputs[i].dtype());
    }
  }

  // Glue runs in the compute type if anything that enters is in it and the
  // policy wants that; f32 otherwise. Scalars adapt to the rest.
  void follow(const Node& n, Values& in) const {
    bool low = false;
    for (const Value& v : in) {
      low = low || (is_policy_float(v) && v.dtype() != DType::kF32);
    }
    if (!low) return;
    const DType to = p_.low_glue ? p_.compute : DType::kF32;
    if (to == DType::kF16) {
      for (const Value& v : n.inputs) refuse_lost_constant(n, v);
    }
    for (Value& v : in) v = cast(v, to);
  }

  void compute(const Node& n, Values& in, Attrs& attrs) const {
    for (size_t i = 0; i < in.size(); ++i) {
      const bool keep = (n.op->keep_inputs >> i & 1U) != 0;
      in[i] = cast(in[i], keep ? n.inputs[i].dtype() : p_.compute);
    }
    attrs.set("dtype", p_.low_glue ? p_.compute : DType::kF32);
  }

  Precision p_;
};

}  // namespace

std::unique_ptr<Graph> apply_precision(const Graph& graph,
                                       const Precision& precision) {
  if (precision.compute == DType::kF32) return ir::clone(graph);
  auto made = Rewriter(precision).run(graph);
#ifdef KEXUE_VERIFY
  ir::verify(*made);
#endif
  return made;
}

}  // namespace kexue::transforms
