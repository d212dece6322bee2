#include "kexue/transforms/narrow.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "kexue/ir/clone.h"
#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"

namespace kexue::transforms {
namespace {

using ir::Values;

// Who reads each value; a graph's result is read by no node.
class Readers final {
 public:
  explicit Readers(const Graph& g) {
    for (const auto& n : g.nodes()) {
      for (const Value& v : n->inputs) of_[v].push_back(n.get());
    }
    for (const Value& v : g.outputs()) of_[v].push_back(nullptr);
  }

  // The 16-bit type that every reader rounds v to, if there is one.
  std::optional<DType> rounded_to(const Value& v) const {
    std::optional<DType> type;
    const auto found = of_.find(v);
    if (found == of_.end()) return {};
    for (const Node* reader : found->second) {
      const auto next = one(reader);
      if (!next || (type && *type != *next)) return {};
      type = next;
    }
    return type;
  }

 private:
  std::optional<DType> one(const Node* reader) const {
    if (reader == nullptr) return {};
    const TensorType& type = reader->types[0];
    if (reader->op == &ops::kConvert) {
      const bool narrow =
          type.dtype == DType::kBF16 || type.dtype == DType::kF16;
      return narrow ? std::optional(type.dtype) : std::nullopt;
    }
    const bool moves =
        reader->op == &ops::kReshape || reader->op == &ops::kTranspose;
    return moves ? rounded_to(Value(const_cast<Node*>(reader), 0))
                 : std::nullopt;
  }

  std::unordered_map<Value, std::vector<const Node*>, ir::ValueHash> of_;
};

class Narrowing final {
 public:
  Narrowing(const Graph& graph, const std::vector<std::string>& kernels)
      : readers_(graph), kernels_(kernels) {}

  // The node's attributes with the narrow type, or as they are.
  Attrs attrs(const Node& n, const Values& in) const {
    if (!runs(n)) return n.attrs;
    std::optional<DType> type;
    for (size_t i = 0; i < n.types.size() && !type; ++i) {
      if (n.types[i].dtype != DType::kF32) continue;
      type = readers_.rounded_to(output(n, i));
    }
    if (!type) return n.attrs;
    Attrs narrow = n.attrs;
    narrow.set("dtype", *type);
    return fits(n, in, narrow, *type) ? narrow : n.attrs;
  }

 private:
  static Value output(const Node& n, size_t i) {
    return {const_cast<Node*>(&n), static_cast<int>(i)};
  }

  bool runs(const Node& n) const {
    const auto target = n.op->kernel != nullptr ? n.op->kernel(n) : "";
    return !target.empty() &&
           std::find(kernels_.begin(), kernels_.end(), target) !=
               kernels_.end();
  }

  // Every result that the attribute changes is only read in that type.
  bool fits(const Node& n,
            const Values& in,
            const Attrs& attrs,
            DType type) const {
    Node probe;
    probe.op = n.op;
    probe.inputs = in;
    probe.attrs = attrs;
    probe.types = n.op->infer({n.op->name, in, attrs, {}});
    for (size_t i = 0; i < n.types.size(); ++i) {
      if (probe.types[i] == n.types[i]) continue;
      if (readers_.rounded_to(output(n, i)) != type) return false;
    }
    return probe.types != n.types && runs(probe);
  }

  Readers readers_;
  const std::vector<std::string>& kernels_;
};

}  // namespace

std::unique_ptr<Graph> narrow_results(const Graph& graph,
                                      const std::vector<std::string>& kernels) {
  const Narrowing narrowing(graph, kernels);
  auto made = ir::rewrite(
      graph, [&](const Node& n, const Values& in, Graph& into) -> Values {
        std::vector<std::unique_ptr<Graph>> regions;
        for (const auto& r : n.regions) {
          regions.push_back(narrow_results(*r, kernels));
        }
        return into.add(*n.op, in, narrowing.attrs(n, in), std::move(regions))
            .outs();
      });
#ifdef KEXUE_VERIFY
  ir::verify(*made);
#endif
  return made;
}

}  // namespace kexue::transforms
