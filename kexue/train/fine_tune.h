// A training run, start to finish.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kexue/runtime/session.h"
#include "kexue/train/config.h"
#include "kexue/train/engine.h"
#include "kexue/train/metric_values.h"

namespace kexue::train {

// What an observer is told after each step.
struct StepReport {
  int64_t step = 0;  // 1-based
  int64_t total_steps = 0;
  int64_t epoch = 0;  // 0-based
  double loss = 0;
  MetricValues metrics;  // of the batch, beside the loss
  double lr = 0;
  double grad_norm = 0;
  MetricValues grad_norms;  // of parts of the model: {"attention", 0.3}, ...
  double scale = 1;
  bool finite = true;        // loss and gradients
  MetricValues groups = {};  // train.group_metrics: "grad_norm/encoder.ffn"
  bool skipped = false;      // loss scaling threw the update away
  int64_t tokens = 0;        // real tokens of the batch
  int64_t padded_tokens = 0;
  double step_s = 0;      // in the program
  double input_s = 0;     // waiting for the batch
  double compile_s = 0;   // > 0 when this step had to compile
  int64_t rss_bytes = 0;  // of the process, after the step; 0: not known
};

struct EvalReport {
  std::string split;  // "dev", "test"
  int64_t step = 0;
  double loss = 0;
  MetricValues metrics;  // beside the loss; the first is the headline
  int64_t rows = 0;
  double seconds = 0;
};

// All calls come from the training thread.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void message(const std::string& /*line*/) {}  // notices, warnings
  virtual void step(const StepReport& /*report*/) {}
  virtual void eval(const EvalReport& /*report*/) {}
  virtual void saved(const std::string& /*folder*/, int64_t /*step*/) {}
};

struct FineTuneResult {
  std::string folder;
  std::vector<EvalReport> evals;  // the last of each split is final
  int64_t steps = 0;
  int64_t skipped = 0;  // of them, for gradients that were not finite
  double train_s = 0;   // all of fit(), compile included
  double compile_s = 0;
  double first_step_s = 0;  // from the start of fine_tune
  double step_s = 0;
  double input_s = 0;
  double tokens_per_s = 0;  // real tokens over step + input time
  double padding_share = 0;
  int64_t programs = 0;
  int64_t from_cache = 0;
  bool interrupted = false;
  bool stopped_early = false;  // for want of better evaluations
  int64_t program_bytes = 0;   // of the step that takes most; 0: not told
  int64_t peak_rss_bytes = 0;  // of the process
};

// Reads data and model, trains, evaluates, and leaves a run folder:
//   config.toml, environment.json, metrics.jsonl (one object a line, "kind":
//   "step" | "eval" | "done"), model/ (config.json, model.safetensors,
//   tokenizer files: a Hugging Face folder), report.html.
// `stop` set by someone else: the running step is finished, the model saved,
// and the result says interrupted.
// Errors: whatever was wrong in config, data, weights; kDevice; kInternal
// never.
//         A non-finite loss without loss scaling stops with kInvalidArgument;
//         the last saved model stays.
FineTuneResult fine_tune(const runtime::Session& session,
                         const RunConfig& config,
                         Observer& observer,
                         const std::atomic<bool>& stop);

}  // namespace kexue::train
