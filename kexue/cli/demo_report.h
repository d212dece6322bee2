// The demo's result, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/cli/demo_timing.h"
#include "kexue/cli/demo_warm_start.h"
#include "kexue/train/fine_tune.h"

namespace kexue::cli {

struct Classified {
  std::string text;
  std::string label;
  double probability = 0;
};

struct DemoSummary {
  bool quick = false;
  std::string precision;
  uint64_t seed = 0;
  int threads = 0;
  std::string plugin;
  bool fast_bf16 = true;
  double baseline_accuracy = 0;
  double peak_rss_mb = 0;  // up to the end of training
  train::FineTuneResult run;
  WarmStart warm;
  StepTimes times;
  std::vector<Classified> sentences;
};

// One JSON object, indented: what summary.json holds.
std::string summary_json(const DemoSummary& summary);
// A table with a few sentences around it.
std::string summary_table(const DemoSummary& summary);

}  // namespace kexue::cli
