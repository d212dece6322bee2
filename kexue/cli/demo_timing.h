// The demo's measurements of single steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kexue/cli/console.h"
#include "kexue/runtime/session.h"
#include "kexue/train/config.h"

namespace kexue::cli {

struct TimingOptions {
  int repeats = 7;  // timed steps of each kind
  int op_by_op_repeats = 3;
  bool op_by_op_kernels = true;  // time that too
};

// A step as one program per op.
struct OpByOpTime {
  double ms = 0;
  size_t ops = 0;       // run one after the other
  size_t programs = 0;  // different ones
  double compile_s = 0;
};

// Medians over whole steps: forward, backward, clipping, optimizer.
struct StepTimes {
  int64_t batch = 0;
  int64_t length = 0;  // padded
  double f32_ms = 0;
  double bf16_ms = 0;
  OpByOpTime plain;                   // f32, ops as StableHLO has them
  std::optional<OpByOpTime> kernels;  // bf16, fused ops stay our kernels
};

// Times steps of the config's model on batches of its most frequent length
// bucket. f32 and bf16 take turns on the same batches, because the speed of a
// machine drifts; the first two rounds are not counted. `plain` is a session
// without kernels.
StepTimes time_steps(const runtime::Session& session,
                     const runtime::Session& plain,
                     const train::RunConfig& config,
                     const TimingOptions& options);

}  // namespace kexue::cli
