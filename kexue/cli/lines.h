// Lines of text from a file or from standard input.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::cli {

struct Line {
  std::string text;    // without its end
  int64_t number = 0;  // from 1
};

// UTF-8, LF or CR LF; a UTF-8 mark at the start is ignored. A line of only
// spaces counts as empty.
//
// Errors: kNotFound, kIo; kCorruptData with file:line for a line that is empty
//         (unless allowed), not UTF-8 or holds a NUL byte; kUnsupported above
//         16 MiB. With `skip_bad` the kCorruptData ones are counted instead.
class LineReader final {
 public:
  struct Options {
    std::string path = "-";  // "-": standard input
    bool skip_bad = false;
    bool allow_empty = false;
  };
  explicit LineReader(const Options& options);

  std::optional<Line> next();
  // Up to `count` lines; one at a time when a person types them. An error is
  // thrown once the lines before it have been given.
  std::vector<Line> next_block(size_t count);

  const std::string& name() const { return name_; }  // for messages
  int64_t skipped() const { return skipped_; }

 private:
  std::optional<std::string> raw_line();
  bool fill();
  // What is wrong with a line, or nothing.
  std::optional<std::string> problem(const std::string& line) const;

  Options options_;
  std::string name_;
  io::Descriptor file_;
  std::string buffer_;
  size_t at_ = 0;
  int64_t number_ = 0;
  int64_t skipped_ = 0;
  std::exception_ptr error_;
};

}  // namespace kexue::cli
