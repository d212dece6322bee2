#include "recipes/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"

namespace kexue::recipes {
namespace {

using Clock = std::chrono::steady_clock;

bool is_checked(const Expected& expected, bool quick) {
  return expected.sizes == Sizes::kAll ||
         (expected.sizes == Sizes::kQuick) == quick;
}

bool holds(const Check& check) {
  const Expected& e = check.expected;
  if (!e.exact.empty()) {
    return !check.texts.empty() &&
           std::all_of(check.texts.begin(),
                       check.texts.end(),
                       [&](const std::string& t) { return t == e.exact; });
  }
  // Written so that NaN fails.
  const double value = check.mean();
  switch (e.bound) {
    case Bound::kNear:
      return std::abs(value - e.value) <= e.tolerance;
    case Bound::kAtLeast:
      return value >= e.value - e.tolerance;
    case Bound::kAtMost:
      return value <= e.value + e.tolerance;
  }
  return false;
}

std::vector<Check> checks_of(const Recipe& recipe, bool quick) {
  std::vector<Check> out;
  for (const Expected& expected : recipe.expected) {
    if (is_checked(expected, quick)) out.push_back({.expected = expected});
  }
  return out;
}

void collect(const Context& context, std::vector<Check>& checks) {
  for (const Value& value : context.values()) {
    for (Check& check : checks) {
      if (check.expected.name != value.name) continue;
      if (check.expected.exact.empty()) {
        check.numbers.push_back(value.number);
      } else {
        check.texts.push_back(value.text);
      }
    }
  }
}

void refuse(const Recipe& recipe, const RunOptions& options) {
  if (options.seeds < 1 || options.seeds > 10'000) {
    throw Error(Code::kInvalidArgument,
                fmt::format("recipe {}: got {} seeds, wanted 1 to 10000",
                            recipe.name,
                            options.seeds));
  }
  if (options.seeds > 1 && !recipe.is_random) {
    throw Error(Code::kInvalidArgument,
                fmt::format("recipe {}: got {} seeds, but its results do not "
                            "depend on the seed",
                            recipe.name,
                            options.seeds),
                "leave --seeds out");
  }
}

std::string made_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    throw Error(Code::kIo,
                fmt::format("create folder {}: {}", path, error.message()));
  }
  return path;
}

}  // namespace

double Check::mean() const {
  if (numbers.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const double v : numbers) sum += v;
  return sum / static_cast<double>(numbers.size());
}

double Check::deviation() const {
  if (numbers.size() < 2) return 0;
  const double middle = mean();
  double sum = 0;
  for (const double v : numbers) sum += (v - middle) * (v - middle);
  return std::sqrt(sum / static_cast<double>(numbers.size() - 1));
}

bool Result::passed() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.passed;
  });
}

Result run_recipe(const Recipe& recipe,
                  const RunOptions& options,
                  Observer* observer) {
  refuse(recipe, options);
  const std::string folder = made_folder(
      options.folder.empty() ? "runs/recipe-" + recipe.name : options.folder);
  Result result{.name = recipe.name,
                .quick = options.quick,
                .seed = options.seed,
                .seeds = options.seeds,
                .checks = checks_of(recipe, options.quick)};
  report::Page parts("");
  const auto start = Clock::now();
  for (int64_t k = 0; k < options.seeds; ++k) {
    const uint64_t seed = options.seed + static_cast<uint64_t>(k);
    if (observer != nullptr && options.seeds > 1) {
      observer->message(
          fmt::format("seed {}, {} of {}", seed, k + 1, options.seeds));
    }
    Context context(
        recipe, options.quick, seed, folder, options.device, observer);
    recipe.run(context);
    collect(context, result.checks);
    if (options.seeds > 1) parts.heading(fmt::format("Seed {}", seed));
    parts.append(context.page());
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (Check& check : result.checks) check.passed = holds(check);
  result.page = folder + "/report.html";
  io::write_file(result.page, to_page(recipe, result, parts));
  io::write_file(folder + "/result.json", to_json(result) + "\n");
  return result;
}

}  // namespace kexue::recipes
