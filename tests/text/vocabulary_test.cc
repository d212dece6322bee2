#include "kexue/text/vocabulary.h"

#include <gtest/gtest.h>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::text {
namespace {

using testing::TempFolder;

TEST(Vocabulary, FindsTokensAndTheLongestOne) {
  const Vocabulary v(
      {{0, "a"}, {1, "ab"}, {2, "abcd"}, {3, "##b"}, {4, "##bc"}}, "##", "t");
  EXPECT_EQ(v.size(), 5);
  EXPECT_EQ(v.find("ab"), 1);
  EXPECT_EQ(v.find("abc"), -1);
  EXPECT_EQ(v.find("##b"), 3);
  EXPECT_EQ(v.find(""), -1);
  EXPECT_EQ(v.longest("abcx", false).id, 1);
  EXPECT_EQ(v.longest("abcde", false).bytes, 4u);
  EXPECT_EQ(v.longest("bcx", true).id, 4);
  EXPECT_EQ(v.longest("bcx", false).id, -1);
  EXPECT_EQ(v.token(2), "abcd");
}

TEST(Vocabulary, IdsMayHaveGaps) {
  const Vocabulary v({{7, "b"}, {2, "a"}}, "##", "t");
  EXPECT_EQ(v.size(), 8);
  EXPECT_EQ(v.token(2), "a");
  EXPECT_EQ(v.token(7), "b");
  EXPECT_FALSE(v.has_id(3));
  EXPECT_ERROR(v.token(3), Code::kInvalidArgument, "token id 3", "of 8");
  EXPECT_ERROR(v.token(8), Code::kInvalidArgument, "token id 8");
  EXPECT_ERROR(v.token(-1), Code::kInvalidArgument, "token id -1");
}

TEST(Vocabulary, ManyTokensSurviveGrowth) {
  std::vector<Vocabulary::Entry> entries;
  for (int32_t i = 0; i < 20'000; ++i) {
    entries.emplace_back(i, "t" + std::to_string(i * 7919));
  }
  const auto copy = entries;
  const Vocabulary v(std::move(entries), "##", "t");
  for (const auto& [id, token] : copy) ASSERT_EQ(v.find(token), id);
}

TEST(Vocabulary, BadEntriesAreCorrupt) {
  const Code corrupt = Code::kCorruptData;
  EXPECT_ERROR(Vocabulary({{1, "a"}, {1, "b"}}, "##", "t"),
               corrupt,
               "t: token \"b\" (id 1): the id is taken");
  EXPECT_ERROR(
      Vocabulary({{1, "a"}, {2, "a"}}, "##", "t"), corrupt, "duplicate");
  EXPECT_ERROR(Vocabulary({{1, ""}}, "##", "t"), corrupt, "empty");
  EXPECT_ERROR(Vocabulary({{1, "\xff"}}, "##", "t"), corrupt, "not UTF-8");
  EXPECT_ERROR(Vocabulary({{-1, "a"}}, "##", "t"), corrupt, "outside 0..");
  EXPECT_ERROR(Vocabulary({{1 << 24, "a"}}, "##", "t"), corrupt, "outside");
}

TEST(Vocabulary, FileErrorsNameTheLines) {
  const TempFolder dir;
  const auto path = dir / "vocab.txt";
  io::write_file(path, "[PAD]\r\na\r\n##b");
  EXPECT_EQ(Vocabulary::from_file(path).find("##b"), 2);
  io::write_file(path, "x\na\nb\na\n");
  EXPECT_ERROR(Vocabulary::from_file(path),
               Code::kCorruptData,
               "vocab.txt:4: token \"a\" is already on line 2");
  io::write_file(path, "a\n\nb\n");
  EXPECT_ERROR(
      Vocabulary::from_file(path), Code::kCorruptData, "vocab.txt:2: empty");
  io::write_file(path, "a\nb\n\xC3\n");
  EXPECT_ERROR(Vocabulary::from_file(path),
               Code::kCorruptData,
               "vocab.txt:3: not UTF-8");
  EXPECT_ERROR(Vocabulary::from_file(dir / "x"), Code::kNotFound, "x");
}

}  // namespace
}  // namespace kexue::text
