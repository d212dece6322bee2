#include "kexue/text/character_vocabulary.h"

#include <gtest/gtest.h>

namespace kexue::text {
namespace {

TEST(CharacterVocabulary, FrequentCharactersComeFirst) {
  CharacterVocabulary v;
  v.add("\u6708\u6708\u5C71 \u6708\uFF0C\u5C71\n");
  v.add("a\u3002");
  const std::string head = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  // Those seen once by code point: a, the full stop, the comma.
  EXPECT_EQ(v.vocab_txt(1), head + "\u6708\n\u5C71\na\n##a\n\u3002\n\uFF0C\n");
  EXPECT_EQ(v.vocab_txt(2), head + "\u6708\n\u5C71\n");
}

TEST(CharacterVocabulary, TokenizerSplitsIntoCharacters) {
  CharacterVocabulary v;
  v.add("\u6708Ab\u3002");
  const WordPiece w = v.tokenizer(1);
  std::vector<std::string> tokens;
  for (const auto& t : w.tokenize("\u6708Ab bA\u3002\u5C71")) {
    tokens.push_back(w.token(t.id));
  }
  EXPECT_EQ(tokens,
            (std::vector<std::string>{
                "\u6708", "A", "##b", "b", "##A", "\u3002", "[UNK]"}));
}

}  // namespace
}  // namespace kexue::text
