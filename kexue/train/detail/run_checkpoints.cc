#include "kexue/train/detail/run_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/train/detail/records.h"
#include "kexue/train/run_folder.h"

namespace kexue::train::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "/checkpoints";

// Everything that may change the bits of a result, but no paths.
std::string fingerprint_of(const runtime::Session& session,
                           const RunConfig& config) {
  auto json = nlohmann::json::parse(environment_json(session, config));
  json["plugin"].erase("path");
  return hash128(
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// In the order of the layout. Errors: kInvalidArgument naming the tensor.
std::vector<HostArray> in_order(const io::Checkpoint& c,
                                const StateLayout& layout,
                                const std::string& path) {
  std::map<std::string, HostArray> by_name(c.tensors.begin(), c.tensors.end());
  std::vector<HostArray> out;
  for (size_t i = 0; i < layout.size(); ++i) {
    const auto found = by_name.find(layout.names[i]);
    const bool there = found != by_name.end();
    if (!there || found->second.type() != layout.types[i]) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("{}: \"{}\" must be {}, {}",
                              path,
                              layout.names[i],
                              layout.types[i].str(),
                              there ? "got " + found->second.type().str()
                                    : std::string("but is not there")),
                  "the model or the optimizer is not that of the checkpoint");
    }
    out.push_back(found->second);
    by_name.erase(found);
  }
  if (!by_name.empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: tensor \"{}\" has no place in this run",
                            path,
                            by_name.begin()->first),
                "the model or the optimizer is not that of the checkpoint");
  }
  return out;
}

// The first parameter with a NaN or an infinity; "" if there is none.
std::string first_non_finite(const StateLayout& layout,
                             const std::vector<HostArray>& state) {
  for (size_t i = 0; i < layout.num_params; ++i) {
    const auto values = state[i].span<float>();
    // A sum of x - x is 0, or NaN: no branch, so it runs at memory speed.
    float sum = 0;
    for (const float x : values) sum += x - x;
    if (sum != 0 || std::isnan(sum)) return layout.names[i];
  }
  return "";
}

}  // namespace

ResumePlan resume_plan(const RunConfig& config) {
  if (config.resume == "none") return {};
  const bool is_run = RunFolder::is_run(config.folder);
  if (config.resume == "auto") return {.in_place = is_run, .from = ""};
  std::error_code ignored;
  if (!fs::exists(config.resume, ignored)) {
    throw Error(Code::kNotFound,
                config.resume + ": there is no such checkpoint",
                "run.resume is none, auto, or <run>/checkpoints/step-...");
  }
  const fs::path step =
      fs::weakly_canonical(config.resume + "/manifest.json", ignored);
  const fs::path run = step.parent_path().parent_path().parent_path();
  const bool own = run == fs::weakly_canonical(config.folder, ignored);
  return {.in_place = own && is_run, .from = config.resume};
}

RunCheckpoints::RunCheckpoints(const RunConfig& config,
                               const runtime::Session& session,
                               Observer& observer)
    : config_(config),
      observer_(observer),
      folder_(config.folder + kFolder),
      plan_(resume_plan(config)),
      keys_(frozen_keys(config)),
      fingerprint_(fingerprint_of(session, config)) {}

io::CheckpointStore& RunCheckpoints::store() {
  if (!store_) store_.emplace(folder_);
  return *store_;
}

std::string RunCheckpoints::path(int64_t step) const {
  return folder_ + "/" + io::step_name(step);
}

std::optional<io::Checkpoint> RunCheckpoints::newest() {
  if (!fs::exists(folder_)) return std::nullopt;
  auto found = store().newest();
  for (const auto& s : found.skipped) {
    observer_.message(
        fmt::format("warning: checkpoint {} is skipped: {}", s.name, s.why));
  }
  if (!found.checkpoint && !found.skipped.empty()) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: none of its {} checkpoints can be read; the "
                            "newest: {}",
                            folder_,
                            found.skipped.size(),
                            found.skipped.front().why),
                "start anew in another [run] folder, or remove this one");
  }
  return std::move(found.checkpoint);
}

