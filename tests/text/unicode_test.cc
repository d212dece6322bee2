#include "kexue/text/unicode.h"

#include <gtest/gtest.h>

#include <chrono>

namespace kexue::text {
namespace {

std::u32string decoded(std::string_view s) {
  return decode(s);
}

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string s;
    append_utf8(c, s);
    const CodePoint d = decode_at(s, 0);
    ASSERT_EQ(d.value, c);
    ASSERT_EQ(d.bytes, s.size());
    ASSERT_TRUE(d.valid);
  }
}

// Table 3-8 of the Unicode standard and its neighbours.
TEST(Utf8, BrokenSequencesBecomeOneReplacementPerMaximalPart) {
  const std::u32string r(1, kReplacement);
  EXPECT_EQ(decoded("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            U"a" + r + r + r + U"b" + r + U"c" + r + r + U"d");
  EXPECT_EQ(decoded("\xC0\xAF"), r + r);                  // overlong
  EXPECT_EQ(decoded("\xE0\x80\x80"), r + r + r);          // overlong
  EXPECT_EQ(decoded("\xED\xA0\x80"), r + r + r);          // surrogate
  EXPECT_EQ(decoded("\xF4\x90\x80\x80"), r + r + r + r);  // above 10FFFF
  EXPECT_EQ(decoded("\xFF"), r);
  EXPECT_EQ(decoded("\xE4\xB8"), r);  // cut at the end
  EXPECT_EQ(decoded("\xE4\xB8x"), r + U"x");
}

TEST(Utf8, FirstInvalidByte) {
  EXPECT_EQ(find_invalid_utf8("abc"), kNoError);
  EXPECT_EQ(find_invalid_utf8("\xE4\xBD\xA0"), kNoError);
  EXPECT_EQ(find_invalid_utf8("ab\xE4\xBD"), 2u);
  EXPECT_FALSE(is_valid_utf8("\x80"));
}

TEST(Utf8, EncodingReplacesWhatIsNoCharacter) {
  std::string s;
  append_utf8(0xD800, s);
  append_utf8(0x110000, s);
  EXPECT_EQ(s, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Nfd, DecomposesAndOrders) {
  EXPECT_EQ(nfd(U"\u00E9"), U"e\u0301");
  EXPECT_EQ(nfd(U"\uAC00"), U"\u1100\u1161");
  EXPECT_EQ(nfd(U"\u1E69"), U"s\u0323\u0307");
  EXPECT_EQ(nfd(U"q\u0307\u0323"), U"q\u0323\u0307");
  EXPECT_EQ(nfd(U"\u4F60a"), U"\u4F60a");
}

TEST(Nfd, LongRunsOfMarksAreNotQuadratic) {
  std::u32string s = U"a";
  for (int i = 0; i < 200'000; ++i) s += i % 2 == 0 ? U'\u0301' : U'\u0323';
  const auto start = std::chrono::steady_clock::now();
  const auto d = nfd(s);
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  EXPECT_EQ(d.size(), s.size());
  EXPECT_EQ(d[1], U'\u0323');
  EXPECT_EQ(d.back(), U'\u0301');
  EXPECT_LT(took.count(), 2.0);
}

TEST(Lower, Cases) {
  char32_t out[2];
  EXPECT_EQ(lower(U'A', out), 1);
  EXPECT_EQ(out[0], U'a');
  EXPECT_EQ(lower(0x130, out), 2);
  EXPECT_EQ(out[1], 0x307u);
  EXPECT_EQ(lower(0x3A3, out), 1);
  EXPECT_EQ(out[0], 0x3C3u);
  EXPECT_EQ(lower(0x4F60, out), 1);
  EXPECT_EQ(out[0], 0x4F60u);
}

TEST(Properties, Cases) {
  EXPECT_TRUE(is_control(0x7F));
  EXPECT_TRUE(is_control(0xAD));    // soft hyphen
  EXPECT_TRUE(is_control(0x200B));  // zero width space
  EXPECT_TRUE(is_control(0xE000));  // private use
  EXPECT_FALSE(is_control(0x378));  // unassigned
  EXPECT_FALSE(is_control(U'a'));
  EXPECT_TRUE(is_space(0x3000));
  EXPECT_FALSE(is_space(0x200B));
  EXPECT_TRUE(is_punctuation(0x3002));
  EXPECT_FALSE(is_punctuation(U'$'));
  EXPECT_TRUE(is_mark_nonspacing(0x301));
  EXPECT_TRUE(is_letter(0x4F60));
  EXPECT_TRUE(is_number(0x0664));
  EXPECT_TRUE(is_cjk(0x4E00));
  EXPECT_TRUE(is_cjk(0x2B820));
  EXPECT_FALSE(is_cjk(0x3042));  // hiragana
}

}  // namespace
}  // namespace kexue::text
