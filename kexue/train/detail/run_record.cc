#include "kexue/train/detail/run_record.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::train::detail {
namespace {

using nlohmann::json;

constexpr uint64_t kMetricsBytes = 2048 * io::limits::kMiB;
constexpr uint64_t kConfigBytes = 16 * io::limits::kMiB;
constexpr size_t kSplitBytes = 64;

// What is no metric of the task.
constexpr std::string_view kStepKeys[] = {"step",
                                          "total_steps",
                                          "epoch",
                                          "loss",
                                          "lr",
                                          "grad_norm",
                                          "scale",
                                          "tokens",
                                          "padded_tokens",
                                          "step_s",
                                          "input_s",
                                          "compile_s",
                                          "rss_bytes"};
constexpr std::string_view kEvalKeys[] = {"step", "loss", "rows", "seconds"};

// The fields of one line, with the line in every error.
class Line final {
 public:
  Line(const json& object, std::string where)
      : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) fail("wanted an object");
  }

  [[noreturn]] void fail(const std::string& text) const {
    throw Error(Code::kCorruptData, where_ + ": " + text);
  }

  // JSON has no NaN: null stands for it.
  double number(const char* key) const {
    const json& v = required(key);
    return v.is_null() ? std::numeric_limits<double>::quiet_NaN()
                       : as_number(key, v);
  }
  double number(const char* key, double otherwise) const {
    return object_.contains(key) ? number(key) : otherwise;
  }
  int64_t count(const char* key) const {
    const json& v = required(key);
    // A parser makes a float of 2^64; counts end far below.
    if (!v.is_number_unsigned() || v.get<uint64_t>() > kMaxCount) {
      fail(fmt::format("\"{}\" must be an integer of 0 to 2^53", key));
    }
    return static_cast<int64_t>(v.get<uint64_t>());
  }
  int64_t count(const char* key, int64_t otherwise) const {
    return object_.contains(key) ? count(key) : otherwise;
  }
  bool flag(const char* key) const {
    if (!object_.contains(key)) return false;
    if (!object_[key].is_boolean()) {
      fail(fmt::format("\"{}\" must be true or false", key));
    }
    return object_[key].get<bool>();
  }
  // All numbers but those under `known` keys, in the order of their names;
  // "accuracy" first, which old and new runs of classifiers lead with.
  MetricValues others(std::span<const std::string_view> known) const {
    MetricValues out;
    for (const auto& [key, v] : object_.items()) {
      const bool other =
          std::find(known.begin(), known.end(), key) == known.end();
      if (!other || (!v.is_number() && !v.is_null())) continue;
      const double value = number(key.c_str());
      out.emplace(key == "accuracy" ? out.begin() : out.end(), key, value);
    }
    return out;
  }
  // The numbers of an object; none if there is no such key.
  MetricValues numbers(const char* key) const {
    MetricValues out;
    if (!object_.contains(key)) return out;
    if (!object_[key].is_object()) {
      fail(fmt::format("\"{}\" must be an object", key));
    }
    const Line inner(object_[key], where_);
    for (const auto& [name, v] : object_[key].items()) {
      out.emplace_back(name, inner.number(name.c_str()));
    }
    return out;
  }
  std::string text(const char* key) const {
    const json& v = required(key);
    if (!v.is_string()) fail(fmt::format("\"{}\" must be a string", key));
    return v.get<std::string>();
  }

 private:
  static constexpr uint64_t kMaxCount = uint64_t{1} << 53;

  const json& required(const char* key) const {
    const auto it = object_.find(key);
    if (it == object_.end()) fail(fmt::format("no \"{}\"", key));
    return *it;
  }
  double as_number(const char* key, const json& v) const {
    if (!v.is_number()) fail(fmt::format("\"{}\" must be a number", key));
    return v.get<double>();
  }

  const json& object_;
  std::string where_;
};

StepReport step_of(const Line& line) {
  return {.step = line.count("step"),
          .total_steps = line.count("total_steps", 0),
          .epoch = line.count("epoch", 0),
          .loss = line.number("loss"),
          .metrics = line.others(kStepKeys),
          .lr = line.number("lr", std::nan("")),
          .grad_norm = line.number("grad_norm", std::nan("")),
          .grad_norms = line.numbers("grad_norms"),
          .scale = line.number("scale", 1),
          .skipped = line.flag("skipped"),
          .tokens = line.count("tokens", 0),
          .padded_tokens = line.count("padded_tokens", 0),
          .step_s = line.number("step_s", 0),
          .input_s = line.number("input_s", 0),
          .compile_s = line.number("compile_s", 0),
          .rss_bytes = line.count("rss_bytes", 0)};
}

EvalReport eval_of(const Line& line) {
  EvalReport out{.split = line.text("split"),
                 .step = line.count("step"),
                 .loss = line.number("loss", std::nan("")),
                 .metrics = line.others(kEvalKeys),
                 .rows = line.count("rows", 0),
                 .seconds = line.number("seconds", 0)};
  if (out.split.empty() || out.split.size() > kSplitBytes) {
    line.fail(fmt::format("\"split\" must have 1 to {} bytes", kSplitBytes));
  }
  return out;
}

// The list of evaluations is not read: each has a line of its own.
FineTuneResult result_of(const Line& line) {
  FineTuneResult out;
  out.steps = line.count("steps");
  out.train_s = line.number("train_s");
  out.compile_s = line.number("compile_s", 0);
  out.first_step_s = line.number("first_step_s", std::nan(""));
  out.step_s = line.number("step_s", 0);
  out.input_s = line.number("input_s", 0);
  out.tokens_per_s = line.number("tokens_per_s", std::nan(""));
  out.programs = line.count("programs", 0);
  out.from_cache = line.count("from_cache", 0);
  out.interrupted = line.flag("interrupted");
  out.stopped_early = line.flag("stopped_early");
  out.program_bytes = line.count("program_bytes", 0);
  out.peak_rss_bytes = line.count("peak_rss_bytes", 0);
  return out;
}

