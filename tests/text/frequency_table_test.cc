#include "kexue/text/frequency_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "kexue/io/atomic_file.h"
#include "kexue/text/detail/add_words.h"
#include "kexue/text/detail/word_table.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::text {
namespace {

using testing::TempFolder;
using Counts = std::map<std::string, uint64_t>;

Counts counts_of(const FrequencyTable& table) {
  Counts out;
  table.for_each([&](std::string_view token, uint64_t n) {
    EXPECT_TRUE(out.emplace(token, n).second) << "twice: " << token;
  });
  return out;
}

// Tokens of all lengths from 1 to 40, any bytes but those of white space.
std::string random_token(std::mt19937& random, int variety) {
  std::string token(1 + random() % 40, 'x');
  for (char& c : token) {
    do {
      c = static_cast<char>(random() % static_cast<unsigned>(variety));
    } while (detail::is_space_byte(static_cast<unsigned char>(c)));
  }
  return token;
}

std::string file_text(const std::string& path) {
  return io::read_file(path, 1 << 20);
}

TEST(FrequencyTable, TinyExampleOfTheNote) {
  FrequencyTable t;
  EXPECT_EQ(t.add_words("a b a\nc a"), 5u);
  EXPECT_EQ(t.sorted(),
            (std::vector<TokenCount>{{"a", 3}, {"b", 1}, {"c", 1}}));
  EXPECT_EQ(t.total(), 5u);
  EXPECT_EQ(t.distinct(), 3u);
  EXPECT_EQ(t.count("a"), 3u);
  EXPECT_EQ(t.count("d"), 0u);
  EXPECT_EQ(t.count(""), 0u);
  EXPECT_EQ(t.count("a longer one"), 0u);
  EXPECT_EQ(t.count("a longer one than that"), 0u);
}

TEST(FrequencyTable, TokensOfEveryLengthAsAMapCountsThem) {
  std::mt19937 random(1);
  for (const int variety : {3, 256}) {
    FrequencyTable table;
    Counts wanted;
    for (int i = 0; i < 20'000; ++i) {
      const std::string token = random_token(random, variety);
      table.add(token, 1 + i % 3);
      wanted[token] += static_cast<uint64_t>(1 + i % 3);
    }
    EXPECT_EQ(counts_of(table), wanted);
    for (const auto& [token, n] : wanted) EXPECT_EQ(table.count(token), n);
  }
}

TEST(FrequencyTable, ZeroBytesAreNoPadding) {
  using namespace std::string_literals;
  FrequencyTable t;
  for (const auto& token : {"a"s,
                            "a\0"s,
                            "a\0\0"s,
                            "\0"s,
                            "abcdefgh"s,
                            "abcdefgh\0"s,
                            "abcdefghijklmno\0"s}) {
    t.add(token);
  }
  EXPECT_EQ(t.distinct(), 7u);
  EXPECT_EQ(t.count("a\0"s), 1u);
  EXPECT_EQ(t.add_words("a\0 a\0\0 a"s), 3u);
  EXPECT_EQ(t.count("a\0"s), 2u);
  EXPECT_EQ(t.count("a"s), 2u);
}

TEST(FrequencyTable, EveryFormOfTheLoopsSplitsAsPythonDoes) {
  // Every position of a word to the 64-byte blocks and to the end.
  std::mt19937 random(2);
  std::string text;
  Counts wanted;
  uint64_t words = 0;
  while (text.size() < 50'000) {
    const std::string token = random_token(random, 128);
    ++wanted[token];
    ++words;
    text += token;
    constexpr std::string_view kSpaces = " \t\n\v\f\r";
    for (auto n = 1 + random() % 3; n > 0; --n) {
      text += kSpaces[random() % kSpaces.size()];
    }
  }
  text += std::string(20'000, 'L');  // longer than a piece
  ++wanted[std::string(20'000, 'L')];
  const size_t n = text.size();
  text.append(detail::kPadding, 'x');
  for (const auto& loops : detail::all_word_loops()) {
    FrequencyTable t;
    EXPECT_EQ(loops.add_words(text.data(), n, t.words(), detail::hash_key()),
              words + 1)
        << loops.name;
    EXPECT_EQ(counts_of(t), wanted) << loops.name;
    const auto sums = loops.hash_words(text.data(), n, detail::hash_key());
    EXPECT_EQ(sums.tokens, words + 1) << loops.name;
  }
}

TEST(FrequencyTable, EveryCutOfATextGivesTheSameTable) {
  const std::string text =
      "  ab \xE4\xBD\xA0\xE5\xA5\xBD c\tab\n\n\xE4\xBD\xA0 longer-than-"
      "fifteen-bytes c \xE5\xA5\xBD" +
      std::string(120, 'z') + " end ";
  FrequencyTable whole;
  whole.add_words(text);
  for (size_t n = 0; n <= text.size(); ++n) {
    // Padding that is not white space must not leak into the last word.
    std::string padded = text.substr(0, n);
    Counts wanted;
    size_t at = 0;
    while (at < n) {
      const size_t begin = padded.find_first_not_of(" \t\n", at);
      if (begin == std::string::npos) break;
      at = std::min(padded.find_first_of(" \t\n", begin), n);
      ++wanted[padded.substr(begin, at - begin)];
    }
    padded.append(detail::kPadding, 'q');
    for (const auto& loops : detail::all_word_loops()) {
      FrequencyTable t;
      loops.add_words(padded.data(), n, t.words(), detail::hash_key());
      EXPECT_EQ(counts_of(t), wanted) << n << " " << loops.name;
    }
  }
}

TEST(FrequencyTable, ColludingHashesCostTimeAndNotTruth) {
  std::mt19937 random(3);
  std::string text;
  Counts wanted;
  for (int i = 0; i < 300; ++i) {
    const std::string token = random_token(random, 100);
    ++wanted[token];
    text += token + " ";
  }
  for (const uint64_t keep : {uint64_t{1}, uint64_t{1} << 63, uint64_t{0}}) {
    detail::keep_hash_bits_for_tests(keep);
    FrequencyTable t;
    t.add_words(text);
    FrequencyTable sum;
    sum.merge(t);
    EXPECT_EQ(counts_of(t), wanted);
    EXPECT_EQ(counts_of(sum), wanted);
    detail::keep_hash_bits_for_tests(~uint64_t{0});
  }
}

TEST(FrequencyTable, MergeIsAssociativeCommutativeAndHasAUnit) {
  const char* texts[] = {"a b c a", "b c d 0123456789abcdefghi", "a 12345678 "};
  const auto table = [&](std::initializer_list<int> parts) {
    FrequencyTable t;
    for (const int i : parts) {
      FrequencyTable part;
      part.add_words(texts[i]);
      t.merge(part);
    }
    return counts_of(t);
  };
  EXPECT_EQ(table({0, 1, 2}), table({2, 1, 0}));
  EXPECT_EQ(table({0, 1, 2}), table({1, 0, 2}));
  FrequencyTable t;
  t.add_words(texts[0]);
  t.merge(FrequencyTable());
  EXPECT_EQ(counts_of(t), table({0}));
  EXPECT_ERROR(t.merge(t), Code::kInvalidArgument, "with itself");
}

TEST(FrequencyTable, CountsBeyond32Bits) {
  FrequencyTable a;
  FrequencyTable b;
  a.add("x", 3'000'000'000);
  b.add("x", 3'000'000'000);
  a.merge(b);
  EXPECT_EQ(a.count("x"), 6'000'000'000u);
  EXPECT_ERROR(a.add("x", ~uint64_t{0}),
               Code::kUnsupported,
               "count of \"x\"",
               "64 bits");
}

TEST(FrequencyTable, OrderTopAndMinCount) {
  FrequencyTable t;
  t.add_words("b b a a \xC3\xA9 \xC3\xA9 ab c aa aaaaaaaaab aaaaaaaaaa");
  const std::vector<TokenCount> wanted = {{"a", 2},
                                          {"b", 2},
                                          {"\xC3\xA9", 2},
                                          {"aa", 1},
                                          {"aaaaaaaaaa", 1},
                                          {"aaaaaaaaab", 1},
                                          {"ab", 1},
                                          {"c", 1}};
  EXPECT_EQ(t.sorted(), wanted);
  for (size_t k = 0; k <= wanted.size(); ++k) {
    EXPECT_EQ(
        t.top(k),
        (std::vector<TokenCount>(
            wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(k))));
  }
  EXPECT_EQ(t.top(99), wanted);
  EXPECT_EQ(t.sorted({.min_count = 2}).size(), 3u);
  t.keep_min_count(2);
  EXPECT_EQ(t.distinct(), 3u);
  EXPECT_EQ(t.total(), 6u);
}

TEST(FrequencyTable, TsvThereAndBack) {
  const TempFolder dir;
  FrequencyTable t;
  t.add_words("b a a long-token-that-needs-an-arena");
  t.save_tsv(dir / "t.tsv");
  EXPECT_EQ(file_text(dir / "t.tsv"),
            "a\t2\nb\t1\nlong-token-that-needs-an-arena\t1\n");
  EXPECT_EQ(FrequencyTable::load_tsv(dir / "t.tsv").sorted(), t.sorted());
  t.save_tsv(dir / "top.tsv", {.top = 1});
  EXPECT_EQ(file_text(dir / "top.tsv"), "a\t2\n");
  FrequencyTable().save_tsv(dir / "none.tsv");
  EXPECT_EQ(file_text(dir / "none.tsv"), "");
  EXPECT_EQ(FrequencyTable::load_tsv(dir / "none.tsv").distinct(), 0u);
}

TEST(FrequencyTable, BadTsvNamesTheLine) {
  const TempFolder dir;
  const std::pair<const char*, const char*> cases[] = {
      {"a 1\n", "no tab"},
      {"\t1\n", "an empty token"},
      {"a\t0\n", "no count"},
      {"a\t-1\n", "no count"},
      {"a\t1x\n", "no count"},
      {"a\t18446744073709551616\n", "no count"},
      {"a\t\n", "no count"},
      {"ok\t2\n", "came before"},
      {"a\tb\t1\n", "no count"},
      {"\n", "no tab"}};
  for (const auto& [line, what] : cases) {
    io::write_file(dir / "t.tsv", std::string("ok\t1\n") + line);
    EXPECT_ERROR(FrequencyTable::load_tsv(dir / "t.tsv"),
                 Code::kCorruptData,
                 "t.tsv:2: ",
                 what);
  }
  FrequencyTable t;
  t.add("a\tb");
  EXPECT_ERROR(t.save_tsv(dir / "u.tsv"),
               Code::kUnsupported,
               "\"a\\x09b\"",
               "a tab or a line end");
  EXPECT_ERROR(t.add(""), Code::kInvalidArgument, "empty token");
}

TEST(FrequencyTable, VocabularyStartsWithTheSpecials) {
  FrequencyTable t;
  t.add_words("a a a [PAD] [PAD] b b c");
  const std::vector<std::string> specials = {"[PAD]", "[UNK]"};
  EXPECT_EQ(t.vocabulary(specials),
            (std::vector<std::string>{"[PAD]", "[UNK]", "a", "b", "c"}));
  EXPECT_EQ(t.vocabulary(specials, 3),
            (std::vector<std::string>{"[PAD]", "[UNK]", "a"}));
  EXPECT_EQ(t.vocabulary(specials, 9, 2),
            (std::vector<std::string>{"[PAD]", "[UNK]", "a", "b"}));
  EXPECT_ERROR(t.vocabulary(specials, 1),
               Code::kInvalidArgument,
               "2 special tokens, 2 different, for a vocabulary of 1");
}

TEST(FrequencyTable, EveryCutIsTheBeginningOfTheWholeOrder) {
  FrequencyTable table;
  uint64_t x = 1;
  for (int i = 0; i < 20'000; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    table.add(std::to_string(i) + "w", 1 + (x >> 58));  // many equal counts
  }
  const auto all = table.sorted();
  for (const size_t k : {size_t{0},
                         size_t{1},
                         size_t{10},
                         size_t{1023},
                         size_t{5000},
                         size_t{19'999},
                         size_t{20'000},
                         size_t{20'001}}) {
    const auto some = table.top(k);
    ASSERT_EQ(some.size(), std::min(k, all.size()));
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << k;
  }
  const auto frequent = table.sorted({.top = 100, .min_count = 64});
  for (const auto& row : frequent) EXPECT_EQ(row.count, 64u);
}

}  // namespace
}  // namespace kexue::text
