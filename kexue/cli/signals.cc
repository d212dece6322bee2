#include "kexue/cli/signals.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string_view>

#include "kexue/io/input_file.h"

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

bool json_errors = false;

void write_text(int fd, std::string_view text) {
  [[maybe_unused]] const auto n = write(fd, text.data(), text.size());
}

// Calls only what is allowed in a signal handler.
void on_bus_error(int number, siginfo_t* info, void* /*context*/) {
  const char* path = io::mapped_path_at(info->si_addr);
  if (path == nullptr) {
    signal(number, SIG_DFL);  // the faulting instruction runs again
    return;
  }
  write_text(STDERR_FILENO, "\nkexue: error: ");
  write_text(STDERR_FILENO, {path, std::strlen(path)});
  write_text(STDERR_FILENO,
             ": got shorter, or could not be read, while it was in use\n");
  if (json_errors) {
    write_text(STDOUT_FILENO,
               "{\"error\":{\"code\":\"io\",\"text\":\"a mapped file got "
               "shorter, or could not be read, while it was in use\","
               "\"exit_status\":3}}\n");
  }
  _exit(3);
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

void make_lost_mappings_errors(bool json) {
  json_errors = json;
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace kexue::cli
