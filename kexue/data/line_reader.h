// Lines of text files, plain or compressed. Private to kexue/data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kexue/io/compressed_file.h"

namespace kexue::data::detail {

// In blocks: the file may be larger than memory.
//
// Errors: kUnsupported with file:line for a line above 16 MiB; those of
//         io::CompressedFile.
class LineReader final {
 public:
  LineReader(const std::string& path, io::FileSystem& fs);

  const std::string& path() const { return path_; }
  int64_t number() const { return number_; }  // of the last line, from 1

  // False at the end. Without the '\n', but with a '\r' before it; a UTF-8
  // mark at the start of the file is left out. Valid until the next call.
  bool next(std::string_view* line);

 private:
  [[noreturn]] void too_long() const;
  void take(size_t end, size_t next, std::string_view* line);
  bool fill();

  std::string path_;
  io::CompressedFile file_;
  std::string buffer_;
  size_t start_ = 0;     // of the next line
  size_t searched_ = 0;  // no line end before this
  int64_t number_ = 0;
};

}  // namespace kexue::data::detail
