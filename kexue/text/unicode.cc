#include "kexue/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>

namespace kexue::text {
namespace {

utf8proc_int32_t as_int(char32_t c) {
  return static_cast<utf8proc_int32_t>(c);
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(as_int(c));
}

bool is_continuation(uint8_t b) {
  return (b & 0xC0u) == 0x80u;
}

// Length and the legal range of the second byte, by the first byte; length 0
// for bytes that begin no sequence. Excludes overlong forms and surrogates.
struct Lead {
  uint32_t length;
  uint8_t low;
  uint8_t high;
};

Lead lead(uint8_t b) {
  if (b < 0x80) return {1, 0, 0};
  if (b < 0xC2) return {0, 0, 0};
  if (b < 0xE0) return {2, 0x80, 0xBF};
  if (b == 0xE0) return {3, 0xA0, 0xBF};
  if (b == 0xED) return {3, 0x80, 0x9F};
  if (b < 0xF0) return {3, 0x80, 0xBF};
  if (b == 0xF0) return {4, 0x90, 0xBF};
  if (b < 0xF4) return {4, 0x80, 0xBF};
  if (b == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Stable sort of each run of marks: what NFD asks for, never quadratic.
void order_marks(std::u32string& s) {
  const auto is_starter = [](char32_t c) { return canonical_class(c) == 0; };
  auto begin = s.begin();
  while (begin != s.end()) {
    begin = std::find_if_not(begin, s.end(), is_starter);
    const auto end = std::find_if(begin, s.end(), is_starter);
    std::stable_sort(begin, end, [](char32_t a, char32_t b) {
      return canonical_class(a) < canonical_class(b);
    });
    begin = end;
  }
}

}  // namespace

CodePoint decode_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  const Lead l = lead(first);
  if (l.length == 1) return {first, 1, true};
  const CodePoint broken{kReplacement, 1, false};
  if (l.length == 0 || at + 1 >= text.size()) return broken;
  if (byte(at + 1) < l.low || byte(at + 1) > l.high) return broken;
  char32_t value = first & (0xFFu >> (l.length + 1));
  value = (value << 6) | (byte(at + 1) & 0x3Fu);
  for (uint32_t i = 2; i < l.length; ++i) {
    if (at + i >= text.size() || !is_continuation(byte(at + i))) {
      return {kReplacement, i, false};
    }
    value = (value << 6) | (byte(at + i) & 0x3Fu);
  }
  return {value, l.length, true};
}

std::u32string decode(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = decode_at(text, i);
    out.push_back(c.value);
    i += c.bytes;
  }
  return out;
}

void append_utf8(char32_t c, std::string& out) {
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = kReplacement;
  const auto put = [&out](char32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::string encode(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_utf8(c, out);
  return out;
}

size_t find_invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (static_cast<uint8_t>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const CodePoint c = decode_at(text, i);
    if (!c.valid) return i;
    i += c.bytes;
  }
  return kNoError;
}

int decompose(char32_t c, char32_t out[4]) {
  out[0] = c;
  if (c < 0xC0 || (c >= 0x3400 && c < 0xAC00)) return 1;
  utf8proc_int32_t buffer[4];
  int boundary = 0;
  const auto n = utf8proc_decompose_char(
      as_int(c), buffer, 4, UTF8PROC_DECOMPOSE, &boundary);
  if (n < 1 || n > 4) return 1;
  for (int i = 0; i < n; ++i) out[i] = static_cast<char32_t>(buffer[i]);
  return static_cast<int>(n);
}

uint8_t canonical_class(char32_t c) {
  if (c < 0x300) return 0;
  return static_cast<uint8_t>(
      utf8proc_get_property(as_int(c))->combining_class);
}

std::u32string nfd(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  char32_t parts[4];
  for (const char32_t c : text) {
    out.append(parts, static_cast<size_t>(decompose(c, parts)));
  }
  order_marks(out);
  return out;
}

int lower(char32_t c, char32_t out[2]) {
  if (c < 0x80) {
    out[0] = c >= U'A' && c <= U'Z' ? c + 32 : c;
    return 1;
  }
  if (c == 0x130) {
    out[0] = U'i';
    out[1] = 0x307;
    return 2;
  }
  out[0] = c >= 0x3400 && c < 0xA000
               ? c
               : static_cast<char32_t>(utf8proc_tolower(as_int(c)));
  return 1;
}

bool is_mark_nonspacing(char32_t c) {
  return c >= 0x300 && category(c) == UTF8PROC_CATEGORY_MN;
}

bool is_punctuation(char32_t c) {
  if (c >= 0x3400 && c < 0xA000) return false;
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

bool is_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_letter(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;
}

bool is_control(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;
  if (c < 0xA0 || (c >= 0x3000 && c < 0xD800)) return false;
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF ||
         k == UTF8PROC_CATEGORY_CO;
}

bool is_cjk(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

}  // namespace kexue::text
