// Times and programs of one training step, for recipes/mixed_precision_xla.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/runtime/session.h"
#include "kexue/train/engine.h"

namespace kexue::recipes {

// A step to look at.
struct StepSubject {
  nn::ParamList params;
  std::vector<HostArray> values;  // of the parameters
  train::LossFunction loss;
  train::HostBatch batch;
};

struct StepFigures {
  double ms = 0;           // median
  int64_t programs = 1;    // run for one step
  int64_t fusions = 0;     // in the compiled module
  int64_t peak_bytes = 0;  // arguments, outputs and temporaries
};

// The whole step as one program. `dump` is an empty or missing folder for the
// compiler's text; it keeps the optimised module.
StepFigures whole_step(const runtime::SessionOptions& options,
                       const StepSubject& subject,
                       DType compute,
                       int repeats,
                       const std::string& dump);
// Each op of it a program of its own.
StepFigures step_op_by_op(const runtime::Session& session,
                          const StepSubject& subject,
                          DType compute,
                          int repeats);

// gelu(x + bias) + residual on [rows, columns] in f32, without our kernels:
// milliseconds as one program and op by op.
struct ChainTimes {
  double whole_ms = 0;
  double op_by_op_ms = 0;
  int64_t fusions = 0;
};
ChainTimes time_chain(const std::string& plugin,
                      int64_t rows,
                      int64_t columns,
                      const std::string& dump);

}  // namespace kexue::recipes
