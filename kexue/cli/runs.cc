// kexue runs: list, show and compare what has been trained.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/progress.h"
#include "kexue/train/registry.h"
#include "kexue/train/run_query.h"

namespace kexue::cli {
namespace {

using Json = nlohmann::ordered_json;
using train::RunEntry;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string when(double seconds) {
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e11) return "-";
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  localtime_r(&time, &local);
  return fmt::format("{:%Y-%m-%d %H:%M}", local);
}

std::string lasted(const RunEntry& run) {
  const double seconds = run.ended - run.started;
  return std::isfinite(seconds) ? clock_text(seconds) : "-";
}

std::string status_of(const RunEntry& run) {
  return run.vanished ? run.status + ", folder gone" : run.status;
}

Json json_of(const RunEntry& run) {
  Json out = {{"id", run.id},
              {"name", train::run_name(run)},
              {"folder", run.folder},
              {"folder_exists", !run.vanished},
              {"status", run.status},
              {"started", run.started},
              {"ended", run.ended},
              {"steps", run.steps},
              {"total_steps", run.total_steps},
              {"config_hash", run.config_hash}};
  if (!run.note.empty()) out["error"] = run.note;
  out["metrics"] = Json::object();
  for (const auto& [name, value] : run.metrics) out["metrics"][name] = value;
  return out;
}

// Registry and folder names may come from elsewhere: nothing of theirs steers
// the terminal.
std::string harmless(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) c = '?';
  }
  return text;
}

using Table = std::vector<std::vector<std::string>>;

