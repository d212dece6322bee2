// Progress of any long task: a bar on a terminal, a line now and then in a log.
#pragma once

#include <chrono>
#include <string>

#include "kexue/cli/console.h"

namespace kexue::cli {

// On a terminal redrawn at most ten times a second, elsewhere a line every ten
// seconds, so that a short task prints nothing there.
class TaskBar final {
 public:
  explicit TaskBar(Console& console) : console_(&console) {}
  ~TaskBar() { end(); }
  TaskBar(const TaskBar&) = delete;
  TaskBar& operator=(const TaskBar&) = delete;

  // `what` stands behind the share and the time left: "3.2 of 9.7 MB".
  void update(double done, double total, const std::string& what);
  void end() { console_->end_progress(); }

 private:
  using Clock = std::chrono::steady_clock;

  Console* console_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point shown_ = begun_;
};

}  // namespace kexue::cli
