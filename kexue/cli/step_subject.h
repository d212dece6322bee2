// A training step of a config, put together for measurements.
#pragma once

#include <memory>
#include <vector>

#include "kexue/models/bert_files.h"
#include "kexue/optim/optim.h"
#include "kexue/train/config.h"
#include "kexue/train/engine.h"

namespace kexue::cli {

// The model that fine_tune() trains, put together for one measurement.
struct StepSubject {
  models::LoadedBert loaded;
  std::unique_ptr<models::Bert> bert;
  train::LossFunction loss;
  std::shared_ptr<const optim::Optimizer> optimizer;
  train::StepOptions step;
  std::vector<train::HostBatch> batches;
};

// With the first batches of the shape that an epoch has most of.
StepSubject step_subject(const train::RunConfig& config);

// The step as one graph, with arguments for its inputs.
struct StepProgram {
  std::unique_ptr<ir::Graph> graph;
  std::vector<HostArray> args;
};
StepProgram step_program(const StepSubject& subject);

// A rate so small that repeated batches do not wear the model out.
inline const train::Hyper kTimingHyper = {.lr = 1e-6, .total_steps = 1e6};

}  // namespace kexue::cli
