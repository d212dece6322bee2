#include "kexue/data/row_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/data/line_reader.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/unicode.h"

namespace kexue::data::detail {
namespace {

namespace limits = io::limits;

bool is_blank(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto c = text::decode_at(text, at);
    if (!text::is_space(c.value)) return false;
    at += c.bytes;
  }
  return true;
}

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// What TSV and CSV have in common: columns by number or by header.
class ColumnReader : public RowReader {
 public:
  ColumnReader(const std::string& path,
               const ReadOptions& options,
               io::FileSystem& fs)
      : RowReader(path), lines_(path, fs), options_(options) {
    label_ = options.labels == Labels::kNone ? -1 : options.columns.label;
    text_ = options.columns.text;
    second_ = options.columns.second_text;
    if (!options.columns.header && text_ < 0) {
      throw Error(Code::kInvalidArgument, "dataset: no text column given");
    }
  }

  Result next(Row* row) override {
    if (options_.columns.header && !has_header_ && !read_header()) {
      return Result::kEnd;
    }
    if (!read_columns()) return Result::kEnd;
    const int64_t last = std::max({label_, text_, second_});
    const auto have = static_cast<int64_t>(columns_.size());
    if (have <= last) {
      return bad(&SkipCounts::missing_column,
                 fmt::format("{} columns, wanted {}", have, last + 1));
    }
    if (const auto where = invalid_utf8(); !where.empty()) {
      return bad(&SkipCounts::not_utf8, "not UTF-8 (" + where + ")");
    }
    *row = {column(text_), column(second_), column(label_)};
    return check(*row, second_ >= 0);
  }

  int64_t line() const override { return number_; }

 protected:
  // Fills columns_; false at the end.
  virtual bool read_columns() = 0;
  // Where the row is not UTF-8; "" if it is.
  virtual std::string invalid_utf8() const = 0;

  void add_column(std::string_view text) {
    if (columns_.size() == limits::kColumns) {
      fail(Code::kUnsupported,
           fmt::format("more than {} columns", limits::kColumns));
    }
    columns_.push_back(text);
  }
  bool next_line(std::string_view* line, bool first = true) {
    if (!lines_.next(line)) return false;
    if (first) number_ = lines_.number();
    refuse_nul(*line);
    return true;
  }

  LineReader lines_;
  int64_t number_ = 0;  // of the row's first line
  std::vector<std::string_view> columns_;

 private:
  std::string_view column(int64_t index) const {
    return index < 0 ? std::string_view()
                     : columns_[static_cast<size_t>(index)];
  }

  bool read_header() {
    has_header_ = true;
    if (!read_columns()) return false;
    const auto find = [&](const std::string& name) {
      const auto it = std::find(columns_.begin(), columns_.end(), name);
      if (it == columns_.end()) {
        fail(Code::kCorruptData,
             fmt::format("the header has no column \"{}\"",
                         io::printable(name)));
      }
      return it - columns_.begin();
    };
    text_ = find(options_.columns.text_field);
    if (label_ >= 0) label_ = find(options_.columns.label_field);
    second_ = options_.columns.second_text_field.empty()
                  ? -1
                  : find(options_.columns.second_text_field);
    return true;
  }

  const ReadOptions options_;
  int64_t label_, text_, second_;  // columns; -1: none
  bool has_header_ = false;
};

class TsvReader final : public ColumnReader {
 public:
  using ColumnReader::ColumnReader;

 private:
  bool read_columns() override {
    if (!next_line(&line_)) return false;
    line_ = without_cr(line_);
    columns_.clear();
    std::string_view rest = line_;
    for (;;) {
      const size_t tab = rest.find('\t');
      add_column(rest.substr(0, tab));
      if (tab == std::string_view::npos) return true;
      rest.remove_prefix(tab + 1);
    }
  }

  std::string invalid_utf8() const override {
    const size_t at = text::find_invalid_utf8(line_);
    return at == text::kNoError ? ""
                                : fmt::format("byte {} of the line", at + 1);
  }

  std::string_view line_;
};

class CsvReader final : public ColumnReader {
 public:
  using ColumnReader::ColumnReader;

