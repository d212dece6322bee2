// Which class is a text (or a pair of texts) of?
#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/losses/losses.h"
#include "kexue/ops/ops.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/detail/tasks.h"
#include "kexue/train/detail/text_task.h"

namespace kexue::train::detail {
namespace {

// By class; empty: all rows count alike. The loss divides by their sum, so only
// their ratios matter.
std::vector<float> class_weights(const RunConfig& c, const RunData& data) {
  if (c.class_weights == "none") return {};
  const size_t classes = data.classes.size();
  std::vector<double> weights = class_weights_from_text(c.class_weights);
  if (c.class_weights == "auto") {
    const double mean =
        static_cast<double>(data.train.rows) / static_cast<double>(classes);
    for (const int64_t n : data.train.class_rows) {
      weights.push_back(mean / static_cast<double>(n));
    }
  }
  if (weights.size() != classes) {
    throw Error(Code::kInvalidArgument,
                fmt::format("classify.class_weights has {} numbers for {} "
                            "classes",
                            weights.size(),
                            classes));
  }
  std::vector<float> out;
  for (const double w : weights) out.push_back(static_cast<float>(w));
  return out;
}

// Sums over rows: loss, right answers, rows.
class ClassifyEvaluation final : public Evaluation {
 public:
  void add(const std::vector<HostArray>& outputs,
           const data::Minibatch&) override {
    for (int64_t k = 0; k < 3; ++k) sums_[k] += outputs[0].at(k);
  }
  MetricValues metrics() const override {
    return {{"loss", sums_[0] / sums_[2]}, {"accuracy", sums_[1] / sums_[2]}};
  }

 private:
  double sums_[3] = {0, 0, 0};
};

class Classify final : public TextTask {
 public:
  Classify(const RunConfig& config, const Say& say)
      : TextTask(config, read_run_data(config, say)),
        class_weights_(class_weights(config, data_)) {}

  // Evaluation counts all rows alike.
  void prepare(data::Minibatch& batch, Phase phase) const override {
    if (phase == Phase::kEvaluate || class_weights_.empty()) return;
    const auto labels = batch.arrays.at("label").span<int32_t>();
    const auto weights = batch.arrays.at("weight").mutable_span<float>();
    for (size_t r = 0; r < labels.size(); ++r) {
      weights[r] *= class_weights_[static_cast<size_t>(labels[r])];
    }
  }

  LossResult loss(const BatchValues& b) const override {
    const Value logits = model_.classify(bert_inputs(b));
    const Value& weight = b.at("weight");
    const Value counts = class_weights_.empty() ? weight : ops::sign(weight);
    return {losses::cross_entropy(logits, b.at("label"), weight),
            {{"correct", losses::correct_count(logits, b.at("label"), counts)}},
            logits,
            weight};
  }

  MetricValues step_metrics(const Metrics& sums,
                            const data::Minibatch& batch) const override {
    const auto rows = static_cast<double>(batch.real_rows());
    return {{"accuracy", sums.at("correct") / rows}};
  }

  // f32[3] sums, then the logits f32[B,C].
  Values evaluate(const BatchValues& b) const override {
    const Value logits = model_.classify(bert_inputs(b));
    const Value& weight = b.at("weight");
    const Value rows = ops::sum(weight);
    const Value loss = losses::cross_entropy(logits, b.at("label"), weight);
    const Value correct = losses::correct_count(logits, b.at("label"), weight);
    return {as_row({loss * rows, correct, rows}),
            ops::convert(logits, DType::kF32)};
  }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<ClassifyEvaluation>();
  }

 private:
  std::vector<float> class_weights_;
};

}  // namespace

std::unique_ptr<Task> make_classify(const RunConfig& config, const Say& say) {
  return std::make_unique<Classify>(config, say);
}

}  // namespace kexue::train::detail
