// UnicodeWords: UAX 29's word rules, from categories instead of its tables.
#include <utf8proc.h>

#include <array>
#include <string_view>

#include "kexue/text/unicode.h"
#include "kexue/text/word_splitter.h"

namespace kexue::text {
namespace {

// The values of Word_Break that matter here, by their names in UAX 29.
enum class Break : uint8_t {
  kOther,
  kAlone,  // ideographs, hiragana: words of one character
  kLetter,
  kKatakana,
  kNumeric,
  kExtendNumLet,
  kMidLetter,
  kMidNumLet,  // Single_Quote included
  kMidNum,
  kExtend,  // and Format, ZWJ: belongs to what stands before
};

bool is_between(char32_t c, char32_t from, char32_t to) {
  return from <= c && c <= to;
}

bool is_katakana(char32_t c) {
  return is_between(c, 0x30A0, 0x30FA) || is_between(c, 0x30FC, 0x30FF) ||
         is_between(c, 0x3031, 0x3035) || is_between(c, 0x309B, 0x309C) ||
         is_between(c, 0x31F0, 0x31FF) || is_between(c, 0x32D0, 0x32FE) ||
         is_between(c, 0x3300, 0x3357) || is_between(c, 0xFF66, 0xFF9D);
}

bool is_alone(char32_t c) {
  return is_cjk(c) || is_between(c, 0x3041, 0x3096) ||
         is_between(c, 0x309D, 0x309F) || is_between(c, 0x3006, 0x3007) ||
         is_between(c, 0x3021, 0x3029) || is_between(c, 0x3038, 0x303A) ||
         is_between(c, 0x17000, 0x18CFF) || is_between(c, 0x1B000, 0x1B2FF) ||
         is_between(c, 0x2B820, 0x323AF);
}

Break mid_break(char32_t c) {
  switch (c) {
    case ':':
    case 0xB7:
    case 0x387:
    case 0x55F:
    case 0x5F4:
    case 0x2027:
    case 0xFE13:
    case 0xFE55:
    case 0xFF1A:
      return Break::kMidLetter;
    case '.':
    case '\'':
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0xFE52:
    case 0xFF07:
    case 0xFF0E:
      return Break::kMidNumLet;
    case ',':
    case ';':
    case 0x37E:
    case 0x589:
    case 0x60C:
    case 0x60D:
    case 0x66C:
    case 0x7F8:
    case 0x2044:
    case 0xFE10:
    case 0xFE14:
    case 0xFE50:
    case 0xFE54:
    case 0xFF0C:
    case 0xFF1B:
      return Break::kMidNum;
    default:
      return Break::kOther;
  }
}

Break slow_break_of(char32_t c) {
  const Break mid = mid_break(c);
  if (mid != Break::kOther) return mid;
  if (is_katakana(c)) return Break::kKatakana;
  if (is_alone(c)) return Break::kAlone;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL:
      return Break::kLetter;
    case UTF8PROC_CATEGORY_ND:
      return Break::kNumeric;
    case UTF8PROC_CATEGORY_PC:
      return Break::kExtendNumLet;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_MC:
      return Break::kExtend;
    case UTF8PROC_CATEGORY_CF:
      return c == 0x200B ? Break::kOther : Break::kExtend;
    default:
      return is_between(c, 0x24B6, 0x24E9) ? Break::kLetter : Break::kOther;
  }
}

// Of the plane that nearly all text stands in.
Break break_of(char32_t c) {
  static const auto table = [] {
    std::array<Break, 0x10000> t;
    for (char32_t i = 0; i < t.size(); ++i) t[i] = slow_break_of(i);
    return t;
  }();
  return c < table.size() ? table[c] : slow_break_of(c);
}

bool is_word_part(Break b) {
  return b == Break::kLetter || b == Break::kNumeric || b == Break::kKatakana ||
         b == Break::kExtendNumLet;
}

// A character with the marks that belong to it (rule WB4).
struct Cluster {
  Break kind = Break::kOther;
  size_t end = 0;
};

Cluster cluster_at(std::string_view text, size_t at) {
  const CodePoint first = decode_at(text, at);
  Cluster c{break_of(first.value), at + first.bytes};
  while (c.end < text.size()) {
    if (static_cast<unsigned char>(text[c.end]) < 0x80) break;
    const CodePoint next = decode_at(text, c.end);
    if (break_of(next.value) != Break::kExtend) break;
    c.end += next.bytes;
  }
  return c;
}

// WB5, WB8 to WB10, WB13 to WB13b.
bool joins(Break a, Break b) {
  if (a == Break::kKatakana) {
    return b == Break::kKatakana || b == Break::kExtendNumLet;
  }
  return b == Break::kLetter || b == Break::kNumeric ||
         b == Break::kExtendNumLet ||
         (a == Break::kExtendNumLet && b == Break::kKatakana);
}

// WB6, WB7, WB11, WB12: "'" in "can't", "," in "3,141".
bool bridges(Break a, Break middle, Break b) {
  if (a != b) return false;
  if (a == Break::kLetter) {
    return middle == Break::kMidLetter || middle == Break::kMidNumLet;
  }
  return a == Break::kNumeric &&
         (middle == Break::kMidNum || middle == Break::kMidNumLet);
}

// The end of the word that begins with `first`.
size_t word_end(std::string_view text, Cluster first, bool* has_letter) {
  Break last = first.kind;
  size_t end = first.end;
  *has_letter = last != Break::kExtendNumLet;
  while (end < text.size()) {
    const Cluster next = cluster_at(text, end);
    if (joins(last, next.kind)) {
      last = next.kind;
      end = next.end;
    } else {
      if (next.end >= text.size()) break;
      const Cluster after = cluster_at(text, next.end);
      if (!bridges(last, next.kind, after.kind)) break;
      end = after.end;
    }
    *has_letter |= last != Break::kExtendNumLet;
  }
  return end;
}

}  // namespace

void UnicodeWords::split(std::string_view text,
                         std::vector<std::string_view>& words) const {
  for (size_t at = 0; at < text.size();) {
    const Cluster c = cluster_at(text, at);
    size_t end = c.end;
    bool is_word = c.kind == Break::kAlone;
    if (is_word_part(c.kind)) end = word_end(text, c, &is_word);
    if (is_word) words.push_back(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace kexue::text
