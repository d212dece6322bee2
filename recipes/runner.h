// Runs recipes, judges their numbers, and leaves what they found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recipes/recipe.h"

namespace kexue::recipes {

struct RunOptions {
  bool quick = false;
  uint64_t seed = 0;
  int64_t seeds = 1;   // runs, with seed, seed + 1, ...
  std::string folder;  // "": runs/recipe-NAME; files there are replaced
  Device device = {};
};

// An expectation beside what came out.
struct Check {
  Expected expected;
  // Of each seed; `exact` expectations have texts. Empty: not measured, which
  // fails unless the size of the run leaves the number out.
  std::vector<double> numbers = {};
  std::vector<std::string> texts = {};
  bool passed = false;

  double mean() const;       // NaN without numbers
  double deviation() const;  // of the sample; 0 for one seed
};

struct Result {
  std::string name;
  bool quick = false;
  uint64_t seed = 0;
  int64_t seeds = 1;
  std::vector<Check> checks;
  double seconds = 0;
  std::string page = {};  // path of the HTML page
  bool passed() const;
};

// A number passes if its mean over the seeds is within its bound, a text if it
// is right for every seed. Writes report.html and result.json to the folder.
//
// Errors: kInvalidArgument for less than one seed, or several for a recipe
//         that does not depend on it; whatever the recipe throws; kIo.
Result run_recipe(const Recipe& recipe,
                  const RunOptions& options,
                  Observer* observer = nullptr);

// One JSON object: {name, passed, checks: [{name, value, expected, tolerance,
// source, ...}], seconds, ...}.
std::string to_json(const Result& result);
std::string to_json(const Recipe& recipe);
// For a terminal.
std::string to_text(const Result& result);
std::string to_text(const Recipe& recipe);
// The page: the recipe, its checks, then `parts`.
std::string to_page(const Recipe& recipe,
                    const Result& result,
                    const report::Page& parts);

}  // namespace kexue::recipes
