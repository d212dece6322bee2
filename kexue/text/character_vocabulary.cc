#include "kexue/text/character_vocabulary.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kexue/text/unicode.h"

namespace kexue::text {
namespace {

// What BERT's tokenizer splits from its neighbours.
bool stands_alone(char32_t c) {
  const bool symbol = (c >= 33 && c <= 47) || (c >= 58 && c <= 64) ||
                      (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  return symbol || is_cjk(c) || is_punctuation(c);
}

}  // namespace

void CharacterVocabulary::add(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_at(text, at);
    at += c.bytes;
    if (!c.valid || is_space(c.value) || is_control(c.value)) continue;
    ++counts_[c.value];
  }
}

std::vector<std::string> CharacterVocabulary::tokens(int64_t min_count) const {
  std::vector<std::pair<int64_t, char32_t>> order;
  for (const auto& [c, count] : counts_) {
    if (count >= min_count) order.emplace_back(-count, c);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::string> out = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (const auto& [_, c] : order) {
    std::string token;
    append_utf8(c, token);
    out.push_back(token);
    if (!stands_alone(c)) out.push_back("##" + token);
  }
  return out;
}

std::string CharacterVocabulary::vocab_txt(int64_t min_count) const {
  std::string out;
  for (const auto& token : tokens(min_count)) out += token + '\n';
  return out;
}

WordPiece CharacterVocabulary::tokenizer(int64_t min_count) const {
  std::vector<Vocabulary::Entry> entries;
  for (auto& token : tokens(min_count)) {
    entries.emplace_back(static_cast<int32_t>(entries.size()),
                         std::move(token));
  }
  const char* where = "characters of the texts";
  return WordPiece(Vocabulary(std::move(entries), "##", where),
                   {.lowercase = false, .strip_accents = false},
                   {},
                   where);
}

std::string CharacterVocabulary::tokenizer_config() {
  return "{\n  \"do_lower_case\": false,\n  \"strip_accents\": false,\n"
         "  \"tokenize_chinese_chars\": true\n}\n";
}

}  // namespace kexue::text
