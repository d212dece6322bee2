#include <gtest/gtest.h>

#include "kexue/text/word_splitter.h"

namespace kexue::text {
namespace {

using Words = std::vector<std::string_view>;

Words words(std::string_view text) {
  Words out;
  UnicodeWords().split(text, out);
  return out;
}

// The sentence of UAX 29's figure 1, its words that are no punctuation.
TEST(UnicodeWords, TheStandardsExample) {
  EXPECT_EQ(words("The quick (\"brown\") fox can't jump 32.3 feet, right?"),
            (Words{"The",
                   "quick",
                   "brown",
                   "fox",
                   "can't",
                   "jump",
                   "32.3",
                   "feet",
                   "right"}));
}

TEST(UnicodeWords, RulesOfLettersAndDigits) {
  EXPECT_EQ(words("3,141.59 1,,2 a.b. x:y"),
            (Words{"3,141.59", "1", "2", "a.b", "x:y"}));
  EXPECT_EQ(words("'quoted' it''s a1 1a 3a,4"),
            (Words{"quoted", "it", "s", "a1", "1a", "3a", "4"}));
  EXPECT_EQ(words("snake_case _x_ __ 1_000 a-b"),
            (Words{"snake_case", "_x_", "1_000", "a", "b"}));
  EXPECT_EQ(words("\u2019tis l\u2019eau"), (Words{"tis", "l\u2019eau"}));
}

TEST(UnicodeWords, MarksBelongToTheirLetter) {
  EXPECT_EQ(words("e\u0301te\u0301 a\u00ADb"),
            (Words{"e\u0301te\u0301", "a\u00ADb"}));
  EXPECT_EQ(words("\u0939\u093F\u0928\u094D\u0926\u0940"),  // Hindi
            (Words{"\u0939\u093F\u0928\u094D\u0926\u0940"}));
  EXPECT_EQ(words("\u0301 a"), (Words{"a"}));
}

TEST(UnicodeWords, ChineseJapaneseKorean) {
  EXPECT_EQ(words("\u6211\u7231BERT\u6A21\u578B"),
            (Words{"\u6211", "\u7231", "BERT", "\u6A21", "\u578B"}));
  EXPECT_EQ(words("\u30AB\u30BF\u30AB\u30CA\u3068\u306E"),
            (Words{"\u30AB\u30BF\u30AB\u30CA", "\u3068", "\u306E"}));
  EXPECT_EQ(words("\uD55C\uAD6D\uC5B4 \uB9D0"),
            (Words{"\uD55C\uAD6D\uC5B4", "\uB9D0"}));
  EXPECT_EQ(words("\U00020000\U00020001"), (Words{"\U00020000", "\U00020001"}));
}

TEST(UnicodeWords, NoLetterNoWord) {
  EXPECT_EQ(words("... --- \U0001F642 \u3002\uFFFD"), Words{});
  EXPECT_EQ(words(""), Words{});
}

TEST(SpaceWords, AsBytesSplitOfPython) {
  using namespace std::string_view_literals;
  Words out;
  SpaceWords().split(" a\tb\nc\vd\fe\rf\x1cg\0h \xff\xC2\xA0i "sv, out);
  EXPECT_EQ(out,
            (Words{"a", "b", "c", "d", "e", "f\x1cg\0h"sv, "\xff\xC2\xA0i"}));
}

}  // namespace
}  // namespace kexue::text
