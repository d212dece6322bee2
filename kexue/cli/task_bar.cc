#include "kexue/cli/task_bar.h"

#include <fmt/format.h>

#include <algorithm>

#include "kexue/cli/progress.h"

namespace kexue::cli {
namespace {

constexpr size_t kBarWidth = 24;

}  // namespace

void TaskBar::update(double done, double total, const std::string& what) {
  using namespace std::chrono_literals;
  const auto now = Clock::now();
  const auto pause = console_->is_terminal() ? Clock::duration(100ms) : 10s;
  if (now - shown_ < pause) return;
  shown_ = now;
  const double share = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0.0;
  const double spent = std::chrono::duration<double>(now - begun_).count();
  std::string line = fmt::format("{:3.0f} %  {}", 100 * share, what);
  if (share > 0) {
    line += "  ETA " + clock_text(spent * (1 - share) / share);
  }
  if (console_->is_terminal()) {
    const auto full = static_cast<size_t>(share * kBarWidth);
    line = fmt::format("[{:<{}}] {}", std::string(full, '='), kBarWidth, line);
    line = line.substr(0, static_cast<size_t>(console_->width() - 1));
  }
  console_->progress(line);
}

}  // namespace kexue::cli