 private:
  // A row is copied as a whole, because quoted fields may span lines; fields
  // are unquoted in place, which makes them shorter at most.
  bool read_columns() override {
    std::string_view line;
    if (!next_line(&line)) return false;
    row_.assign(line);
    columns_.clear();
    spans_.clear();
    size_t at = 0;
    do {
      at = row_.substr(at, 1) == "\"" ? quoted(at + 1) : plain(at);
    } while (at != std::string::npos);
    for (const auto& [begin, end] : spans_) {
      add_column(std::string_view(row_).substr(begin, end - begin));
    }
    return true;
  }

  std::string invalid_utf8() const override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!text::is_valid_utf8(columns_[i])) {
        return fmt::format("column {}", i + 1);
      }
    }
    return "";
  }

  // Each returns where the next field begins, npos after the last.
  size_t plain(size_t begin) {
    const size_t comma = row_.find(',', begin);
    const size_t end =
        comma == std::string::npos ? without_cr(row_).size() : comma;
    if (row_.find('"', begin) < end) {
      fail(Code::kCorruptData,
           fmt::format("a quote inside column {}, which has none around it",
                       spans_.size() + 1));
    }
    spans_.emplace_back(begin, std::max(begin, end));
    return comma == std::string::npos ? comma : comma + 1;
  }

  size_t quoted(size_t begin) {
    size_t to = begin;
    for (size_t at = begin;;) {
      if (at == row_.size()) append_line();
      const char c = row_[at++];
      if (c != '"') {
        row_[to++] = c;
      } else if (at < row_.size() && row_[at] == '"') {
        row_[to++] = row_[at++];
      } else {
        spans_.emplace_back(begin, to);
        return after_quote(at);
      }
    }
  }

  size_t after_quote(size_t at) {
    if (at < row_.size() && row_[at] == ',') return at + 1;
    if (without_cr(row_).size() <= at) return std::string::npos;
    fail(Code::kCorruptData,
         fmt::format("column {} goes on after its closing quote",
                     spans_.size()));
  }

  void append_line() {
    std::string_view line;
    if (!next_line(&line, false)) {
      fail(Code::kCorruptData,
           fmt::format("column {} has no closing quote", spans_.size() + 1));
    }
    if (row_.size() + line.size() + 1 > limits::kLineBytes) {
      fail(Code::kUnsupported,
           fmt::format("a row above {} bytes", limits::kLineBytes));
    }
    row_ += '\n';
    row_ += line;
  }

  std::string row_;
  std::vector<std::pair<size_t, size_t>> spans_;
};

Format format_of(std::string_view name) {
  for (const char* packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) {
      name.remove_suffix(std::string_view(packed).size());
    }
  }
  if (name.ends_with(".csv")) return Format::kCsv;
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) {
    return Format::kJsonl;
  }
  return Format::kTsv;
}

}  // namespace

std::string RowReader::where() const {
  return fmt::format("{}:{}", path_, line());
}

RowReader::Result RowReader::bad(int64_t SkipCounts::*counter,
                                 std::string text) {
  skipped = counter;
  why = std::move(text);
  return Result::kBad;
}

void RowReader::fail(Code code, const std::string& text) const {
  throw Error(code, where() + ": " + text);
}

void RowReader::refuse_nul(std::string_view line) const {
  if (line.find('\0') != std::string_view::npos) {
    fail(Code::kCorruptData, "a NUL byte: not a text file");
  }
}

RowReader::Result RowReader::check(const Row& row, bool pairs) {
  if (is_blank(row.text) || (pairs && is_blank(row.second_text))) {
    return bad(&SkipCounts::empty_text, "empty text");
  }
  return Result::kRow;
}

std::unique_ptr<RowReader> open_rows(const std::string& path,
                                     const ReadOptions& options,
                                     io::FileSystem& fs) {
  const Format format =
      options.format == Format::kAuto ? format_of(path) : options.format;
  if (format == Format::kJsonl) return open_jsonl(path, options, fs);
  if (format == Format::kCsv) {
    return std::make_unique<CsvReader>(path, options, fs);
  }
  return std::make_unique<TsvReader>(path, options, fs);
}

}  // namespace kexue::data::detail
