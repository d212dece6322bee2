// Private to train: what a run folder says, read back.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kexue/train/detail/predictions.h"
#include "kexue/train/fine_tune.h"

namespace kexue::train::detail {

// Text rows sorted by key; nested keys are joined with a dot.
using Rows = std::vector<std::pair<std::string, std::string>>;

struct RunRecord {
  std::string name;  // last part of the folder's path
  std::vector<StepReport> steps;
  std::vector<EvalReport> evals;
  std::optional<FineTuneResult> done;  // nullopt: not finished, or killed
  bool failed = false;                 // an error ended it
  std::string error;                   // its text
  std::string config_text;             // config.toml as it is
  Rows config;
  Rows environment;
  std::vector<Predictions> predictions;  // of test and dev, if there are any
  std::vector<std::string> notes;  // what the reader of the page should know
};

// Errors: as write_report.
RunRecord read_run(const std::string& folder);

// The settings of a TOML text. Errors: kCorruptData with `where` and the line.
Rows config_rows(const std::string& toml, const std::string& where = "config");

// The value of the first of `keys` that is there, else "". A key names a row,
// or all rows below it ("flags" finds "flags.a" and "flags.b").
std::string find_row(const Rows& rows, const std::vector<std::string>& keys);

}  // namespace kexue::train::detail
