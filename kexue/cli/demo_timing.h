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
  int repeats = 7;           // timed steps of each kind
  int op_by_op_repeats = 3;  // 0: leave it out
};

// Medians over whole steps: forward, backward, clipping, optimizer.
struct StepTimes {
  int64_t batch = 0;
  int64_t length = 0;  // padded
  double f32_ms = 0;
  double bf16_ms = 0;
  std::optional<double> op_by_op_ms;  // in bf16
  size_t ops = 0;                     // run one after the other
  size_t op_programs = 0;             // different ones
  double op_compile_s = 0;
};

// Times steps of the config's model on batches of its most frequent length
// bucket. f32 and bf16 take turns on the same batches, because the speed of a
// machine drifts; the first two rounds are not counted.
StepTimes time_steps(const runtime::Session& session,
                     const train::RunConfig& config,
                     const TimingOptions& options);

}  // namespace kexue::cli
