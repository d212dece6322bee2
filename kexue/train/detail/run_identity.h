// Private to train: what makes a run findable again.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kexue/train/detail/run_record.h"

namespace kexue::train::detail {

struct RunIdentity {
  std::string id;      // 8 hexadecimal digits
  double started = 0;  // seconds since 1970
};

// run.json of the folder; without one the id is made from the folder's path
// and the time is that of config.toml.
// Errors: kCorruptData, kIo.
RunIdentity read_identity(const std::string& folder);
// A new one, which becomes run.json; what is there already stays (a run that
// goes on).
RunIdentity keep_identity(const std::string& folder, double now);

// Twelve hexadecimal digits of the settings, sorted, without [run]: runs with
// the same ones differ in their folder only.
std::string config_hash(const Rows& config);

// The last figures of each split, of the steps, and of the run.
std::vector<std::pair<std::string, double>> last_metrics(const RunRecord& run);

// Adds a figure, or replaces the one of that name.
void set_metric(std::vector<std::pair<std::string, double>>* metrics,
                const std::string& name,
                double value);

// Seconds since 1970 of the last change; NaN if there is no such file.
double file_time(const std::string& path);

}  // namespace kexue::train::detail
