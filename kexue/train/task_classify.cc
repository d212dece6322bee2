// Which class is a text (or a pair of texts) of?
#include "kexue/losses/losses.h"
#include "kexue/ops/ops.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/detail/tasks.h"
#include "kexue/train/detail/text_task.h"

namespace kexue::train::detail {
namespace {

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
  using TextTask::TextTask;
  Classify(const RunConfig& config, const Say& say)
      : TextTask(config, read_run_data(config, say)) {}

  LossResult loss(const BatchValues& b) const override {
    const Value logits = model_.classify(bert_inputs(b));
    return {losses::cross_entropy(logits, b.at("label"), b.at("weight")),
            {{"correct",
              losses::correct_count(logits, b.at("label"), b.at("weight"))}}};
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
    return {ops::concatenate(
                {as_row(loss * rows), as_row(correct), as_row(rows)}, 0),
            ops::convert(logits, DType::kF32)};
  }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<ClassifyEvaluation>();
  }
};

}  // namespace

std::unique_ptr<Task> make_classify(const RunConfig& config, const Say& say) {
  return std::make_unique<Classify>(config, say);
}

}  // namespace kexue::train::detail
