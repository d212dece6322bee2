// Choosing, ordering and comparing runs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kexue/train/registry.h"

namespace kexue::train {

// A condition such as "train.lr=5e-5", "dev.accuracy>0.85", "status!=done".
struct Condition {
  enum class Op { kEqual, kNotEqual, kLess, kLessEqual, kMore, kMoreEqual };
  std::string key;
  Op op = Op::kEqual;
  std::string value;
};
// Errors: kInvalidArgument for a text without a comparison.
Condition parse_condition(const std::string& text);

// A field by name: "id", "name", "folder", "status", "config_hash", "started",
// "ended", "seconds", "steps", a setting ("train.lr") or a metric
// ("dev.accuracy"). "" if the run has none of that name.
std::string field(const RunEntry& entry, const std::string& key);
// The last part of the folder.
std::string run_name(const RunEntry& entry);

// Runs that meet every condition. Numbers are compared as numbers; a run that
// lacks the field meets none.
// Errors: kInvalidArgument if no run at all has a field.
std::vector<RunEntry> select_runs(const std::vector<RunEntry>& runs,
                                  const std::vector<Condition>& conditions);
// By a field, runs that lack it last; ties keep their order.
// Errors: as select_runs.
void sort_runs(std::vector<RunEntry>* runs,
               const std::string& key,
               bool descending);

// The run that a person means: by id or the beginning of one, by folder, or by
// name.
// Errors: kNotFound; kInvalidArgument if several fit, listing their ids.
const RunEntry& find_run(const std::vector<RunEntry>& runs,
                         const std::string& word);

// One row a key, one column a run; "" where a run lacks the key.
struct Comparison {
  using Row = std::pair<std::string, std::vector<std::string>>;
  std::vector<Row> config;    // only what differs, without [run]
  std::vector<Row> metrics;   // every metric that one of them has
  size_t equal_settings = 0;  // how many were left out
};
Comparison compare_runs(const std::vector<RunEntry>& runs);

}  // namespace kexue::train
