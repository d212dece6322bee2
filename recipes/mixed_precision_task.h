// What recipes/mixed_precision_xla.cc trains: a 16-64-64-4 ReLU network that
// learns a tanh teacher, for comparing number formats, and a small BERT.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/runtime/session.h"
#include "kexue/train/precision.h"
#include "recipes/mixed_precision_steps.h"

namespace kexue::recipes {

struct FormatRun {
  precision::Policy policy;
  double eps = 1e-8;  // of Adam
  double c = 1;       // the loss is multiplied by it: small gradients
};

// Losses are without c and without scale.
struct FormatResult {
  double last = 0;       // mean of the last 20 steps
  double at_50 = 0;      // mean of steps 46 to 55
  double zeros = 0;      // share of gradients that are 0, mean over the steps
  double moved = 0;      // share of masters that the last update changed
  double moved_low = 0;  // the same as the compute type sees them
  int64_t skipped = 0;
  std::vector<double> losses;
  std::vector<double> scales;
};

// 300 steps of Adam with a constant rate of 3e-3 on batches of 128.
FormatResult learn_teacher(const runtime::Session& session,
                           const FormatRun& run,
                           uint64_t seed);

// One step of the same, to look at.
StepSubject teacher_step(uint64_t seed);
// One step of a BERT of 2 layers and width 256 on 8 texts of 64 tokens.
StepSubject bert_step(uint64_t seed);

}  // namespace kexue::recipes
