#include "kexue/text/detail/units.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/text/detail/add_words.h"
#include "kexue/text/unicode.h"

namespace kexue::text::detail {

std::string_view UnitText::clean(std::string_view text,
                                 const std::string& file,
                                 uint64_t offset) {
  if (options_.unit == WordSplitter::Unit::kWord && !options_.strict) {
    return text;
  }
  size_t bad = find_invalid_utf8(text);
  if (bad == kNoError) return text;
  if (options_.strict) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: not UTF-8 at byte {}",
                            file == "-" ? "standard input" : file,
                            offset + bad),
                "without --strict such bytes are replaced or, by the "
                "tokenizer ws, taken as they are");
  }
  cleaned_.clear();
  while (bad != kNoError) {
    cleaned_ += text.substr(0, bad);
    append_utf8(kReplacement, cleaned_);
    ++replaced_;
    text.remove_prefix(bad + decode_at(text, bad).bytes);
    bad = find_invalid_utf8(text);
  }
  cleaned_ += text;
  const size_t n = cleaned_.size();
  cleaned_.append(kPadding, ' ');
  return std::string_view(cleaned_).substr(0, n);
}

}  // namespace kexue::text::detail
