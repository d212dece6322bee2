// What a run learns. The loop (loop.h) knows no more of it than this.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kexue/data/batcher.h"
#include "kexue/train/config.h"
#include "kexue/train/engine.h"
#include "kexue/train/metric_values.h"
#include "kexue/train/run_folder.h"

namespace kexue::train {

// Gathers what Task::evaluate gave for each batch of a split.
class Evaluation {
 public:
  virtual ~Evaluation() = default;
  virtual void add(const std::vector<HostArray>& outputs,
                   const data::Minibatch& batch) = 0;
  // "loss" comes first, then the headline.
  virtual MetricValues metrics() const = 0;
};

// Const calls may come from several threads.
class Task {
 public:
  enum class Phase { kTrain, kEvaluate };

  virtual ~Task() = default;

  // The model: its parameters, their start values (moved out: call it once),
  // and the folder it is saved as.
  virtual nn::ParamList parameters() = 0;
  virtual std::vector<HostArray> take_values() = 0;
  virtual void save_model(const RunFolder& folder,
                          const std::vector<HostArray>& params) const = 0;

  // The data. No batches (null) if the config names no such split.
  virtual const std::vector<int64_t>& lengths() const = 0;  // one program each
  virtual std::unique_ptr<data::BatchSource> train_batches() const = 0;
  virtual std::unique_ptr<data::BatchSource> eval_batches(
      const std::string& split) const = 0;
  // Adds what the loss needs and a batch source does not know: class weights,
  // masks. Runs in the thread that makes batches, and depends on the run's
  // seed, the batch's epoch and rows only.
  virtual void prepare(data::Minibatch& batch, Phase phase) const = 0;

  // Training: graph code, and what its metrics (summed over the batch) mean.
  virtual LossResult loss(const BatchValues& batch) const = 0;
  virtual MetricValues step_metrics(const Metrics& sums,
                                    const data::Minibatch& batch) const = 0;

  // Evaluation: graph code, and who adds up its outputs.
  virtual Values evaluate(const BatchValues& batch) const = 0;
  virtual std::unique_ptr<Evaluation> evaluation() const = 0;

  // For pages, which show what rows were taken for
  // (detail/predictions.h says which outputs are understood): the names of the
  // classes, and the text of a row of ids.
  virtual std::vector<std::string> classes() const { return {}; }
  virtual std::string text_of(std::span<const int32_t> /*ids*/) const {
    return "";
  }
};

// What train.task = "classify", "regress", "masked_lm" reads of a row.
data::Labels labels_of(const std::string& task);

// The task that train.task names, with data and weights read. `say` gets one
// line for each thing that a user should know: rows skipped or truncated, new
// and unused weights.
// Errors: whatever was wrong in config, data, weights.
std::unique_ptr<Task> make_task(
    const RunConfig& config,
    const std::function<void(const std::string&)>& say);

}  // namespace kexue::train
