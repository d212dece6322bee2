// A vocabulary of single characters, from the texts themselves.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/text/wordpiece.h"

namespace kexue::text {

// Counts characters as WordPiece without lower case will split them:
// ideographs and punctuation are words of their own, other characters come as
// "c" and "##c".
class CharacterVocabulary final {
 public:
  void add(std::string_view text);

  // vocab.txt: [PAD], [UNK], [CLS], [SEP], [MASK], then the characters that
  // were seen at least `min_count` times, the most frequent first, equal ones
  // by code point.
  std::string vocab_txt(int64_t min_count) const;
  // The tokenizer of that vocabulary, and the tokenizer_config.json that goes
  // with it.
  WordPiece tokenizer(int64_t min_count) const;
  static std::string tokenizer_config();

 private:
  std::vector<std::string> tokens(int64_t min_count) const;

  std::map<char32_t, int64_t> counts_;
};

}  // namespace kexue::text
