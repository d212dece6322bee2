// What a run's configuration and task make a training step of.
#pragma once

#include "kexue/nn/param.h"
#include "kexue/train/config.h"
#include "kexue/train/engine.h"
#include "kexue/train/make_optimizer.h"
#include "kexue/train/task.h"

namespace kexue::train {

struct RunStep {
  nn::ParamList params;
  UpdatePlan plan;
  EngineOptions options;
  LossFunction loss;  // of the task, with plan.loss around it
};

// `task` must outlive the loss. Errors: as make_optimizer.
RunStep run_step(const RunConfig& config, Task& task);

}  // namespace kexue::train
