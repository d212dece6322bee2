// Weights of an ONNX model under the names of its modules.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "kexue/io/onnx.h"
#include "kexue/io/printable.h"
#include "kexue/io/transpose.h"

namespace kexue::io {
namespace {

constexpr std::string_view kQuantized = "_quantized";
constexpr int kStepsToBias = 4;  // MatMulInteger, Cast, Mul, Add

bool is_parameter(std::string_view name) {
  return name.ends_with(".weight") || name.ends_with(".bias");
}

std::string plain_name(const std::string& name) {
  return name.ends_with(kQuantized)
             ? name.substr(0, name.size() - kQuantized.size())
             : name;
}

// "/encoder/layer.0/output/dense/MatMul" -> "encoder.layer.0.output.dense"
std::string module_of(const OnnxNode& node) {
  const size_t slash = node.name.rfind('/');
  if (slash == std::string::npos || slash == 0) return "";
  const size_t start = node.name.front() == '/' ? 1 : 0;
  std::string out = node.name.substr(start, slash - start);
  std::replace(out.begin(), out.end(), '/', '.');
  return out;
}

struct Weight {
  size_t source = 0;
  bool is_transposed = false;
  std::optional<size_t> scale = std::nullopt;
  std::optional<size_t> zero = std::nullopt;
};

class Finder final {
 public:
  explicit Finder(const Onnx& model) : model_(model) {
    for (size_t i = 0; i < model.nodes().size(); ++i) {
      for (const auto& input : model.nodes()[i].inputs) {
        users_[input].push_back(i);
      }
    }
  }

  // name -> weight
  std::map<std::string, Weight> find() {
    for (size_t i = 0; i < model_.tensors().size(); ++i) add_plain(i);
    for (const OnnxNode& node : model_.nodes()) add_matrix(node);
    return std::move(out_);
  }

 private:
  bool is_matrix(size_t i) const {
    const TensorInfo& t = model_.tensors()[i];
    return t.shape.rank() == 2 && t.dtype &&
           (is_float(*t.dtype) || plain_name(t.name) != t.name);
  }

  // The matrix that a node multiplies by.
  std::optional<size_t> matrix_of(const OnnxNode& node) const {
    if (node.op != "MatMul" && node.op != "MatMulInteger" &&
        node.op != "Gemm") {
      return std::nullopt;
    }
    if (node.inputs.size() < 2) return std::nullopt;
    const auto i = model_.find(node.inputs[1]);
    return i && is_matrix(*i) ? i : std::nullopt;
  }

  bool is_multiplied(const std::string& name) const {
    const auto it = users_.find(name);
    if (it == users_.end()) return false;
    return std::any_of(it->second.begin(), it->second.end(), [&](size_t n) {
      const OnnxNode& node = model_.nodes()[n];
      return matrix_of(node) && node.inputs[1] == name;
    });
  }

  void add_plain(size_t i) {
    const TensorInfo& t = model_.tensors()[i];
    const std::string name = plain_name(t.name);
    if (!is_parameter(name) || !t.dtype || is_multiplied(t.name)) return;
    put(name, with_scale({.source = i}));
  }

  Weight with_scale(Weight w) const {
    const std::string& name = model_.tensors()[w.source].name;
    const std::string base = plain_name(name);
    if (base == name) return w;
    w.scale = model_.find(base + "_scale");
    w.zero = model_.find(base + "_zero_point");
    if (w.scale) return w;
    throw Error(Code::kUnsupported,
                fmt::format("{}: {} without {}_scale",
                            model_.where(),
                            printable(name),
                            printable(base)));
  }

  // The bias that is added to a product, through casts and scales only.
  std::string bias_of(const OnnxNode& node, int64_t columns) const {
    const OnnxNode* at = &node;
    if (node.op == "Gemm") return bias_among(node, columns);
    for (int step = 0; step < kStepsToBias; ++step) {
      if (at->outputs.empty()) return "";
      const auto it = users_.find(at->outputs[0]);
      if (it == users_.end() || it->second.size() != 1) return "";
      at = &model_.nodes()[it->second[0]];
      if (at->op == "Add") return bias_among(*at, columns);
      if (at->op != "Cast" && at->op != "Mul") return "";
    }
    return "";
  }

  std::string bias_among(const OnnxNode& node, int64_t columns) const {
    for (const auto& input : node.inputs) {
      const auto i = model_.find(input);
      if (i && input.ends_with(".bias") &&
          model_.tensors()[*i].shape == Shape{columns}) {
        return input;
      }
    }
    return "";
  }

