#include "kexue/data/line_reader.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/io/limits.h"

namespace kexue::data::detail {

using io::limits::kLineBytes;

LineReader::LineReader(const std::string& path, io::FileSystem& fs)
    : path_(path), file_(path, fs) {}

bool LineReader::next(std::string_view* line) {
  for (;;) {
    const size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      take(end, end + 1, line);
      return true;
    }
    searched_ = buffer_.size();
    if (searched_ - start_ > kLineBytes) too_long();
    if (!fill()) break;
  }
  if (start_ == buffer_.size()) return false;
  take(buffer_.size(), buffer_.size(), line);
  return true;
}

void LineReader::too_long() const {
  throw Error(
      Code::kUnsupported,
      fmt::format(
          "{}:{}: a line above {} bytes", path_, number_ + 1, kLineBytes));
}

void LineReader::take(size_t end, size_t next, std::string_view* line) {
  if (end - start_ > kLineBytes) too_long();
  *line = std::string_view(buffer_).substr(start_, end - start_);
  if (number_ == 0 && line->starts_with("\xEF\xBB\xBF")) {
    line->remove_prefix(3);
  }
  ++number_;
  start_ = searched_ = next;
}

bool LineReader::fill() {
  buffer_.erase(0, start_);
  searched_ -= start_;
  start_ = 0;
  constexpr size_t kBlock = 1 << 20;
  const size_t have = buffer_.size();
  buffer_.resize(have + kBlock);
  const size_t n = file_.read(std::span<char>(buffer_).subspan(have));
  buffer_.resize(have + n);
  return n > 0;
}

}  // namespace kexue::data::detail
