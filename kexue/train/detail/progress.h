// What a checkpoint says beside its tensors: progress.json. Private to
// kexue/train.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kexue/train/fine_tune.h"
#include "kexue/train/loop_state.h"

namespace kexue::train::detail {

// Config keys that a run must keep from start to end, with their values as
// TOML: all but [run] and train.save_every.
using FrozenKeys = std::map<std::string, std::string>;
FrozenKeys frozen_keys(const RunConfig& config);
std::string hash_of(const FrozenKeys& keys);

struct Progress {
  LoopState loop;
  uint64_t metrics_bytes = 0;  // of metrics.jsonl
  int64_t tokens = 0;
  int64_t skipped = 0;  // steps, in all
  double train_s = 0;
  double step_s = 0;
  double input_s = 0;
  std::vector<EvalReport> evals;
  std::optional<double> best;  // score on dev; larger is better
  FrozenKeys config;
};

std::string to_json(const Progress& progress);
// Errors: kCorruptData naming `where` and the field; kUnsupported for limits.
Progress parse_progress(const std::string& text, const std::string& where);

}  // namespace kexue::train::detail
