// UTF-8 and the Unicode properties that tokenizers need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kexue::text {

inline constexpr char32_t kReplacement = 0xFFFD;

// One decoded code point and the bytes it came from.
struct CodePoint {
  char32_t value = 0;
  uint32_t bytes = 0;  // 1..4
  bool valid = true;   // false: broken UTF-8, value is U+FFFD
};

// The code point at text[at], at < text.size(). Broken UTF-8 gives U+FFFD for
// each maximal subpart of a sequence (the rule of the Unicode standard, table
// 3-8), so decoding always advances and never skips a valid character.
CodePoint decode_at(std::string_view text, size_t at);

std::u32string decode(std::string_view text);
// Surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(char32_t c, std::string& out);
std::string encode(std::u32string_view text);

inline constexpr size_t kNoError = static_cast<size_t>(-1);
// Offset of the first broken byte, or kNoError.
size_t find_invalid_utf8(std::string_view text);
inline bool is_valid_utf8(std::string_view text) {
  return find_invalid_utf8(text) == kNoError;
}

// Canonical decomposition (NFD) of one code point, at most 4; Hangul too.
// Returns the count. Order marks over a whole text with canonical_class.
int decompose(char32_t c, char32_t out[4]);
uint8_t canonical_class(char32_t c);
// NFD of a text; O(n log n) for any input.
std::u32string nfd(std::u32string_view text);

// Full lower case without context or locale: U+0130 gives two code points.
int lower(char32_t c, char32_t out[2]);

bool is_mark_nonspacing(char32_t c);  // Mn
bool is_punctuation(char32_t c);      // P*
bool is_space(char32_t c);            // property White_Space
bool is_letter(char32_t c);           // L*
bool is_number(char32_t c);           // N*
// Cc, Cf, Co: what WordPiece drops. Unassigned code points stay.
bool is_control(char32_t c);
// The ideograph blocks that BERT splits into single characters.
bool is_cjk(char32_t c);

}  // namespace kexue::text
