#include "kexue/train/detail/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "kexue/base/error.h"
#include "kexue/train/detail/gradient_groups.h"
#include "kexue/train/detail/run_identity.h"

namespace kexue::train::detail {
namespace {

constexpr double kMega = 1e-6;
constexpr int64_t kImageSide = 256;

double now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

// Four spaces make it a block of code in Markdown.
std::string code_block(const std::string& text) {
  std::string out = "    ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' || c == '\n' ? ' ' : c;
  return out;
}

std::string samples_text(const Predictions& p) {
  const auto name = [&](double v) {
    const auto i = static_cast<size_t>(std::max(v, 0.0));
    return i < p.classes.size() ? cell(p.classes[i]) : fmt::format("{:.4g}", v);
  };
  std::string out = "| row | truth | predicted | text |\n|---|---|---|---|\n";
  for (const Sample& s : p.wrong) {
    out += fmt::format("| {} | {} | {} | {} |\n",
                       s.row,
                       name(s.truth),
                       name(s.predicted),
                       cell(s.text));
  }
  return out;
}

// About kHistogramValues of the group's values, at equal distances.
std::vector<float> sample_of(const std::vector<HostArray>& values,
                             const optim::Group& group) {
  size_t total = 0;
  for (const size_t i : group.members) {
    total += static_cast<size_t>(values.at(i).size());
  }
  const size_t stride = std::max<size_t>(1, total / kHistogramValues);
  std::vector<float> out;
  size_t skip = 0;  // until the next one
  for (const size_t i : group.members) {
    if (values[i].dtype() != DType::kF32) continue;
    const auto all = values[i].span<float>();
    for (; skip < all.size(); skip += stride) out.push_back(all[skip]);
    skip -= all.size();
  }
  return out;
}

}  // namespace

io::Image confusion_image(const std::vector<int64_t>& confusion) {
  const auto n = static_cast<int64_t>(
      std::llround(std::sqrt(static_cast<double>(confusion.size()))));
  const int64_t cell =
      std::max<int64_t>(1, kImageSide / std::max<int64_t>(n, 1));
  io::Image image{.width = n * cell, .height = n * cell};
  constexpr double kFull[] = {37, 99, 201};  // the page's first colour
  for (int64_t y = 0; y < n * cell; ++y) {
    const auto row = confusion.begin() + y / cell * n;
    int64_t sum = 0;
    for (auto at = row; at != row + n; ++at) sum += *at;
    for (int64_t x = 0; x < n * cell; ++x) {
      const double share = sum == 0 ? 0
                                    : static_cast<double>(row[x / cell]) /
                                          static_cast<double>(sum);
      for (const double full : kFull) {
        image.pixels.push_back(
            static_cast<uint8_t>(std::lround(255 + share * (full - 255))));
      }
    }
  }
  return image;
}

Recorder::Recorder(const RunConfig& config,
                   std::string folder,
                   Observer& observer)
    : config_(config),
      folder_(std::move(folder)),
      observer_(observer),
      registers_(has_registry() && !config.registry.empty()) {}

void Recorder::begin(int64_t step, const std::string& environment) {
  const RunIdentity identity = keep_identity(folder_, now());
  entry_.id = identity.id;
  entry_.started = identity.started;
  entry_.folder = std::filesystem::weakly_canonical(folder_).string();
  entry_.config = to_toml(config_);
  entry_.config_hash = config_hash(config_rows(entry_.config));
  entry_.steps = step;
  register_run("running");
  if (!config_.events) return;
  events_.emplace(io::EventFile::resume(folder_, now(), step));
  if (step > 0) return;
  io::EventSummary summary;
  summary.text("config", code_block(entry_.config));
  summary.text("environment", code_block(environment));
  write(0, summary);
}

void Recorder::write(int64_t step, const io::EventSummary& summary) {
  if (events_) events_->write(now(), step, summary);
}

void Recorder::set(const std::string& name, double value) {
  set_metric(&entry_.metrics, name, value);
}

void Recorder::step(const StepReport& r) {
  entry_.steps = r.step;
  entry_.total_steps = r.total_steps;
  set("loss", r.loss);
  if (!events_) return;
  io::EventSummary s;
  s.scalar("train/loss", r.loss);
  for (const auto& [name, value] : r.metrics) s.scalar("train/" + name, value);
  s.scalar("optimizer/lr", r.lr);
  s.scalar("gradient_norm/all", r.grad_norm);
  for (const auto& [name, value] : r.grad_norms) {
    s.scalar("gradient_norm/" + name, value);
  }
  if (config_.loss_scale != "none") {
    s.scalar("optimizer/loss_scale", r.scale);
    s.scalar("optimizer/skipped", r.skipped ? 1 : 0);
  }
  const double seconds = r.step_s + r.input_s;
  if (seconds > 0) {
    s.scalar("speed/tokens_per_s", static_cast<double>(r.tokens) / seconds);
  }
  s.scalar("speed/step_s", r.step_s);
  s.scalar("speed/input_s", r.input_s);
  s.scalar("memory/rss_mb", static_cast<double>(r.rss_bytes) * kMega);
  write(r.step, s);
}

void Recorder::eval(const EvalReport& r, const Predictions* predictions) {
  for (const auto& [name, value] : r.metrics) set(r.split + "." + name, value);
  set(r.split + ".loss", r.loss);
  register_run("running");
  if (!events_) return;
  io::EventSummary s;
  s.scalar(r.split + "/loss", r.loss);
  for (const auto& [name, value] : r.metrics) {
    s.scalar(r.split + "/" + name, value);
  }
  if (predictions != nullptr) {
    const Predictions& p = *predictions;
    if (!p.bins.empty()) {
      s.scalar(r.split + "/calibration_error", p.calibration_error);
      s.histogram(r.split + "/confidence", io::histogram_of(p.confidences));
    }
    if (!p.confusion.empty() && io::has_png()) {
      s.image(r.split + "/confusion", confusion_image(p.confusion));
    }
    s.text(r.split + "/most_wrong", samples_text(p));
  }
  write(r.step, s);
  if (events_) events_->sync();
}

void Recorder::parameters(int64_t step,
                          const nn::ParamList& params,
                          const std::vector<HostArray>& values) {
  if (!events_ || values.size() != params.size()) return;
  io::EventSummary s;
  for (const optim::Group& group : gradient_groups(params)) {
    s.histogram("parameters/" + group.name,
                io::histogram_of(sample_of(values, group)));
  }
  write(step, s);
}

void Recorder::end(const FineTuneResult& result) {
  set("tokens_per_s", result.tokens_per_s);
  set("train_s", result.train_s);
  entry_.steps = result.steps;
  entry_.ended = now();
  register_run(result.interrupted ? "interrupted" : "done");
  if (events_) events_->sync();
}

void Recorder::fail(const std::string& text) {
  entry_.note = text;
  entry_.ended = now();
  register_run("failed");
}

void Recorder::register_run(const std::string& status) {
  entry_.status = status;
  if (!registers_ || entry_.id.empty()) return;
  try {
    Registry(config_.registry, Registry::Open::kCreate).put(entry_);
  } catch (const std::exception& e) {
    registers_ = false;
    observer_.message(
        fmt::format("warning: the run is not registered: {}", e.what()));
  }
}

}  // namespace kexue::train::detail
