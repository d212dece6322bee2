#include "kexue/train/run_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/train/detail/run_record.h"

namespace kexue::train {
namespace {

constexpr size_t kIdPrefix = 4;  // shortest beginning of an id that counts

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || at != end) return std::nullopt;
  return value;
}

// Negative, 0 or positive; unordered (NaN) compares as nothing.
std::optional<int> compare(const std::string& a, const std::string& b) {
  const auto x = as_number(a);
  const auto y = as_number(b);
  if (x && y) {
    if (std::isnan(*x) || std::isnan(*y)) return std::nullopt;
    return *x < *y ? -1 : (*x > *y ? 1 : 0);
  }
  return a.compare(b);
}

bool meets(const RunEntry& run, const Condition& c) {
  const std::string value = field(run, c.key);
  if (value.empty()) return false;
  const auto order = compare(value, c.value);
  if (!order) return false;
  switch (c.op) {
    case Condition::Op::kEqual:
      return *order == 0;
    case Condition::Op::kNotEqual:
      return *order != 0;
    case Condition::Op::kLess:
      return *order < 0;
    case Condition::Op::kLessEqual:
      return *order <= 0;
    case Condition::Op::kMore:
      return *order > 0;
    case Condition::Op::kMoreEqual:
      return *order >= 0;
  }
  return false;
}

std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

detail::Rows settings_of(const RunEntry& run) {
  detail::Rows rows = detail::config_rows(run.config);
  std::erase_if(rows,
                [](const auto& row) { return row.first.starts_with("run."); });
  return rows;
}

void require_known(const std::vector<RunEntry>& runs, const std::string& key) {
  const bool known = std::any_of(runs.begin(), runs.end(), [&](const auto& r) {
    return !field(r, key).empty();
  });
  if (known || runs.empty()) return;
  std::string metrics;
  for (const auto& [name, value] : runs.back().metrics) {
    metrics += (metrics.empty() ? "" : ", ") + name;
  }
  throw Error(Code::kInvalidArgument,
              fmt::format("no run has a \"{}\"", io::printable(key)),
              "status, name, steps, started, seconds, a setting such as "
              "train.lr, or a metric: " +
                  metrics);
}

// Rows of all runs under the keys of all of them, in order of appearance.
std::vector<Comparison::Row> side_by_side(
    const std::vector<detail::Rows>& columns) {
  std::vector<Comparison::Row> out;
  for (size_t c = 0; c < columns.size(); ++c) {
    for (const auto& [key, value] : columns[c]) {
      auto row = std::find_if(out.begin(), out.end(), [&](const auto& r) {
        return r.first == key;
      });
      if (row == out.end()) {
        out.emplace_back(key, std::vector<std::string>(columns.size()));
        row = out.end() - 1;
      }
      row->second[c] = value;
    }
  }
  return out;
}

}  // namespace

Condition parse_condition(const std::string& text) {
  using Op = Condition::Op;
  const size_t at = text.find_first_of("=<>!");
  const auto fail = [&] {
    throw Error(Code::kInvalidArgument,
                fmt::format("condition \"{}\" must be KEY, one of = != < <= > "
                            ">=, VALUE",
                            io::printable(text)),
                "as in \"dev.accuracy>0.85\", in quotes for the shell");
  };
  if (at == std::string::npos || at == 0) fail();
  const bool equal = at + 1 < text.size() && text[at + 1] == '=';
  Condition out;
  out.key = text.substr(0, at);
  switch (text[at]) {
    case '=':
      out.op = Op::kEqual;
      break;
    case '<':
      out.op = equal ? Op::kLessEqual : Op::kLess;
      break;
    case '>':
      out.op = equal ? Op::kMoreEqual : Op::kMore;
      break;
    default:
      if (!equal) fail();
      out.op = Op::kNotEqual;
  }
  out.value = text.substr(at + (equal ? 2 : 1));
  return out;
}