  void add_matrix(const OnnxNode& node) {
    const auto i = matrix_of(node);
    if (!i) return;
    const auto flag = node.integers.find("transB");
    const bool is_out_in = flag != node.integers.end() && flag->second != 0;
    const TensorInfo& t = model_.tensors()[*i];
    const std::string bias = bias_of(node, t.shape[is_out_in ? 0 : 1]);
    std::string name = plain_name(t.name);
    if (!is_parameter(name)) {
      const std::string module = module_of(node);
      if (!bias.empty()) {
        name = bias.substr(0, bias.size() - std::string_view("bias").size()) +
               "weight";
      } else if (!module.empty()) {
        name = module + ".weight";
      }
    }
    put(name, with_scale({.source = *i, .is_transposed = !is_out_in}));
  }

  void put(const std::string& name, const Weight& weight) {
    const auto [it, is_new] = out_.emplace(name, weight);
    // One matrix that several nodes use is one weight.
    if (is_new || it->second.source == weight.source) return;
    throw Error(Code::kUnsupported,
                fmt::format("{}: {} and {} would both be {}",
                            model_.where(),
                            printable(model_.tensors()[weight.source].name),
                            printable(model_.tensors()[it->second.source].name),
                            printable(name)),
                "--map none keeps the file's names");
  }

  const Onnx& model_;
  std::unordered_map<std::string, std::vector<size_t>> users_;
  std::map<std::string, Weight> out_;
};

// (q - zero) * scale; both scalars, or one for each column.
HostArray dequantized(const HostArray& q,
                      const HostArray& scale,
                      const std::optional<HostArray>& zero,
                      const std::string& where,
                      const std::string& name) {
  const int64_t columns = q.shape().rank() > 0 ? q.shape()[-1] : 1;
  const auto fits = [&](const HostArray& a) {
    return a.size() == 1 || (a.size() == columns && a.shape().rank() == 1);
  };
  const bool whole = q.dtype() == DType::kU8 || q.dtype() == DType::kI32;
  if (!whole || !fits(scale) || (zero && !fits(*zero)) ||
      !is_float(scale.dtype())) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: {}: scale {} for {}",
                            where,
                            printable(name),
                            scale.type().str(),
                            q.type().str()));
  }
  HostArray out(DType::kF32, q.shape());
  const auto to = out.mutable_span<float>();
  const auto scales = scale.to_doubles();
  const auto zeros = zero ? zero->to_doubles() : std::vector<double>{0};
  const HostArray integers = q.cast(DType::kI32);
  const auto from = integers.span<int32_t>();
  for (size_t i = 0; i < to.size(); ++i) {
    const size_t c = i % static_cast<size_t>(columns);
    const double z = zeros[zeros.size() == 1 ? 0 : c];
    const double s = scales[scales.size() == 1 ? 0 : c];
    to[i] = static_cast<float>((from[i] - z) * s);  // exact, then rounded
  }
  return out;
}

class OnnxModules final : public TensorSource {
 public:
  explicit OnnxModules(std::shared_ptr<const Onnx> model)
      : TensorSource("onnx", model->where()), model_(std::move(model)) {
    metadata_ = model_->metadata();
    for (auto& [name, weight] : Finder(*model_).find()) {
      TensorInfo t = model_->tensors()[weight.source];
      t.name = name;
      if (weight.scale) t.dtype = DType::kF32;
      if (weight.is_transposed) t.shape = Shape{t.shape[1], t.shape[0]};
      tensors_.push_back(std::move(t));
      weights_.push_back(weight);
    }
  }

 protected:
  HostArray read(size_t i) const override {
    const Weight& w = weights_[i];
    HostArray a = model_->tensor(w.source);
    if (w.scale) {
      const auto zero = w.zero ? std::optional(model_->tensor(*w.zero))
                               : std::optional<HostArray>();
      a = dequantized(
          a, model_->tensor(*w.scale), zero, where(), tensors()[i].name);
    }
    return w.is_transposed ? transposed(a) : a;
  }

 private:
  std::shared_ptr<const Onnx> model_;
  std::vector<Weight> weights_;
};

}  // namespace

SourcePtr onnx_modules(std::shared_ptr<const Onnx> model) {
  return std::make_shared<OnnxModules>(std::move(model));
}

}  // namespace kexue::io
