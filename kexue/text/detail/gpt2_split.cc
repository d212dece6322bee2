#include "kexue/text/detail/gpt2_split.h"

#include <array>
#include <cstdint>

#include "kexue/text/unicode.h"

namespace kexue::text::detail {
namespace {

enum class Kind : uint8_t { kOther, kLetter, kNumber, kSpace };

Kind slow_kind(char32_t c) {
  if (is_letter(c)) return Kind::kLetter;
  if (is_number(c)) return Kind::kNumber;
  return is_space(c) ? Kind::kSpace : Kind::kOther;
}

Kind kind_of(char32_t c) {
  static const auto table = [] {
    std::array<Kind, 0x10000> t;
    for (char32_t i = 0; i < t.size(); ++i) t[i] = slow_kind(i);
    return t;
  }();
  return c < table.size() ? table[c] : slow_kind(c);
}

struct Next {
  Kind kind = Kind::kOther;
  size_t end = 0;
};

Next next_at(std::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {kind_of(first), at + 1};
  const CodePoint c = decode_at(text, at);
  return {kind_of(c.value), at + c.bytes};
}

// Bytes of 's 't 're 've 'm 'll 'd at the begin of a text, or 0.
size_t contraction(std::string_view text) {
  for (const std::string_view c :
       {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(c)) return c.size();
  }
  return 0;
}

// After all characters of this kind from `at` on.
size_t run_end(std::string_view text, size_t at, Kind kind) {
  while (at < text.size()) {
    const Next next = next_at(text, at);
    if (next.kind != kind) break;
    at = next.end;
  }
  return at;
}

// White space: all of it at the end of a text, else all but the last one,
// unless that is the only one.
size_t space_end(std::string_view text, size_t at) {
  size_t last = at;
  size_t end = at;
  while (end < text.size()) {
    const Next next = next_at(text, end);
    if (next.kind != Kind::kSpace) break;
    last = end;
    end = next.end;
  }
  return end == text.size() || last == at ? end : last;
}

size_t part_end(std::string_view text, size_t at) {
  if (text[at] == '\'') {
    const size_t n = contraction(text.substr(at));
    if (n > 0) return at + n;
  }
  Next first = next_at(text, at);
  if (text[at] == ' ' && at + 1 < text.size()) {
    const Next second = next_at(text, at + 1);
    if (second.kind != Kind::kSpace) first = second;
  }
  return first.kind == Kind::kSpace ? space_end(text, at)
                                    : run_end(text, first.end, first.kind);
}

void split_text(std::string_view text, std::vector<std::string_view>& parts) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = part_end(text, at);
    parts.push_back(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace

void gpt2_split(std::string_view text,
                bool single_digits,
                std::vector<std::string_view>& parts) {
  if (!single_digits) {
    split_text(text, parts);
    return;
  }
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const Next next = next_at(text, at);
    if (next.kind == Kind::kNumber) {
      split_text(text.substr(begin, at - begin), parts);
      parts.push_back(text.substr(at, next.end - at));
      begin = next.end;
    }
    at = next.end;
  }
  split_text(text.substr(begin), parts);
}

}  // namespace kexue::text::detail
