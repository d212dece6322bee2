// A training step of a config, put together for measurements.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kexue/train/config.h"
#include "kexue/train/engine.h"
#include "kexue/train/run_step.h"
#include "kexue/train/task.h"

namespace kexue::cli {

// What fine_tune() trains, on one device.
struct StepSubject {
  std::unique_ptr<train::Task> task;
  train::RunStep step;
  std::vector<HostArray> values;  // at the start
  std::vector<train::HostBatch> batches;
};

// With the first batches of the shape that an epoch has most of; `say` as
// train::make_task. Errors: as train::make_task.
StepSubject step_subject(const train::RunConfig& config,
                         const std::function<void(const std::string&)>& say);

// The step as one graph, with arguments for its inputs.
struct StepProgram {
  std::unique_ptr<ir::Graph> graph;
  std::vector<HostArray> args;
};
StepProgram step_program(const StepSubject& subject);

// A rate so small that repeated batches do not wear the model out.
inline const train::Hyper kTimingHyper = {.lr = 1e-6, .total_steps = 1e6};

}  // namespace kexue::cli
