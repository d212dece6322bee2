#include "kexue/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kexue::cli {
namespace {

constexpr double kKeep = 0.95;
constexpr int kBarWidth = 24;
constexpr int64_t kStepsBetweenLines = 50;
constexpr auto kTimeBetweenLines = std::chrono::seconds(10);
constexpr auto kTimeBetweenDrawings = std::chrono::milliseconds(100);

std::string bar(int64_t step, int64_t total) {
  const double share = static_cast<double>(step) /
                       static_cast<double>(std::max<int64_t>(1, total));
  const auto full =
      static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  return fmt::format("[{:<{}}]", std::string(full, '='), kBarWidth);
}

}  // namespace

std::string clock_text(double seconds) {
  const auto s =
      static_cast<int64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

void Progress::message(const std::string& line) {
  console_->note("kexue: " + line);
}

void Progress::average(const train::StepReport& r) {
  const auto mix = [](double& mean, double value) {
    mean = kKeep * mean + (1 - kKeep) * value;
  };
  mix(weight_, 1);
  mix(loss_, std::isfinite(r.loss) ? r.loss : loss_ / weight_);
  if (!r.metrics.empty()) mix(headline_, r.metrics.front().second);
  mix(tokens_, static_cast<double>(r.tokens));
  mix(seconds_, r.step_s + r.input_s);
}

bool Progress::is_due(const train::StepReport& r) const {
  if (r.step == 1 || r.step == r.total_steps) return true;
  const auto waited = Clock::now() - shown_at_;
  if (console_->is_terminal()) return waited >= kTimeBetweenDrawings;
  return r.step - shown_step_ >= kStepsBetweenLines ||
         waited >= kTimeBetweenLines;
}

std::string Progress::line(const train::StepReport& r) const {
  const double left = static_cast<double>(r.total_steps - r.step);
  const std::string numbers = fmt::format(
      "step {}/{}  loss {:.4f}  {}{:.0f} tok/s  ETA {}{}",
      r.step,
      r.total_steps,
      loss_ / weight_,
      r.metrics.empty()
          ? ""
          : train::metric_text(r.metrics.front().first, headline_ / weight_) +
                "  ",
      seconds_ > 0 ? tokens_ / seconds_ : 0.0,
      clock_text(left * seconds_ / weight_),
      r.skipped ? fmt::format("  skipped, scale {:g}", r.scale) : "");
  if (!console_->is_terminal()) return numbers;
  const std::string with_bar = bar(r.step, r.total_steps) + " " + numbers;
  const auto width = static_cast<size_t>(console_->width() - 1);
  return with_bar.size() <= width ? with_bar : numbers.substr(0, width);
}

void Progress::step(const train::StepReport& r) {
  average(r);
  if (!is_due(r)) return;
  shown_step_ = r.step;
  shown_at_ = Clock::now();
  console_->progress(line(r));
  if (r.step == r.total_steps) console_->end_progress();
}

void Progress::eval(const train::EvalReport& r) {
  console_->note(
      fmt::format("{} after step {}: loss {:.4f}, {}, {} rows ({:.1f} s)",
                  r.split,
                  r.step,
                  r.loss,
                  train::metric_text(r.metrics),
                  r.rows,
                  r.seconds));
}

void Progress::saved(const std::string& folder, int64_t step) {
  console_->note(fmt::format("saved {} (step {})", folder, step));
}

}  // namespace kexue::cli
