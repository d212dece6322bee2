#include "recipes/mixed_precision_task.h"

#include <array>
#include <cmath>
#include <memory>

#include "kexue/base/random.h"
#include "kexue/losses/losses.h"
#include "kexue/models/bert.h"
#include "kexue/nn/nn.h"
#include "kexue/ops/ops.h"

namespace kexue::recipes {
namespace {

constexpr int64_t kBatch = 128;
constexpr int64_t kIn = 16;
constexpr int64_t kHidden = 64;
constexpr int64_t kOut = 4;
constexpr int kSteps = 300;
constexpr int kLast = 20;

class Mlp final {
 public:
  Mlp()
      : layers_{layer(kIn, kHidden),
                layer(kHidden, kHidden),
                layer(kHidden, kOut)} {
    for (size_t i = 0; i < std::size(layers_); ++i) {
      const auto name = [&](const char* part) {
        return "mlp." + std::string(part) + std::to_string(i);
      };
      nn::ParamList own = nn::parameters(layers_[i]);
      params_.push_back({name("weight"), own[0].param});
      params_.push_back({name("bias"), own[1].param});
    }
  }
  // All of one group: "mlp".
  const nn::ParamList& parameters() const { return params_; }
  train::LossFunction loss() const {
    return [layers = layers_](const train::BatchValues& batch) {
      const ir::Value h = ops::relu(layers[0](batch.at("x")));
      const ir::Value e = layers[2](ops::relu(layers[1](h))) - batch.at("y");
      const ir::Value mse = ops::mean(e * e);
      return train::LossResult{mse * batch.at("c"), {{"mse", mse}}};
    };
  }

 private:
  static nn::Dense layer(int64_t in, int64_t out) {
    const double stddev = std::sqrt(2.0 / static_cast<double>(in));
    return nn::Dense({.in = in,
                      .out = out,
                      .init = nn::Init::normal(static_cast<float>(stddev))});
  }
  std::array<nn::Dense, 3> layers_;
  nn::ParamList params_;
};

// y = 2 tanh(A x), with A and x from one stream of numbers.
class Teacher final {
 public:
  explicit Teacher(uint64_t seed) : random_(Key::from_seed(seed)) {
    for (double& a : a_) a = random_.normal() / std::sqrt(kIn);
  }
  train::HostBatch batch(double c) {
    HostArray x(DType::kF32, {kBatch, kIn});
    HostArray y(DType::kF32, {kBatch, kOut});
    for (float& v : x.mutable_span<float>()) {
      v = static_cast<float>(random_.normal());
    }
    const float* row = x.mutable_span<float>().data();
    float* out = y.mutable_span<float>().data();
    for (int64_t b = 0; b < kBatch; ++b, row += kIn) {
      for (int64_t k = 0; k < kOut; ++k) {
        double sum = 0;
        for (int64_t i = 0; i < kIn; ++i) {
          sum += a_[static_cast<size_t>(k * kIn + i)] * row[i];
        }
        *out++ = static_cast<float>(2 * std::tanh(sum));
      }
    }
    return {
        {"x", x}, {"y", y}, {"c", HostArray::scalar(static_cast<float>(c))}};
  }

 private:
  Random random_;
  std::array<double, kIn * kOut> a_{};
};

double mean_of(const std::vector<double>& v, size_t from, size_t to) {
  double sum = 0;
  for (size_t i = from; i < to; ++i) sum += v.at(i);
  return sum / static_cast<double>(to - from);
}

}  // namespace

FormatResult learn_teacher(const runtime::Session& session,
                           const FormatRun& run,
                           uint64_t seed) {
  const Mlp mlp;
  auto options = precision::with(run.policy);
  options.step.clip.limit = 0;
  options.step.group_metrics = true;
  train::Engine engine(session,
                       mlp.parameters(),
                       mlp.loss(),
                       std::make_shared<optim::AdamW>(optim::AdamWOptions{
                           .eps = run.eps, .weight_decay = 0}),
                       options);
  engine.start(nn::initial_values(mlp.parameters(), Key::from_seed(seed)));
  Teacher teacher(seed + 1);
  FormatResult out;
  double zeros = 0;
  for (int i = 0; i < kSteps; ++i) {
    // A rate that does not fall: the line ends far beyond the last step.
    const auto m =
        engine.step(teacher.batch(run.c), {.lr = 3e-3, .total_steps = 0x1p40});
    out.losses.push_back(m.at("mse"));
    out.scales.push_back(m.at("scale"));
    zeros += m.at("zero_gradients/mlp");
    out.skipped += m.at("finite") == 0 ? 1 : 0;
    out.moved = m.at("moved/mlp");
    const auto low = m.find("moved_low/mlp");
    out.moved_low = low == m.end() ? out.moved : low->second;
  }
  out.last = mean_of(out.losses, kSteps - kLast, kSteps);
  out.at_50 = mean_of(out.losses, 45, 55);
  out.zeros = zeros / kSteps;
  return out;
}

StepSubject teacher_step(uint64_t seed) {
  const Mlp mlp;
  return {.params = mlp.parameters(),
          .values = nn::initial_values(mlp.parameters(), Key::from_seed(seed)),
          .loss = mlp.loss(),
          .batch = Teacher(seed + 1).batch(1)};
}

StepSubject bert_step(uint64_t seed) {
  constexpr int64_t kRows = 8;
  constexpr int64_t kLength = 64;
  models::BertConfig config;
  config.vocab = 1000;
  config.hidden = 256;
  config.layers = 2;
  config.heads = 4;
  config.inner = 1024;
  config.positions = kLength;
  config.dropout = config.attention_dropout = 0;
  config.labels = {"no", "yes"};
  const auto model =
      std::make_shared<models::Bert>(models::Bert::Options{.config = config});
  StepSubject s;
  s.params = model->parameters();
  s.values = nn::initial_values(s.params, Key::from_seed(seed));
  s.loss = [model](const train::BatchValues& b) {
    const ir::Value logits = model->classify(
        {.ids = b.at("ids"), .types = b.at("types"), .mask = b.at("mask")});
    return train::LossResult{
        losses::cross_entropy(logits, b.at("label"), b.at("weight")), {}};
  };
  const Shape tokens{kRows, kLength};
  HostArray ids(DType::kI32, tokens);
  HostArray label(DType::kI32, {kRows});
  int32_t next = 0;
  for (int32_t& id : ids.mutable_span<int32_t>()) id = ++next * 7 % 1000;
  for (int32_t& l : label.mutable_span<int32_t>()) l = ++next % 2;
  s.batch = {{"ids", ids},
             {"types", HostArray(DType::kI32, tokens)},
             {"mask", HostArray::full({DType::kBool, tokens}, 1)},
             {"label", label},
             {"weight", HostArray::full({DType::kF32, {kRows}}, 1)}};
  return s;
}

}  // namespace kexue::recipes
