// Rows of TSV, CSV and JSONL files. Private to kexue/data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/data/dataset.h"
#include "kexue/io/file_system.h"

namespace kexue::data::detail {

// What a row has under the wanted columns; views into the reader.
struct Row {
  std::string_view text;
  std::string_view second_text;
  std::string_view label;
};

// One pass over one file.
class RowReader {
 public:
  virtual ~RowReader() = default;

  enum class Result { kRow, kBad, kEnd };
  // kBad: one of the rules that may be skipped failed; `skipped` names the
  // counter and `why` says what is wrong.
  virtual Result next(Row* row) = 0;
  int64_t SkipCounts::*skipped = nullptr;
  std::string why;

  // "file:line" of the row.
  std::string where() const;
  virtual int64_t line() const = 0;

 protected:
  explicit RowReader(std::string path) : path_(std::move(path)) {}
  Result bad(int64_t SkipCounts::*counter, std::string text);
  [[noreturn]] void fail(Code code, const std::string& text) const;
  void refuse_nul(std::string_view line) const;
  // The rules about single columns.
  Result check(const Row& row, bool pairs);

  std::string path_;
};

// Format::kAuto: by the file's name.
// Errors: as read_dataset.
std::unique_ptr<RowReader> open_rows(const std::string& path,
                                     const ReadOptions& options,
                                     io::FileSystem& fs);
std::unique_ptr<RowReader> open_jsonl(const std::string& path,
                                      const ReadOptions& options,
                                      io::FileSystem& fs);

}  // namespace kexue::data::detail
