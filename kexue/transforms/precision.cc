#include "kexue/transforms/precision.h"

#include "kexue/ir/clone.h"
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
          break;
        case Cast::kFollow:
          follow(in);
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
  void follow(Values& in) const {
    bool low = false;
    for (const Value& v : in) {
      low = low || (is_policy_float(v) && v.dtype() != DType::kF32);
    }
    if (!low) return;
    const DType to = p_.low_glue ? p_.compute : DType::kF32;
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
