// Private to text: the characters that jieba's patterns name.
#pragma once

#include <array>
#include <cstddef>

#include "kexue/text/detail/jieba_model.h"

namespace kexue::text::detail {

inline bool is_english(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}
inline bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

// [\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-]
inline bool is_block_part(char32_t c) {
  if (c >= 0x80) return is_jieba_han(c);
  static constexpr auto kAscii = [] {
    std::array<bool, 0x80> t = {};
    for (char a = 'a'; a <= 'z'; ++a) t[static_cast<size_t>(a)] = true;
    for (char a = 'A'; a <= 'Z'; ++a) t[static_cast<size_t>(a)] = true;
    for (char a = '0'; a <= '9'; ++a) t[static_cast<size_t>(a)] = true;
    for (const char a : {'+', '#', '&', '.', '_', '%', '-'}) {
      t[static_cast<size_t>(a)] = true;
    }
    return t;
  }();
  return kAscii[c];
}

// \s of Python's re for text.
inline bool is_python_space(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// A code point of valid UTF-8.
inline char32_t decode_valid(const char* text, size_t* bytes) {
  const auto at = [&](int i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t a = at(0);
  if (a < 0x80) {
    *bytes = 1;
    return a;
  }
  if (a >= 0xE0 && a < 0xF0) {
    *bytes = 3;
    return (a & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
  }
  if (a < 0xE0) {
    *bytes = 2;
    return (a & 0x1F) << 6 | (at(1) & 0x3F);
  }
  *bytes = 4;
  return (a & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 |
         (at(3) & 0x3F);
}

}  // namespace kexue::text::detail
