// Private to text: chunks as valid UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kexue/text/detail/chunk_source.h"

namespace kexue::text::detail {

// Words of any bytes pass as they are. In lines, broken UTF-8 becomes U+FFFD
// and is counted, or, if strict, it is an error with file and byte offset (for
// words of any bytes, too).
class UnitText final {
 public:
  struct Options {
    bool strict = false;
    WordSplitter::Unit unit = WordSplitter::Unit::kWord;
  };
  explicit UnitText(const Options& options) : options_(options) {}

  // Lives until the next call; kPadding bytes behind it can be read.
  std::string_view clean(const Chunk& chunk) {
    return clean(chunk.text, *chunk.file, chunk.offset);
  }
  std::string_view clean(std::string_view text,
                         const std::string& file,
                         uint64_t offset);
  uint64_t replaced() const { return replaced_; }

 private:
  Options options_;
  std::string cleaned_;
  uint64_t replaced_ = 0;
};

}  // namespace kexue::text::detail
