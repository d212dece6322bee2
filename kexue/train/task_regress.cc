// Which score has a text (or a pair of texts)?
#include "kexue/ops/ops.h"
#include "kexue/train/correlation.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/detail/tasks.h"
#include "kexue/train/detail/text_task.h"

namespace kexue::train::detail {
namespace {

class RegressEvaluation final : public Evaluation {
 public:
  explicit RegressEvaluation(double sign_margin) : margin_(sign_margin) {}

  void add(const std::vector<HostArray>& outputs,
           const data::Minibatch& batch) override {
    const auto targets = batch.arrays.at("target").span<float>();
    for (size_t r = 0; r < batch.rows.size(); ++r) {
      if (batch.rows[r] < 0) continue;
      predicted_.push_back(outputs[0].at(static_cast<int64_t>(r)));
      wanted_.push_back(targets[r]);
    }
  }

  MetricValues metrics() const override {
    return regression_metrics(predicted_, wanted_, margin_);
  }

 private:
  double margin_;
  std::vector<double> predicted_, wanted_;
};

class Regress final : public TextTask {
 public:
  Regress(const RunConfig& config, const Say& say)
      : TextTask(config, read_run_data(config, say)) {}

  // sum_i w_i (y_i - score_i)^2 / sum_i w_i, in f32.
  LossResult loss(const BatchValues& b) const override {
    const Value& weight = b.at("weight");
    const Value error = scores(b) - b.at("target");
    return {ops::sum(weight * error * error) / ops::sum(weight), {}};
  }

  MetricValues step_metrics(const Metrics&,
                            const data::Minibatch&) const override {
    return {};
  }

  // The scores f32[B].
  Values evaluate(const BatchValues& b) const override { return {scores(b)}; }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<RegressEvaluation>(config_.sign_margin);
  }

 private:
  Value scores(const BatchValues& b) const {
    const Value y = ops::widen(model_.classify(bert_inputs(b)));
    return ops::reshape(y, {y.dim(0)});
  }
};

}  // namespace

std::unique_ptr<Task> make_regress(const RunConfig& config, const Say& say) {
  return std::make_unique<Regress>(config, say);
}

}  // namespace kexue::train::detail
