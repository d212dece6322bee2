// Private to text: the characters that WordPiece sees, with their origin.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "kexue/text/wordpiece.h"

namespace kexue::text::detail {

struct NormalChar {
  char32_t value;
  size_t begin;  // bytes of the original text
  size_t end;
};

// Appends the normalised text[begin, end) to `out`. Ideographs are surrounded
// by spaces.
void normalize(std::string_view text,
               size_t begin,
               size_t end,
               const WordPieceOptions& options,
               std::vector<NormalChar>& out);

// Source: BERT counts all ASCII symbols as punctuation, "$" and "^" too.
bool is_bert_punctuation(char32_t c);

}  // namespace kexue::text::detail
