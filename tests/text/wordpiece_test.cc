#include "kexue/text/wordpiece.h"

#include <gtest/gtest.h>

#include <ctime>

#include "tests/support/error_matchers.h"

namespace kexue::text {
namespace {

// Ids: the five special tokens are 0..4, the given ones follow.
WordPiece make(const std::vector<std::string>& tokens,
               WordPieceOptions options = {}) {
  std::vector<Vocabulary::Entry> entries = {
      {0, "[PAD]"}, {1, "[UNK]"}, {2, "[CLS]"}, {3, "[SEP]"}, {4, "[MASK]"}};
  for (const auto& t : tokens) {
    entries.emplace_back(static_cast<int32_t>(entries.size()), t);
  }
  return WordPiece(Vocabulary(std::move(entries), "##", "test"),
                   std::move(options),
                   {},
                   "test");
}

std::string pieces(const WordPiece& w, std::string_view text) {
  std::string out;
  for (const Token& t : w.tokenize(text)) {
    if (!out.empty()) out += ' ';
    out += w.token(t.id);
  }
  return out;
}

TEST(WordPiece, GreedyLongestMatch) {
  const auto w = make({"un", "##aff", "##able", "##a"});
  EXPECT_EQ(pieces(w, "unaffable"), "un ##aff ##able");
  EXPECT_EQ(pieces(w, "unaffablex"), "[UNK]");
  EXPECT_EQ(pieces(w, "un, un"), "un [UNK] un");
  EXPECT_EQ(pieces(w, " \t\n"), "");
  EXPECT_EQ(pieces(w, ""), "");
}

TEST(WordPiece, OffsetsCoverTheSourceBytes) {
  const auto w = make({"un", "##aff", "##able", "\u4F60", "e"});
  // "Unaffable", then e with an accent, then an ideograph.
  const std::string text = "UNaffable \u00E9\u4F60";
  EXPECT_EQ(w.tokenize(text),
            (std::vector<Token>{
                {5, 0, 2}, {6, 2, 5}, {7, 5, 9}, {9, 10, 12}, {8, 12, 15}}));
}

TEST(WordPiece, LowercaseStripsAccentsUnlessToldOtherwise) {
  EXPECT_EQ(pieces(make({"e"}), "\u00C9"), "e");
  EXPECT_EQ(pieces(make({"\u00E9"}, {.strip_accents = false}), "\u00C9"),
            "\u00E9");
  EXPECT_EQ(pieces(make({"E"}, {.lowercase = false, .strip_accents = true}),
                   "\u00C9"),
            "E");
  EXPECT_EQ(pieces(make({"\u00C9"}, {.lowercase = false}), "\u00C9"), "\u00C9");
}

TEST(WordPiece, IdeographsAreWords) {
  EXPECT_EQ(pieces(make({"\u4F60", "\u597D"}), "\u4F60\u597D"),
            "\u4F60 \u597D");
  EXPECT_EQ(
      pieces(make({"\u4F60", "##\u597D"}, {.handle_chinese_chars = false}),
             "\u4F60\u597D"),
      "\u4F60 ##\u597D");
}

TEST(WordPiece, ControlsVanishAndSpacesSplit) {
  const auto w = make({"ab", "a", "b"});
  EXPECT_EQ(pieces(w, std::string("a\0b", 3)), "ab");
  EXPECT_EQ(pieces(w, "a\u200Bb"), "ab");
  EXPECT_EQ(pieces(w,
                   "a\uFFFD\x01"
                   "b"),
            "ab");
  EXPECT_EQ(pieces(w, "a\u3000b"), "a b");
  EXPECT_EQ(pieces(w, "a\u2028b\rb"), "a b b");
}

TEST(WordPiece, BrokenUtf8IsDroppedLikeTheReplacementCharacter) {
  const auto w = make({"ab", "\uFFFD"});
  EXPECT_EQ(w.tokenize("a\xFF\xC3"
                       "b"),
            (std::vector<Token>{{5, 0, 4}}));
  EXPECT_EQ(pieces(make({"\uFFFD"}, {.clean_text = false}), "\xFF"), "\uFFFD");
}

TEST(WordPiece, SpecialTokensStayWhole) {
  const auto w = make({"a", "[", "]", "mask"});
  EXPECT_EQ(pieces(w, "a[MASK]a [mask]"), "a [MASK] a [ mask ]");
  EXPECT_EQ(w.tokenize("a[SEP]")[1], (Token{3, 1, 6}));
}

TEST(WordPiece, LongestAddedTokenWins) {
  std::vector<Vocabulary::Entry> entries = {{0, "[PAD]"},
                                            {1, "[UNK]"},
                                            {2, "[CLS]"},
                                            {3, "[SEP]"},
                                            {4, "<a>"},
                                            {5, "<a>b"},
                                            {6, "c"}};
  const WordPiece w(Vocabulary(std::move(entries), "##", "t"),
                    {},
                    {{4, "<a>"}, {5, "<a>b"}},
                    "t");
  EXPECT_EQ(pieces(w, "<a>c<a>b"), "<a> c <a>b");
  EXPECT_FALSE(w.mask_id().has_value());
}

// The bytes after a token's last one were compared once.
TEST(WordPiece, AddedTokensMayBeListedTwice) {
  const std::string name = "<longer than a string keeps in place>";
  std::vector<Vocabulary::Entry> entries = {{0, "[PAD]"},
                                            {1, "[UNK]"},
                                            {2, "[CLS]"},
                                            {3, "[SEP]"},
                                            {4, name},
                                            {5, "a"}};
  const WordPiece w(Vocabulary(std::move(entries), "##", "t"),
                    {},
                    {{4, name}, {4, name}, {3, "[SEP]"}},
                    "t");
  EXPECT_EQ(pieces(w, name + std::string(3, '\0') + "a[SEP]"),
            name + " a [SEP]");
}

TEST(WordPiece, WordsBeyondTheLimitAreUnknown) {
  const auto w = make({"a", "##a"});
  EXPECT_EQ(w.tokenize(std::string(100, 'a')).size(), 100u);
  EXPECT_EQ(pieces(w, std::string(101, 'a')), "[UNK]");
  const auto wide = make({"a", "##a"}, {.max_chars_per_word = 200});
  EXPECT_EQ(wide.tokenize(std::string(200, 'a')).size(), 200u);
  EXPECT_ERROR(make({}, {.max_chars_per_word = 0}),
               Code::kUnsupported,
               "0 characters per word");
  EXPECT_ERROR(make({}, {.max_chars_per_word = 1001}),
               Code::kUnsupported,
               "wanted 1..1000");
}

TEST(WordPiece, EncodeTruncatesAndCounts) {
  const auto w = make({"a", "b"});
  EXPECT_EQ(w.encode("a b").ids, (std::vector<int32_t>{2, 5, 6, 3}));
  const auto e = w.encode("a b a b a", 4);
  EXPECT_EQ(e.ids, (std::vector<int32_t>{2, 5, 6, 3}));
  EXPECT_EQ(e.types, (std::vector<int32_t>{0, 0, 0, 0}));
  EXPECT_EQ(e.dropped, 3);
  EXPECT_EQ(w.encode("a", 2).ids, (std::vector<int32_t>{2, 3}));
  EXPECT_ERROR(w.encode("a", 1), Code::kInvalidArgument, "max_len 1");
}

TEST(WordPiece, PairsAreCutFromTheLongerSide) {
  const auto w = make({"a", "b"});
  const auto e = w.encode_pair("a a", "b");
  EXPECT_EQ(e.ids, (std::vector<int32_t>{2, 5, 5, 3, 6, 3}));
  EXPECT_EQ(e.types, (std::vector<int32_t>{0, 0, 0, 0, 1, 1}));

  struct Case {
    size_t a, b;
    int64_t max_len;
    size_t want_a, want_b;
  };
  // Ties are popped from b.
  for (const Case& c : {Case{20, 20, 16, 7, 6},
                        Case{2, 30, 16, 2, 11},
                        Case{30, 2, 16, 11, 2},
                        Case{5, 5, 13, 5, 5},
                        Case{5, 5, 3, 0, 0}}) {
    std::string a;
    std::string b;
    for (size_t i = 0; i < c.a; ++i) a += "a ";
    for (size_t i = 0; i < c.b; ++i) b += "b ";
    const auto got = w.encode_pair(a, b, c.max_len);
    const auto count = [&](int32_t id) {
      return static_cast<size_t>(
          std::count(got.ids.begin(), got.ids.end(), id));
    };
    EXPECT_EQ(count(5), c.want_a);
    EXPECT_EQ(count(6), c.want_b);
    EXPECT_EQ(got.types.size(), got.ids.size());
    EXPECT_EQ(static_cast<size_t>(got.dropped),
              c.a + c.b - c.want_a - c.want_b);
  }
  EXPECT_ERROR(w.encode_pair("a", "b", 2), Code::kInvalidArgument, "least 3");
}

TEST(WordPiece, DecodeGluesPiecesAndIdeographs) {
  const auto w = make({"un", "##able", "\u4F60", "\u597D", ",", "(", ")"});
  EXPECT_EQ(w.decode(w.encode("\u4F60\u597D unable, un (un)").ids),
            "\u4F60\u597Dunable, un (un)");
  EXPECT_EQ(w.decode(std::vector<int32_t>{2, 5, 3}, false), "[CLS] un [SEP]");
  EXPECT_ERROR(w.decode(std::vector<int32_t>{99}),
               Code::kInvalidArgument,
               "token id 99");
}

TEST(WordPiece, MissingSpecialTokensAreNamed) {
  for (const std::string missing : {"[UNK]", "[CLS]", "[SEP]", "[PAD]"}) {
    std::vector<Vocabulary::Entry> entries;
    for (const std::string name : {"[UNK]", "[CLS]", "[SEP]", "[PAD]"}) {
      if (name == missing) continue;
      entries.emplace_back(static_cast<int32_t>(entries.size()), name);
    }
    EXPECT_ERROR(WordPiece(Vocabulary(entries, "##", "v"), {}, {}, "v.txt"),
                 Code::kCorruptData,
                 "v.txt: no token " + missing);
  }
}

// The processor's time, so that a busy machine does not count. A quadratic pass
// would take 2^40 comparisons: minutes, also where a sanitizer slows a linear
// one.
TEST(WordPiece, OneMebibyteOfAnyOneCharacterIsFast) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr double kSeconds = 60;
#else
  constexpr double kSeconds = 2;
#endif
  const auto w = make({"a", "##a", "\u4F60"});
  for (const std::string unit :
       {"a", "\u4F60", "[", "\u0301", "\uAC00", " ", ".", "\xFF", "a "}) {
    std::string text;
    while (text.size() < (1u << 20)) text += unit;
    const std::clock_t start = std::clock();
    w.tokenize(text);
    const auto ticks = static_cast<double>(std::clock() - start);
    EXPECT_LT(ticks / CLOCKS_PER_SEC, kSeconds) << unit;
  }
}

}  // namespace
}  // namespace kexue::text
