// Training as a person follows it: a bar on a terminal, lines in a log.
#pragma once

#include <chrono>
#include <string>

#include "kexue/cli/console.h"
#include "kexue/train/fine_tune.h"

namespace kexue::cli {

// On a terminal one line that is redrawn at most ten times a second; without
// one a line for the first and the last step, and every 50 steps or 10 seconds,
// whichever comes first.
class Progress final : public train::Observer {
 public:
  explicit Progress(Console& console) : console_(&console) {}

  void message(const std::string& line) override;
  void step(const train::StepReport& report) override;
  void eval(const train::EvalReport& report) override;
  void saved(const std::string& folder, int64_t step) override;

 private:
  using Clock = std::chrono::steady_clock;

  void average(const train::StepReport& report);
  bool is_due(const train::StepReport& report) const;
  std::string line(const train::StepReport& report) const;

  Console* console_;
  // Exponential averages over about the last 20 steps, and their weight.
  double weight_ = 0;
  double loss_ = 0;
  double headline_ = 0;  // the first metric
  double tokens_ = 0;
  double seconds_ = 0;
  int64_t shown_step_ = 0;
  Clock::time_point shown_at_ = Clock::now();
};

// "0:42", "12:05", "1:02:33"
std::string clock_text(double seconds);

}  // namespace kexue::cli
