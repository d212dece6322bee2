// Programs and device state of one training run.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kexue/runtime/session.h"
#include "kexue/train/step.h"

namespace kexue::train {

// Batch fields on the host, by name.
using HostBatch = std::map<std::string, HostArray>;
BatchTypes types_of(const HostBatch& batch);

struct EngineOptions {
  DType compute = DType::kF32;
  StepOptions step;
  runtime::CompileOptions compile;  // unroll, low_glue; the rest is set here
};

// What a step reports, by name: "loss", "grad_norm", "lr", "finite", ...
using Metrics = std::map<std::string, double>;

// Bytes of the state in the memory of one device.
struct StateBytes {
  size_t params = 0;
  size_t slots = 0;
};

// Time and cache use of all programs compiled so far.
struct CompileReport {
  int programs = 0;
  int from_cache = 0;
  double seconds = 0;  // trace, rewrites and the plugin's compiler or loader
  // Of the training step that takes most; zeros if the plugin does not tell.
  pjrt::ProgramMemory memory;
};

// Trains `loss` with one program per set of batch types. State lives on the
// device, or split over the devices of a mesh (StepOptions::parallel); donated
// buffers are replaced at each step, so memory stays flat.
class Engine final {
 public:
  Engine(const runtime::Session& session,
         nn::ParamList params,
         LossFunction loss,
         std::shared_ptr<const optim::Optimizer> optimizer,
         EngineOptions options);

  // Start from these parameters, or go on from a whole saved state (saved on
  // any mesh).
  void start(std::vector<HostArray> params);
  void restore(std::vector<HostArray> state);
  std::vector<HostArray> save() const;  // the whole state
  // Of the point to evaluate (optim::Optimizer::evaluation).
  std::vector<HostArray> save_params();
  const StateLayout& layout() const { return layout_; }
  StateBytes state_bytes() const;

  // One batch. With accumulation only each accumulate-th makes a step; those
  // before it report "loss" and the loss's metrics alone.
  // Errors: kDevice; kInternal if called before start().
  Metrics step(const HostBatch& batch, const Hyper& hyper);
  // Compiles ahead (the step itself compiles when needed).
  void prepare(const BatchTypes& types);

  // Runs the step that `batch` would take next with every op watched
  // (transforms/check_numerics.h) and leaves the state alone. A step that was
  // not finite left it alone too, so this is that step again, unless a loss
  // scale has moved since.
  // "log in bert/encoder at model.cc:12 (forward)"; "" if all ops are finite,
  // as when only the compiled order of a sum overflows.
  std::string first_non_finite(const HostBatch& batch, const Hyper& hyper);

  // Outputs of a forward function with the current parameters, at the point to
  // evaluate; `name` keys the program cache.
  std::vector<HostArray> forward(
      const std::string& name,
      const std::function<Values(const BatchValues&)>& f,
      const HostBatch& batch);

  const CompileReport& compile_report() const { return report_; }

 private:
  struct StepProgram {
    std::unique_ptr<runtime::Program> program;
    std::vector<size_t> changes;
    std::vector<std::string> metric_names;
  };
  StepProgram& step_program(const BatchTypes& types, Phase phase);
  Phase next_phase() const;
  void upload(const std::vector<HostArray>& state);
  const runtime::ShardedArray& evaluated(size_t param);
  void note_memory(const runtime::Program& program);
  std::vector<runtime::ShardedArray> upload_batch(const HostBatch& batch) const;
  std::vector<runtime::ShardedArray> run_step(const runtime::Program& program,
                                              const HostBatch& batch,
                                              const Hyper& hyper) const;
  runtime::ShardedArray place(const HostArray& array,
                              const Sharding& sharding) const;
  void count(const runtime::CompileStats& stats, double seconds);

  const runtime::Session* session_;
  nn::ParamList params_;
  LossFunction loss_;
  std::shared_ptr<const optim::Optimizer> optimizer_;
  EngineOptions options_;
  StateLayout layout_;
  std::vector<Sharding> shardings_;  // of the state
  std::vector<runtime::ShardedArray> state_;
  int64_t micro_ = 0;  // batches in the sums, as the state says
  std::unique_ptr<runtime::Program> evaluation_;
  std::vector<runtime::ShardedArray> evaluated_;  // empty: state_ moved on
  std::map<std::string, StepProgram> steps_;
  std::map<std::string, std::unique_ptr<runtime::Program>> forwards_;
  CompileReport report_;
};

}  // namespace kexue::train