// Columns as wide as their widest cell; numbers to the right.
void print_table(const Table& table, size_t first_right, Console& console) {
  std::vector<size_t> width;
  for (const auto& row : table) {
    width.resize(std::max(width.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) {
      width[c] = std::max(width[c], row[c].size());
    }
  }
  for (const auto& row : table) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      line += c == 0 ? "" : "  ";
      line += c >= first_right ? fmt::format("{:>{}}", row[c], width[c])
                               : fmt::format("{:<{}}", row[c], width[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    console.print_line(harmless(line));
  }
}

// Metrics worth a column: the headline of each split, then the loss.
std::vector<std::string> columns_of(const std::vector<RunEntry>& runs) {
  std::vector<std::string> out;
  for (const char* split : {"test.", "dev."}) {
    for (const RunEntry& run : runs) {
      const auto first = std::find_if(
          run.metrics.begin(), run.metrics.end(), [&](const auto& m) {
            return m.first.starts_with(split);
          });
      if (first == run.metrics.end()) continue;
      if (std::find(out.begin(), out.end(), first->first) == out.end()) {
        out.push_back(first->first);
      }
    }
  }
  out.emplace_back("loss");
  return out;
}

std::string short_number(const std::string& value) {
  if (value.empty()) return "-";
  try {
    return fmt::format("{:.4g}", Json::parse(value).get<double>());
  } catch (const Json::exception&) {
    return value;
  }
}

void list(std::vector<RunEntry> runs,
          const RunsOptions& options,
          Console& console) {
  std::vector<train::Condition> conditions;
  for (const auto& text : options.where) {
    conditions.push_back(train::parse_condition(text));
  }
  runs = train::select_runs(runs, conditions);
  train::sort_runs(&runs, options.sort, !options.ascending);
  const auto limit = static_cast<size_t>(options.limit);
  const size_t found = runs.size();
  if (limit > 0 && found > limit) runs.resize(limit);
  if (console.json()) {
    Json out = Json::array();
    for (const auto& run : runs) out.push_back(json_of(run));
    console.print_line(dump(out));
    return;
  }
  const auto metrics = columns_of(runs);
  Table table = {{"id", "started", "status", "name", "steps", "time"}};
  for (const auto& name : metrics) table[0].push_back(name);
  for (const RunEntry& run : runs) {
    table.push_back({run.id,
                     when(run.started),
                     status_of(run),
                     train::run_name(run),
                     fmt::format("{}", run.steps),
                     lasted(run)});
    for (const auto& name : metrics) {
      table.back().push_back(short_number(train::field(run, name)));
    }
  }
  print_table(table, 4, console);
  if (runs.size() < found) {
    console.note(fmt::format("kexue: {} more runs; --limit 0 shows all",
                             found - runs.size()));
  }
}

void show(const RunEntry& run, Console& console) {
  if (console.json()) {
    Json out = json_of(run);
    out["config"] = run.config;
    console.print_line(dump(out));
    return;
  }
  const std::pair<const char*, std::string> rows[] = {
      {"id", run.id},
      {"folder", run.folder + (run.vanished ? "  (not there any more)" : "")},
      {"status", run.status},
      {"error", run.note},
      {"started", when(run.started)},
      {"ended", when(run.ended)},
      {"time", lasted(run)},
      {"steps", fmt::format("{} of {}", run.steps, run.total_steps)},
      {"config_hash", run.config_hash}};
  for (const auto& [name, value] : rows) {
    if (!value.empty()) {
      console.print_line(harmless(fmt::format("{:<12}{}", name, value)));
    }
  }
  console.print_line("");
  for (const auto& [name, value] : run.metrics) {
    console.print_line(fmt::format("{:<24}{:.6g}", name, value));
  }
  console.print_line(harmless("\n" + run.config));
}

void compare(const std::vector<RunEntry>& runs, Console& console) {
  const auto both = train::compare_runs(runs);
  if (console.json()) {
    Json out = {{"runs", Json::array()},
                {"config", Json::object()},
                {"metrics", Json::object()},
                {"equal_settings", both.equal_settings}};
    for (const auto& run : runs) out["runs"].push_back(json_of(run));
    for (const auto& [key, values] : both.config) out["config"][key] = values;
    for (const auto& [key, values] : both.metrics) {
      auto& row = out["metrics"][key] = Json::array();
      for (const auto& run : runs) {
        const auto m = std::find_if(
            run.metrics.begin(), run.metrics.end(), [&](const auto& entry) {
              return entry.first == key;
            });
        row.push_back(m == run.metrics.end() ? Json() : Json(m->second));
      }
    }
    console.print_line(dump(out));
    return;
  }
  Table table(3);
  table[0] = {""};
  table[1] = {"status"};
  table[2] = {"steps"};
  for (const auto& run : runs) {
    table[0].push_back(run.id + " " + train::run_name(run));
    table[1].push_back(status_of(run));
    table[2].push_back(fmt::format("{}", run.steps));
  }
  const auto add = [&](const std::vector<train::Comparison::Row>& rows,
                       bool numbers) {
    for (const auto& [key, values] : rows) {
      table.push_back({key});
      for (const auto& value : values) {
        table.back().push_back(numbers ? short_number(value)
                                       : (value.empty() ? "-" : value));
      }
    }
  };
  add(both.config, false);
  add(both.metrics, true);
  print_table(table, 1, console);
  console.note(
      fmt::format("kexue: {} settings are equal", both.equal_settings));
}

void rebuild(const RunsOptions& options, Console& console) {
  const auto result = train::rebuild_registry(options.registry, options.runs);
  for (const auto& problem : result.problems) {
    console.note("kexue: left out: " + problem);
  }
  if (console.json()) {
    console.print_line(dump({{"registry", options.registry},
                             {"runs", result.runs},
                             {"left_out", result.problems}}));
  } else {
    console.print_line(
        fmt::format("{}: {} runs", options.registry, result.runs));
  }
}

// A run that has not told its end: how far it came stands in its folder.
void refresh(RunEntry* run) {
  if (run->vanished || (run->status != "running" && run->status != "killed")) {
    return;
  }
  try {
    RunEntry now = train::entry_of(run->folder);
    if (now.id == run->id) *run = std::move(now);
  } catch (const Error&) {  // half written: what is registered stands
  }
}

// A lost registry is made again where there are runs to find.
std::vector<RunEntry> read_registry(const RunsOptions& options,
                                    Console& console) {
  using train::Registry;
  const auto parent = std::filesystem::path(options.registry).parent_path();
  if (!std::filesystem::exists(options.registry) &&
      std::filesystem::is_directory(parent.empty() ? "." : parent)) {
    const auto made = train::rebuild_registry(options.registry, {});
    console.note(
        fmt::format("kexue: {}: not there; made again from {} run "
                    "folders",
                    options.registry,
                    made.runs));
  }
  auto runs = Registry(options.registry, Registry::Open::kExisting).entries();
  for (RunEntry& run : runs) {
    train::look_at_folder(&run);
    refresh(&run);
  }
  return runs;
}

}  // namespace

int run_runs(const RunsOptions& options, Console& console) {
  if (options.action == RunsOptions::Action::kRebuild) {
    rebuild(options, console);
    return 0;
  }
  const auto runs = read_registry(options, console);
  if (options.action == RunsOptions::Action::kList) {
    list(runs, options, console);
    return 0;
  }
  std::vector<RunEntry> chosen;
  for (const auto& word : options.runs) {
    chosen.push_back(train::find_run(runs, word));
  }
  if (options.action == RunsOptions::Action::kShow) {
    show(chosen.front(), console);
  } else {
    compare(chosen, console);
  }
  return 0;
}

}  // namespace kexue::cli
