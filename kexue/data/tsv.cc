#include "kexue/data/tsv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "kexue/base/error.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/unicode.h"

namespace kexue::data {
namespace {

namespace limits = io::limits;

// Lines of a file, in blocks: the file may be larger than memory.
class LineReader final {
 public:
  LineReader(const std::string& path, io::FileSystem& fs)
      : path_(path), fs_(fs), file_(io::open_for_reading(path, fs)) {}

  int64_t number() const { return number_; }

  // False at the end. Without the line end.
  bool next(std::string_view* line) {
    for (;;) {
      const size_t end = buffer_.find('\n', searched_);
      if (end != std::string::npos) {
        take(end, end + 1, line);
        return true;
      }
      searched_ = buffer_.size();
      if (searched_ - start_ > limits::kLineBytes) too_long();
      if (!fill()) break;
    }
    if (start_ == buffer_.size()) return false;
    take(buffer_.size(), buffer_.size(), line);
    return true;
  }

 private:
  [[noreturn]] void too_long() const {
    throw Error(Code::kUnsupported,
                fmt::format("{}:{}: a line above {} bytes",
                            path_,
                            number_ + 1,
                            limits::kLineBytes));
  }

  void take(size_t end, size_t next, std::string_view* line) {
    if (end - start_ > limits::kLineBytes) too_long();
    *line = std::string_view(buffer_).substr(start_, end - start_);
    if (line->ends_with('\r')) line->remove_suffix(1);
    if (number_ == 0 && line->starts_with("\xEF\xBB\xBF")) {
      line->remove_prefix(3);
    }
    ++number_;
    start_ = searched_ = next;
  }

  bool fill() {
    buffer_.erase(0, start_);
    searched_ -= start_;
    start_ = 0;
    constexpr size_t kBlock = 1 << 20;
    const size_t have = buffer_.size();
    buffer_.resize(have + kBlock);
    int64_t n = 0;
    do {
      n = fs_.read(file_.get(), buffer_.data() + have, kBlock);
    } while (n == -EINTR);
    if (n < 0) throw io::os_error("read", path_, n);
    buffer_.resize(have + static_cast<size_t>(n));
    return n > 0;
  }

  std::string path_;
  io::FileSystem& fs_;
  io::Descriptor file_;
  std::string buffer_;
  size_t start_ = 0;     // of the next line
  size_t searched_ = 0;  // no line end before this
  int64_t number_ = 0;
};

std::optional<int64_t> as_integer(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

void sort_classes(std::vector<std::string>& names) {
  const bool integers =
      std::all_of(names.begin(), names.end(), [](const std::string& s) {
        return as_integer(s).has_value();
      });
  std::sort(names.begin(),
            names.end(),
            [integers](const std::string& a, const std::string& b) {
              if (!integers) return a < b;
              // "01" and "1" are different labels of equal value.
              return std::pair(*as_integer(a), a) <
                     std::pair(*as_integer(b), b);
            });
}

bool is_blank(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto c = text::decode_at(text, at);
    if (!text::is_space(c.value)) return false;
    at += c.bytes;
  }
  return true;
}

class TsvReader final {
 public:
  TsvReader(const std::string& path,
            const TsvOptions& options,
            io::FileSystem& fs)
      : path_(path), options_(options), lines_(path, fs) {
    if (options.text_column < 0) {
      throw Error(Code::kInvalidArgument, "tsv: no text column given");
    }
    discover_ = options.classes.empty();
    out_.classes = options.classes;
    for (const auto& c : options.classes) {
      const auto id = static_cast<int32_t>(ids_.size());
      if (!ids_.emplace(c, id).second) {
        throw Error(Code::kInvalidArgument,
                    fmt::format("tsv: class \"{}\" twice", io::printable(c)));
      }
    }
  }

  Dataset read() {
    std::string_view line;
    while (lines_.next(&line)) read_line(line);
    if (out_.texts.empty()) {
      throw Error(
          Code::kCorruptData,
          fmt::format("{}: no rows, {} skipped", path_, out_.skipped.total()));
    }
    if (discover_) order_classes();
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(Code code, const std::string& text) const {
    throw Error(code, fmt::format("{}:{}: {}", path_, lines_.number(), text));
  }
  void bad(int64_t& counter, const std::string& text) const {
    if (options_.on_bad == OnBad::kError) fail(Code::kCorruptData, text);
    ++counter;
  }

  void split(std::string_view line) {
    columns_.clear();
    for (;;) {
      if (columns_.size() == limits::kColumns) {
        fail(Code::kUnsupported,
             fmt::format("more than {} columns", limits::kColumns));
      }
      const size_t tab = line.find('\t');
      columns_.push_back(line.substr(0, tab));
      if (tab == std::string_view::npos) return;
      line.remove_prefix(tab + 1);
    }
  }

  void read_line(std::string_view line) {
    if (line.find('\0') != std::string_view::npos) {
      fail(Code::kCorruptData, "a NUL byte: not a text file");
    }
    split(line);
    const int64_t second = options_.second_text_column;
    const int64_t last =
        std::max({options_.label_column, options_.text_column, second});
    const auto have = static_cast<int64_t>(columns_.size());
    SkipCounts& skipped = out_.skipped;
    if (have <= last) {
      return bad(skipped.missing_column,
                 fmt::format("{} columns, wanted {}", have, last + 1));
    }
    if (const size_t at = text::find_invalid_utf8(line); at != text::kNoError) {
      return bad(skipped.not_utf8,
                 fmt::format("not UTF-8 (byte {} of the line)", at + 1));
    }
    const std::string_view text = column(options_.text_column);
    if (is_blank(text) || (second >= 0 && is_blank(column(second)))) {
      return bad(skipped.empty_text, "empty text");
    }
    if (options_.label_column >= 0 && !add_label()) return;
    out_.texts.emplace_back(text);
    if (second >= 0) out_.second_texts.emplace_back(column(second));
    out_.lines.push_back(lines_.number());
  }

  std::string_view column(int64_t index) const {
    return columns_[static_cast<size_t>(index)];
  }

  bool add_label() {
    const std::string label(column(options_.label_column));
    auto it = ids_.find(label);
    if (it == ids_.end()) {
      if (!discover_) {
        bad(out_.skipped.unknown_label,
            fmt::format("label \"{}\" is not one of {}",
                        io::printable(label),
                        io::printable(
                            fmt::format("{}", fmt::join(out_.classes, ", ")))));
        return false;
      }
      if (ids_.size() == limits::kClasses) {
        fail(Code::kUnsupported,
             fmt::format("more than {} classes", limits::kClasses));
      }
      it = ids_.emplace(label, static_cast<int32_t>(ids_.size())).first;
      out_.classes.push_back(label);
    }
    out_.labels.push_back(it->second);
    return true;
  }

  // From order of appearance to sorted order.
  void order_classes() {
    sort_classes(out_.classes);
    std::vector<int32_t> place(ids_.size());
    for (size_t i = 0; i < out_.classes.size(); ++i) {
      const int32_t seen = ids_.at(out_.classes[i]);
      place[static_cast<size_t>(seen)] = static_cast<int32_t>(i);
    }
    for (auto& label : out_.labels) label = place[static_cast<size_t>(label)];
  }

  std::string path_;
  TsvOptions options_;
  LineReader lines_;
  bool discover_ = false;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<std::string_view> columns_;
  Dataset out_;
};

}  // namespace

Dataset read_tsv(const std::string& path,
                 const TsvOptions& options,
                 io::FileSystem& fs) {
  return TsvReader(path, options, fs).read();
}

}  // namespace kexue::data
