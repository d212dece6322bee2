#include "kexue/cli/lines.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "kexue/base/error.h"
#include "kexue/text/unicode.h"

namespace kexue::cli {
namespace {

constexpr size_t kMaxLineBytes = size_t{16} << 20;
constexpr size_t kReadBytes = size_t{1} << 16;

io::Descriptor open_input(const std::string& path) {
  if (path != "-") return io::open_for_reading(path, io::real_fs());
  const int copy = dup(STDIN_FILENO);  // ours to close
  if (copy < 0) throw io::os_error("read", "standard input", -errno);
  return {io::real_fs(), copy};
}

bool is_blank(std::string_view line) {
  for (size_t at = 0; at < line.size();) {
    const auto point = text::decode_at(line, at);
    if (!text::is_space(point.value)) return false;
    at += point.bytes;
  }
  return true;
}

}  // namespace

LineReader::LineReader(const Options& options)
    : options_(options),
      name_(options.path == "-" ? "standard input" : options.path),
      file_(open_input(options.path)) {}

bool LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const size_t old = buffer_.size();
  buffer_.resize(old + kReadBytes);
  int64_t n = 0;
  do {
    n = io::real_fs().read(file_.get(), buffer_.data() + old, kReadBytes);
  } while (n == -EINTR);
  buffer_.resize(old + static_cast<size_t>(n > 0 ? n : 0));
  if (n < 0) throw io::os_error("read", name_, n);
  return n > 0;
}

std::optional<std::string> LineReader::raw_line() {
  size_t searched = at_;
  size_t end = buffer_.find('\n', searched);
  while (end == std::string::npos) {
    searched = buffer_.size() - at_;
    if (searched > kMaxLineBytes) {
      throw Error(
          Code::kUnsupported,
          fmt::format("{}:{}: a line of more than 16 MiB", name_, number_ + 1));
    }
    const bool more = fill();
    end = buffer_.find('\n', searched);
    if (more) continue;
    if (buffer_.empty()) return std::nullopt;
    end = buffer_.size();  // the last line may lack its end
    break;
  }
  std::string line = buffer_.substr(at_, end - at_);
  at_ = std::min(end + 1, buffer_.size());
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (++number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  return line;
}

std::optional<std::string> LineReader::problem(const std::string& line) const {
  const size_t bad = text::find_invalid_utf8(line);
  if (bad != text::kNoError) {
    return fmt::format("not UTF-8 (byte {} of the line)", bad + 1);
  }
  if (line.find('\0') != std::string::npos) return "a NUL byte";
  if (!options_.allow_empty && is_blank(line)) return "empty text";
  return std::nullopt;
}

std::optional<Line> LineReader::next() {
  while (auto text = raw_line()) {
    const auto what = problem(*text);
    if (!what) return Line{std::move(*text), number_};
    if (!options_.skip_bad) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}:{}: {}", name_, number_, *what),
                  "--skip-bad leaves such lines out and counts them");
    }
    ++skipped_;
  }
  return std::nullopt;
}

std::vector<Line> LineReader::next_block(size_t count) {
  if (error_) std::rethrow_exception(error_);
  if (isatty(file_.get()) == 1) count = 1;
  std::vector<Line> lines;
  try {
    while (lines.size() < count) {
      auto line = next();
      if (!line) break;
      lines.push_back(std::move(*line));
    }
  } catch (const Error&) {
    if (lines.empty()) throw;
    error_ = std::current_exception();
  }
  return lines;
}

}  // namespace kexue::cli
