#include "kexue/cli/signals.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

namespace kexue::cli {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);

// Calls only what is allowed in a signal handler.
void on_signal(int /*number*/) {
  if (stop.exchange(true)) _exit(130);
  constexpr std::string_view kText =
      "\nkexue: stopping after this step; once more to stop at once\n";
  [[maybe_unused]] const auto n =
      write(STDERR_FILENO, kText.data(), kText.size());
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop;
}

void make_write_failures_errors() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace kexue::cli
