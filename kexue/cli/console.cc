#include "kexue/cli/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "kexue/io/file_system.h"

namespace kexue::cli {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 16;

// 0, or the errno of the write that failed.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

bool can_redraw() {
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return isatty(STDERR_FILENO) == 1 && !dumb;
}

}  // namespace

Console::Console(bool json) : json_(json), terminal_(can_redraw()) {}

void Console::print(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Console::print_line(std::string_view text) {
  print(text);
  print("\n");
}

void Console::flush() {
  const std::string text = std::move(buffer_);
  buffer_.clear();
  const int error = write_all(STDOUT_FILENO, text);
  if (error == EPIPE) throw ClosedPipe{};
  if (error != 0) throw io::os_error("write", "standard output", -error);
}

void Console::note(std::string_view text) {
  end_progress();
  write_all(STDERR_FILENO, std::string(text) + "\n");
}

void Console::progress(std::string_view text) {
  if (!terminal_) {
    note(text);
    return;
  }
  // Return to the line's start, write, clear what the old line had beyond.
  write_all(STDERR_FILENO, fmt::format("\r{}\x1b[K", text));
  drawing_ = true;
}

void Console::end_progress() {
  if (drawing_) write_all(STDERR_FILENO, "\n");
  drawing_ = false;
}

int Console::width() const {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return 80;
  return size.ws_col == 0 ? 80 : std::max<int>(20, size.ws_col);
}

int exit_status(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kUnsupported:
      return 2;
    case Code::kCorruptData:
    case Code::kIo:
      return 3;
    case Code::kDevice:
      return 4;
    case Code::kInternal:
      break;
  }
  return 70;
}

int report_error(Console& console, const Error& error) {
  std::string text = "kexue: error: " + error.text();
  if (!error.scope().empty()) text += "\n  in " + error.scope();
  if (!error.hint().empty()) text += "\n  hint: " + error.hint();
  console.note(text);
  const int status = exit_status(error.code());
  if (!console.json()) return status;
  nlohmann::ordered_json fields;
  fields["code"] = to_string(error.code());
  fields["text"] = error.text();
  if (!error.scope().empty()) fields["scope"] = error.scope();
  if (!error.hint().empty()) fields["hint"] = error.hint();
  fields["exit_status"] = status;
  nlohmann::ordered_json document;
  document["error"] = std::move(fields);
  using Replace = nlohmann::ordered_json::error_handler_t;
  console.print_line(document.dump(-1, ' ', false, Replace::replace));
  return status;
}

}  // namespace kexue::cli