void RunCheckpoints::check_same(const io::Checkpoint& c,
                                const Progress& p) const {
  if (c.config_hash != hash_of(p.config)) {
    throw Error(Code::kCorruptData,
                fmt::format("checkpoint of step {}: the sum of the "
                            "configuration is {}, the manifest says {}",
                            c.step,
                            hash_of(p.config),
                            c.config_hash));
  }
  // A key that an older version did not know had what is now its default.
  const RunConfig defaults;
  FrozenKeys was = frozen_keys(defaults);
  for (const auto& [key, value] : p.config) was[key] = value;
  for (const auto& [key, before] : was) {
    const auto now = keys_.find(key);
    if (now != keys_.end() && now->second == before) continue;
    throw Error(Code::kInvalidArgument,
                fmt::format("resume from step {}: {} was {}, but is {} now",
                            c.step,
                            key,
                            before,
                            now == keys_.end() ? "unknown" : now->second),
                "give the value the run began with, or start a new run");
  }
}

std::optional<RunCheckpoints::Resumed> RunCheckpoints::resume(
    const StateLayout& layout) {
  std::optional<io::Checkpoint> c;
  if (!plan_.from.empty()) {
    c = io::read_checkpoint(plan_.from);
  } else if (plan_.in_place) {
    c = newest();
  }
  if (!c) return std::nullopt;
  const std::string from = plan_.from.empty() ? path(c->step) : plan_.from;
  Resumed out;
  out.path = from;
  out.progress = parse_progress(c->progress, from + "/progress.json");
  check_same(*c, out.progress);
  out.state = in_order(*c, layout, from);
  if (c->fingerprint != fingerprint_) {
    observer_.message(
        "warning: the checkpoint was written with another plugin, processor, "
        "version or number of threads: the result will not be equal byte for "
        "byte to that of an uninterrupted run");
  }
  if (plan_.in_place) {
    for (const auto& name : store().set_aside_after(c->step)) {
      observer_.message(
          fmt::format("what comes after step {} is kept as {}", c->step, name));
    }
    last_ = c->step;
  }
  return out;
}

// Of a catch: the error goes on unless run.on_save_error forgives it.
void RunCheckpoints::forgive(const Error& e, int64_t step) {
  if (e.code() != Code::kIo || config_.on_save_error != "continue") throw;
  observer_.message(fmt::format(
      "warning: step {} is not saved: {}; training goes on", step, e.text()));
}

void RunCheckpoints::save_bad(const io::Checkpoint& c,
                              const std::string& name) {
  try {
    store().save_bad(c);
  } catch (const Error& e) {
    return forgive(e, c.step);
  }
  throw Error(Code::kInvalidArgument,
              fmt::format("step {}: parameter \"{}\" is not finite; the "
                          "state is left as {}/.bad-{:010}",
                          c.step,
                          name,
                          folder_,
                          c.step),
              "try a smaller lr, or more warm-up");
}

void RunCheckpoints::save(const StateLayout& layout,
                          std::vector<HostArray> state,
                          Progress progress,
                          std::optional<double> score,
                          std::function<void()> before) {
  wait();
  const std::string bad = first_non_finite(layout, state);
  progress.config = keys_;
  io::Checkpoint c{.step = progress.loop.step,
                   .tensors = {},
                   .progress = to_json(progress),
                   .config_hash = hash_of(keys_),
                   .fingerprint = fingerprint_,
                   .score = score};
  for (size_t i = 0; i < layout.size(); ++i) {
    c.tensors.emplace_back(layout.names[i], std::move(state[i]));
  }
  if (!bad.empty()) return save_bad(c, bad);
  writing_step_ = c.step;
  written_ = false;
  auto write = [this, c = std::move(c), before = std::move(before)]() mutable {
    const io::Checkpoint mine = std::move(c);  // freed in this thread, too
    before();
    store().save(mine);
    written_ = true;
    store().rotate(config_.keep_last);
  };
  // Deferred where no thread can be made: then poll() writes it.
  writing_ =
      std::async(std::launch::async | std::launch::deferred, std::move(write));
}

void RunCheckpoints::poll() {
  if (!writing_.valid() || writing_.wait_for(std::chrono::seconds(0)) ==
                               std::future_status::timeout) {
    return;
  }
  try {
    writing_.get();
  } catch (const Error& e) {
    if (written_) throw;  // what failed is the rotation
    return forgive(e, writing_step_);
  }
  last_ = writing_step_;
  observer_.saved(path(last_), last_);
}

int64_t RunCheckpoints::last_step() {
  wait();
  return last_;
}

void RunCheckpoints::wait() {
  if (writing_.valid()) writing_.wait();
  poll();
}

}  // namespace kexue::train::detail
