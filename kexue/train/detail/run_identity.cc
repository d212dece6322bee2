#include "kexue/train/detail/run_identity.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"

namespace kexue::train::detail {
namespace {

constexpr size_t kIdDigits = 8;
constexpr size_t kHashDigits = 12;
constexpr uint64_t kBytes = 64 << 10;

bool is_id(const std::string& text) {
  return text.size() == kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

RunIdentity parse(const std::string& path) {
  const auto json = io::parse_json_file(path, {.max_bytes = kBytes});
  const auto at = [&](const char* key) {
    return json.is_object() && json.contains(key) ? json[key]
                                                  : nlohmann::json();
  };
  const auto id = at("id");
  const auto started = at("started");
  if (!id.is_string() || !is_id(id.get<std::string>()) ||
      !started.is_number()) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: wanted \"id\" of {} hexadecimal digits and "
                            "\"started\" in seconds",
                            path,
                            kIdDigits));
  }
  return {id.get<std::string>(), started.get<double>()};
}

}  // namespace

double file_time(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nan("");
  return static_cast<double>(status.st_mtim.tv_sec) +
         static_cast<double>(status.st_mtim.tv_nsec) * 1e-9;
}

RunIdentity read_identity(const std::string& folder) {
  try {
    return parse(folder + "/run.json");
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
  }
  const auto path = std::filesystem::weakly_canonical(folder).string();
  double started = file_time(folder + "/config.toml");
  if (std::isnan(started)) started = file_time(folder + "/metrics.jsonl");
  return {hash128(path).substr(0, kIdDigits), started};
}

RunIdentity keep_identity(const std::string& folder, double now) {
  const std::string path = folder + "/run.json";
  if (std::filesystem::exists(path)) return parse(path);
  std::random_device random;
  RunIdentity out{fmt::format("{:08x}", random() & 0xffffffffu), now};
  const nlohmann::ordered_json json = {
      {"id", out.id}, {"started", out.started}, {"kexue", KEXUE_VERSION}};
  io::write_file(path, std::string_view(json.dump() + "\n"));
  return out;
}

std::string config_hash(const Rows& config) {
  Rows rows = config;
  std::erase_if(rows,
                [](const auto& row) { return row.first.starts_with("run."); });
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const auto& [key, value] : rows) {
    text += fmt::format("{}={}:{}\n", key, value.size(), value);
  }
  return hash128(text).substr(0, kHashDigits);
}

void set_metric(std::vector<std::pair<std::string, double>>* metrics,
                const std::string& name,
                double value) {
  for (auto& [known, old] : *metrics) {
    if (known != name) continue;
    old = value;
    return;
  }
  metrics->emplace_back(name, value);
}

std::vector<std::pair<std::string, double>> last_metrics(const RunRecord& run) {
  std::vector<std::pair<std::string, double>> out;
  const auto set = [&](const std::string& name, double value) {
    set_metric(&out, name, value);
  };
  for (const EvalReport& e : run.evals) {
    for (const auto& [name, value] : e.metrics) {
      set(e.split + "." + name, value);
    }
    set(e.split + ".loss", e.loss);
  }
  if (!run.steps.empty()) set("loss", run.steps.back().loss);
  if (run.done) {
    set("tokens_per_s", run.done->tokens_per_s);
    set("train_s", run.done->train_s);
  }
  return out;
}

}  // namespace kexue::train::detail
