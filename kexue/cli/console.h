// The only way the program talks: results to stdout, the rest to stderr.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "kexue/base/error.h"

namespace kexue::cli {

// The reader of our output has gone away: nothing is left to do, and that is
// no error.
struct ClosedPipe {};

// Results are buffered; flush() writes them. Not thread-safe.
class Console final {
 public:
  explicit Console(bool json);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // Results are one JSON document (JSON lines of line-wise commands).
  bool json() const { return json_; }

  // To stdout. Errors: kIo with errno text; throws ClosedPipe.
  void print(std::string_view text);
  void print_line(std::string_view text);
  void flush();

  // To stderr, on a line of its own. Failures are ignored.
  void note(std::string_view text);
  // A line of a progress display: replaces the last one on a terminal.
  void progress(std::string_view text);
  // Ends the progress display, if there is one.
  void end_progress();
  // stderr is a terminal that can redraw a line.
  bool is_terminal() const { return terminal_; }
  int width() const;  // columns of that terminal

 private:
  bool json_;
  bool terminal_;
  bool drawing_ = false;
  std::string buffer_;
};

// Exit status of an error: 2, 3, 4 or 70.
int exit_status(Code code);
// "kexue: error: ..." with scope and hint on stderr; with --json also
// {"error": {code, text, scope, hint}} on stdout. Returns the exit status.
int report_error(Console& console, const Error& error);

}  // namespace kexue::cli
