// The training loop: the same for every task. Private to kexue/train.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kexue/train/detail/recorder.h"
#include "kexue/train/fine_tune.h"
#include "kexue/train/loop_state.h"
#include "kexue/train/run_step.h"
#include "kexue/train/task.h"

namespace kexue::train {

namespace detail {
class RunCheckpoints;
}  // namespace detail

// One run. The order of a step: before_step, Engine::step, after_step, then
// (at the end of an epoch, or as the config says) evaluate, after_evaluation,
// and save.
class Loop final {
 public:
  // The run folder is made here: whatever was wrong with the input has shown
  // before.
  Loop(const runtime::Session& session,
       const RunConfig& config,
       Task& task,
       Observer& observer,
       const std::atomic<bool>& stop);

  ~Loop();

  FineTuneResult run();

 private:
  using Clock = std::chrono::steady_clock;

  void announce();
  void train();
  void one_step(const data::Minibatch& batch, double input_s);
  void gather(const Metrics& metrics, const data::Minibatch& batch);
  StepReport report_of(const Metrics& m, const data::Minibatch& batch) const;
  void after_step(const StepReport& report, const data::Minibatch& batch);
  void evaluate(const std::string& split);
  // predictions-<split>.json, if the task's outputs are understood.
  void record_rows(const EvalReport& report,
                   const detail::PredictionCollector& rows);
  void resume();
  // The dev split's figure that a run is judged by; larger is better.
  double score_of(const EvalReport& dev) const;
  void after_evaluation(const EvalReport& report);
  bool out_of_patience() const;
  void save(const std::optional<double>& score);
  void save_model();
  void finish();
  void record_error(const Error& error);

  std::string first_culprit(const data::Minibatch& batch);
  [[noreturn]] void refuse_non_finite(const StepReport& r,
                                      const data::Minibatch& batch);
  [[noreturn]] void refuse_skips(const StepReport& r,
                                 const data::Minibatch& batch);

  const Clock::time_point started_ = Clock::now();
  const runtime::Session& session_;
  const RunConfig& config_;
  Task& task_;
  Observer& observer_;
  const std::atomic<bool>& stop_;
  RunStep step_;
  Engine engine_;
  std::unique_ptr<data::BatchSource> source_;
  std::unique_ptr<detail::RunCheckpoints> checkpoints_;
  RunFolder folder_;
  detail::Recorder recorder_;
  Hyper hyper_;
  LoopState state_;
  // The batches of the step under way.
  struct Gathered {
    int64_t batches = 0;
    data::Minibatch all;  // arrays: of the first
    Metrics metrics;
    int64_t padded_tokens = 0;
    double step_s = 0;
    double input_s = 0;
    double compile_s = 0;
  } gathered_;
  FineTuneResult result_;
  int64_t per_epoch_ = 0;  // steps
  int64_t total_ = 0;      // steps
  int64_t tokens_ = 0;
  double trained_s_ = 0;                // before it was resumed
  std::optional<double> best_;          // score on dev
  std::vector<HostArray> best_params_;  // of early stopping
  std::optional<double> score_;         // of this step, if it is the best
};

}  // namespace kexue::train