std::string run_name(const RunEntry& entry) {
  return std::filesystem::path(entry.folder).filename().string();
}

std::string field(const RunEntry& e, const std::string& key) {
  if (key == "id") return e.id;
  if (key == "name") return run_name(e);
  if (key == "folder") return e.folder;
  if (key == "status") return e.status;
  if (key == "config_hash") return e.config_hash;
  if (key == "started") return number_text(e.started);
  if (key == "ended") return number_text(e.ended);
  if (key == "seconds") return number_text(e.ended - e.started);
  if (key == "steps") return fmt::format("{}", e.steps);
  for (const auto& [name, value] : e.metrics) {
    if (name == key) return number_text(value);
  }
  for (const auto& [name, value] : detail::config_rows(e.config)) {
    if (name == key) return value;
  }
  return "";
}

std::vector<RunEntry> select_runs(const std::vector<RunEntry>& runs,
                                  const std::vector<Condition>& conditions) {
  for (const Condition& c : conditions) require_known(runs, c.key);
  std::vector<RunEntry> out;
  for (const RunEntry& run : runs) {
    const bool wanted =
        std::all_of(conditions.begin(), conditions.end(), [&](const auto& c) {
          return meets(run, c);
        });
    if (wanted) out.push_back(run);
  }
  return out;
}

void sort_runs(std::vector<RunEntry>* runs,
               const std::string& key,
               bool descending) {
  require_known(*runs, key);
  std::vector<std::pair<std::string, RunEntry>> keyed;
  for (RunEntry& run : *runs) {
    std::string value = field(run, key);
    keyed.emplace_back(std::move(value), std::move(run));
  }
  std::stable_sort(
      keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
        if (a.first.empty() || b.first.empty()) {
          return !a.first.empty() && b.first.empty();
        }
        const int order = compare(a.first, b.first).value_or(0);
        return descending ? order > 0 : order < 0;
      });
  runs->clear();
  for (auto& [value, run] : keyed) runs->push_back(std::move(run));
}

const RunEntry& find_run(const std::vector<RunEntry>& runs,
                         const std::string& word) {
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(word, ignored).string();
  std::vector<const RunEntry*> found;
  const auto look = [&](const auto& fits) {
    if (!found.empty()) return;
    for (const RunEntry& run : runs) {
      if (fits(run)) found.push_back(&run);
    }
  };
  look([&](const auto& run) { return run.id == word; });
  look([&](const auto& run) { return run.folder == path; });
  look([&](const auto& run) { return run_name(run) == word; });
  look([&](const auto& run) {
    return word.size() >= kIdPrefix && run.id.starts_with(word);
  });
  if (found.size() == 1) return *found.front();
  if (found.empty()) {
    throw Error(Code::kNotFound,
                fmt::format("no run \"{}\"", io::printable(word)),
                "kexue runs list shows ids and names");
  }
  std::string ids;
  for (const RunEntry* run : found) ids += " " + run->id;
  throw Error(Code::kInvalidArgument,
              fmt::format("\"{}\" may be any of{}", io::printable(word), ids),
              "give the id or the folder");
}

Comparison compare_runs(const std::vector<RunEntry>& runs) {
  std::vector<detail::Rows> settings;
  std::vector<detail::Rows> metrics;
  for (const RunEntry& run : runs) {
    settings.push_back(settings_of(run));
    metrics.emplace_back();
    for (const auto& [name, value] : run.metrics) {
      metrics.back().emplace_back(name, number_text(value));
    }
  }
  Comparison out;
  out.metrics = side_by_side(metrics);
  for (auto& row : side_by_side(settings)) {
    const auto& values = row.second;
    const bool equal =
        std::all_of(values.begin(), values.end(), [&](const auto& v) {
          return v == values.front();
        });
    if (equal) {
      ++out.equal_settings;
    } else {
      out.config.push_back(std::move(row));
    }
  }
  return out;
}

}  // namespace kexue::train