// False for a kind that this version does not know.
bool add_line(const Line& line, RunRecord* run) {
  const std::string kind = line.text("kind");
  if (kind == "step") {
    StepReport step = step_of(line);
    const int64_t last = run->steps.empty() ? 0 : run->steps.back().step;
    if (step.step <= last) {
      line.fail(fmt::format("step {} after step {}", step.step, last));
    }
    run->steps.push_back(std::move(step));
  } else if (kind == "eval") {
    run->evals.push_back(eval_of(line));
  } else if (kind == "done") {
    if (run->done) line.fail("\"done\" twice");
    run->done = result_of(line);
  } else if (kind == "error") {
    run->error = line.text("text");
    run->notes.push_back(fmt::format(
        "The run failed at step {}: {}", line.count("step"), run->error));
    run->failed = true;
  } else {
    return false;
  }
  return true;
}

void read_metrics(const std::string& path, RunRecord* run) {
  const std::string text = io::read_file(path, kMetricsBytes);
  size_t unknown = 0;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    const std::string where = fmt::format("{}:{}", path, ++number);
    json object;
    try {
      object = io::parse_json(line, where);
    } catch (const Error& e) {
      // Only a writer that was killed leaves a line without its end.
      if (end < text.size() || e.code() != Code::kCorruptData) throw;
      run->notes.push_back(
          fmt::format("The last line of metrics.jsonl (line {}) was cut off in "
                      "the middle and is left out.",
                      number));
      break;
    }
    if (!add_line(Line(object, where), run)) ++unknown;
    at = end + 1;
  }
  if (unknown > 0) {
    run->notes.push_back(fmt::format(
        "{} lines of metrics.jsonl are of a kind unknown here.", unknown));
  }
}

std::string text_of(const json& v) {
  if (v.is_string()) return v.get<std::string>();
  if (!v.is_array()) return v.dump();
  std::string out;
  for (const json& item : v) {
    if (!out.empty()) out += ", ";
    out += text_of(item);
  }
  return out;
}

void flatten(const json& object, const std::string& prefix, Rows* rows) {
  for (const auto& [key, value] : object.items()) {
    if (value.empty()) {  // {}, [] and null
      rows->emplace_back(prefix + key, "none");
    } else if (value.is_object()) {
      flatten(value, prefix + key + ".", rows);
    } else {
      rows->emplace_back(prefix + key, text_of(value));
    }
  }
}

void flatten(const toml::table& table, const std::string& prefix, Rows* rows) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      flatten(*inner, name + ".", rows);
      continue;
    }
    std::string value;
    if (const auto* text = node.as_string()) {
      value = text->get();
    } else if (const auto* number = node.as_floating_point()) {
      value = fmt::format("{}", number->get());  // 5e-05, not 5.000...02e-05
    } else {
      std::ostringstream out;
      node.visit([&](const auto& v) { out << v; });
      value = out.str();
    }
    rows->emplace_back(name, std::move(value));
  }
}

void read_config(const std::string& path, RunRecord* run) {
  run->config_text = io::read_file(path, kConfigBytes);
  run->config = config_rows(run->config_text, path);
}

// Runs f; a file that is not there becomes a note.
template <class F>
void optional_file(const char* name, RunRecord* run, const F& f) {
  try {
    f();
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    run->notes.push_back(fmt::format("The run has no {}.", name));
  }
}

}  // namespace

Rows config_rows(const std::string& toml, const std::string& where) {
  Rows rows;
  try {
    flatten(toml::parse(toml, where), "", &rows);
  } catch (const toml::parse_error& e) {
    throw Error(Code::kCorruptData,
                fmt::format("{}:{}: {}",
                            where,
                            e.source().begin.line,
                            io::printable(e.description())));
  }
  return rows;
}

RunRecord read_run(const std::string& folder) {
  RunRecord run;
  const std::filesystem::path path(folder);
  run.name = (path.has_filename() ? path : path.parent_path()).filename();
  if (run.name.empty() || run.name == "." || run.name == "..") {
    run.name = std::filesystem::absolute(path).lexically_normal().string();
  }
  read_metrics(folder + "/metrics.jsonl", &run);
  optional_file(
      "config.toml", &run, [&] { read_config(folder + "/config.toml", &run); });
  optional_file("environment.json", &run, [&] {
    const std::string file = folder + "/environment.json";
    const json environment = io::parse_json_file(file);
    if (!environment.is_object()) {
      throw Error(Code::kCorruptData, file + ":1: wanted an object");
    }
    flatten(environment, "", &run.environment);
  });
  for (const char* split : {"test", "dev"}) {
    const std::string file = folder + "/" + predictions_file(split);
    if (std::filesystem::exists(file)) {
      run.predictions.push_back(read_predictions(file));
    }
  }
  return run;
}

std::string find_row(const Rows& rows, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    std::string below;
    for (const auto& [name, value] : rows) {
      if (name == key) return value;
      if (name.starts_with(key + ".")) {
        if (!below.empty()) below += ", ";
        below += name.substr(key.size() + 1) + "=" + value;
      }
    }
    if (!below.empty()) return below;
  }
  return "";
}

}  // namespace kexue::train::detail
