#include "kexue/text/jieba.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"
#include "kexue/text/unicode.h"
#include "tests/support/data_files.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::text {
namespace {

using testing::TempFolder;
using Words = std::vector<std::string>;

constexpr const char* kHmm =
    R"({"start": {"B": -0.7, "E": -3.14e100, "M": -3.14e100, "S": -0.7},
 "trans": {"B": {"E": -0.5, "M": -0.9}, "E": {"B": -0.6, "S": -0.8},
           "M": {"E": -0.3, "M": -1.2}, "S": {"B": -0.7, "S": -0.6}},
 "emit": {"B": {"\u4e2d": -1}, "E": {"\u56fd": -1}, "M": {}, "S": {}}})";

Words cut(const Jieba& jieba, std::string_view text) {
  std::vector<std::string_view> words;
  jieba.cut(text, words);
  return {words.begin(), words.end()};
}

Jieba tiny(const TempFolder& dir, const std::string& dictionary) {
  io::write_file(dir / "dict.txt", dictionary);
  io::write_file(dir / "hmm.json", std::string(kHmm));
  return Jieba::from_directory(dir.path());
}

TEST(Jieba, GoldenWordsOfThePackage) {
  const auto folder = testing::data_path("jieba");
  KEXUE_SKIP_WITHOUT(folder);
  const auto jieba = Jieba::from_directory(folder);
  const auto golden = io::parse_json_file(testing::golden_path("jieba.json"));
  ASSERT_GT(golden["items"].size(), 150u);
  for (const auto& item : golden["items"]) {
    const auto text = item["text"].get<std::string>();
    EXPECT_EQ(cut(jieba, text), item["words"].get<Words>()) << text;
  }
}

TEST(Jieba, TheMostProbablePathWinsAndTiesGoToTheLongerWord) {
  const TempFolder dir;
  // 1/4 * 1/4 against 1/2, and a tie of ab c with a bc.
  const auto jieba = tiny(dir, "a 1\nb 1\nab 2\n\u4e2d 1\n");
  EXPECT_EQ(cut(jieba, "ab"), (Words{"ab"}));
  const auto tie = tiny(dir, "x 4\ny 4\nz 4\nxy 4\nyz 4\n");
  EXPECT_EQ(cut(tie, "xyz"), (Words{"xy", "z"}));
}

TEST(Jieba, UnknownCharactersGoToTheModelOfWordParts) {
  const TempFolder dir;
  const auto jieba = tiny(dir, "\u6211 5\n");
  EXPECT_EQ(cut(jieba, "\u4e2d\u56fd"), (Words{"\u4e2d\u56fd"}));
  EXPECT_EQ(cut(jieba, "\u4e2d"), (Words{"\u4e2d"}));
  EXPECT_EQ(cut(jieba, "ab 3.14% -"), (Words{"ab", " ", "3.14%", " ", "-"}));
}

TEST(Jieba, SplitLeavesOutWhiteSpaceAlone) {
  const TempFolder dir;
  const auto jieba = tiny(dir, "\u6211 5\n");
  std::vector<std::string_view> words;
  jieba.split("\u6211 \u3000,\r\n\xC2\xA0!\n", words);
  EXPECT_EQ(words, (std::vector<std::string_view>{"\u6211", ",", "!"}));
}

TEST(Jieba, BadFilesAreNamedWithTheirLine) {
  const TempFolder dir;
  const std::pair<const char*, const char*> lines[] = {
      {"word\n", "no word and frequency"},
      {"\n", "no word and frequency"},
      {"word -1 n\n", "no frequency"},
      {"word 1.5 n\n", "no frequency"},
      {"word 9999999999999 n\n", "no frequency"},
      {"w\xffrd 1 n\n", "not UTF-8"}};
  for (const auto& [line, what] : lines) {
    EXPECT_ERROR(tiny(dir, std::string("a 1 n\n") + line),
                 Code::kCorruptData,
                 "dict.txt:2: ",
                 what);
  }
  EXPECT_ERROR(tiny(dir, ""), Code::kCorruptData, "no word with a frequency");
  EXPECT_ERROR(
      Jieba::from_directory(dir / "no"), Code::kNotFound, "/no/dict.txt");
  tiny(dir, "a 1\n");
  const std::pair<const char*, const char*> models[] = {
      {"{", "hmm.json"},
      {"[]", "no entry \"start\""},
      {R"({"start": {"B": 1}})", "start.B is no logarithm"},
      {R"({"start": {"B": -1}})", "no entry \"trans\""},
      {R"({"start": {"B": -1}, "trans": {"B": {"E": "x"}}})", "trans.BE"}};
  for (const auto& [json, what] : models) {
    io::write_file(dir / "hmm.json", std::string(json));
    EXPECT_ERROR(Jieba::from_directory(dir.path()),
                 Code::kCorruptData,
                 "hmm.json",
                 what);
  }
}

}  // namespace
}  // namespace kexue::text
