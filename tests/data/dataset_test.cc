// CSV, JSONL, compressed files, folders, scores; tsv_test.cc has the rules that
// all formats share.
#include "kexue/data/dataset.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::data {
namespace {

using testing::TempFolder;
using Texts = std::vector<std::string>;

Dataset read(const std::string& name,
             const std::string& content,
             const ReadOptions& options = {}) {
  const TempFolder dir;
  io::write_file(dir / name, content);
  return read_dataset(dir / name, options);
}

// The examples of RFC 4180, section 2.
TEST(Csv, QuotedFieldsHoldCommasQuotesAndLineEnds) {
  const auto d = read("d.csv",
                      "aaa,bbb,ccc\r\n"
                      "\"aaa\",\"b \r\nbb\",\"ccc\"\r\n"
                      "zzz,\"b\"\"bb\",xxx\r\n"
                      "\"\",\"1,2\",\"\"");
  EXPECT_EQ(d.classes, (Texts{"", "aaa", "zzz"}));
  EXPECT_EQ(d.texts, (Texts{"bbb", "b \r\nbb", "b\"bb", "1,2"}));
  EXPECT_EQ(d.lines, (std::vector<int64_t>{1, 2, 4, 5}));
}

TEST(Csv, HeaderNamesTheColumns) {
  const ReadOptions options{.columns = {.header = true,
                                        .label_field = "stars",
                                        .text_field = "review",
                                        .second_text_field = "title"}};
  const auto d = read("d.csv", "title,stars,review\nT,5,R\n", options);
  EXPECT_EQ(d.texts, Texts{"R"});
  EXPECT_EQ(d.second_texts, Texts{"T"});
  EXPECT_EQ(d.classes, Texts{"5"});
  EXPECT_ERROR(read("d.csv", "title,stars\nT,5\n", options),
               Code::kCorruptData,
               "d.csv:1: the header has no column \"review\"");
  EXPECT_EQ(read("d.tsv", "stars\treview\ttitle\n1\tR\tT\n", options).texts,
            Texts{"R"});
}

TEST(Csv, WrongQuotesAreErrorsThatCannotBeSkipped) {
  const ReadOptions skip{.on_bad = OnBad::kSkip};
  EXPECT_ERROR(read("d.csv", "1,a\n1,b\"c\n", skip),
               Code::kCorruptData,
               "d.csv:2: a quote inside column 2");
  EXPECT_ERROR(read("d.csv", "1,\"a\" b\n", skip),
               Code::kCorruptData,
               "d.csv:1: column 2 goes on after its closing quote");
  EXPECT_ERROR(read("d.csv", "1,a\n1,\"b\nc\n", skip),
               Code::kCorruptData,
               "d.csv:2: column 2 has no closing quote");
  EXPECT_ERROR(read("d.csv", std::string("1,\"a\n\0\"\n", 8), skip),
               Code::kCorruptData,
               "d.csv:1: a NUL byte");
}

TEST(Csv, BadRowsAreCounted) {
  const ReadOptions skip{.on_bad = OnBad::kSkip};
  const auto d = read("d.csv", "1,\"\xC3\"\"\xA9\"\n1\n1,\" \"\n0,ok\n", skip);
  EXPECT_EQ(d.texts, Texts{"ok"});
  EXPECT_EQ(d.skipped.not_utf8, 1);
  EXPECT_EQ(d.skipped.missing_column, 1);
  EXPECT_EQ(d.skipped.empty_text, 1);
}

TEST(Csv, RowsBeyondTheLimitAreRefused) {
  const std::string line(9u << 20, 'x');
  EXPECT_ERROR(read("d.csv", "1,\"" + line + "\n" + line + "\"\n"),
               Code::kUnsupported,
               "d.csv:1: a row above 16777216 bytes");
}

TEST(Jsonl, ReadsTextsAndLabelsOfEveryKind) {
  const auto d = read("d.jsonl",
                      R"({"text": "a\nb", "label": "x"})"
                      "\n\n \r\n"
                      R"({"label": 3, "text": "\u4f60", "more": [1, {}]})"
                      "\r\n"
                      R"({"label": true, "text": "c"})"
                      "\n"
                      R"({"label": -0.5, "text": "d"})");
  EXPECT_EQ(d.texts, (Texts{"a\nb", "\u4f60", "c", "d"}));
  EXPECT_EQ(d.classes, (Texts{"-0.5", "3", "true", "x"}));
  EXPECT_EQ(d.labels, (std::vector<int32_t>{3, 1, 2, 0}));
  EXPECT_EQ(d.lines, (std::vector<int64_t>{1, 4, 5, 6}));
}

TEST(Jsonl, BadLinesAreErrorsWithLineOrSkippedAndCounted) {
  struct Bad {
    const char* line;
    int64_t SkipCounts::*counter;
    const char* text;
  };
  const Bad rows[] = {
      {"{\"text\": ", &SkipCounts::malformed, "d.ndjson:2: "},
      {"[1]", &SkipCounts::malformed, "d.ndjson:2: wanted an object"},
      {"{\"text\":\"a\",\"text\":\"b\",\"label\":1}",
       &SkipCounts::malformed,
       "d.ndjson:2: "},
      {"{\"text\":\"\xff\",\"label\":1}", &SkipCounts::malformed, "d.ndjson:2"},
      {"{\"label\": 1}",
       &SkipCounts::missing_column,
       "d.ndjson:2: no text under \"text\""},
      {"{\"text\": 5, \"label\": 1}",
       &SkipCounts::missing_column,
       "d.ndjson:2: no text under \"text\""},
      {"{\"text\": \"a\", \"label\": null}",
       &SkipCounts::missing_column,
       "d.ndjson:2: no label under \"label\""},
      {"{\"text\": \" \", \"label\": 1}",
       &SkipCounts::empty_text,
       "d.ndjson:2: empty text"}};
  const std::string good = R"({"text": "a", "label": 1})";
  for (const Bad& bad : rows) {
    const std::string content = good + "\n" + bad.line + "\n" + good + "\n";
    EXPECT_ERROR(read("d.ndjson", content), Code::kCorruptData, bad.text);
    const auto d = read("d.ndjson", content, {.on_bad = OnBad::kSkip});
    EXPECT_EQ(d.lines, (std::vector<int64_t>{1, 3})) << bad.line;
    EXPECT_EQ(d.skipped.*bad.counter, 1) << bad.line;
    EXPECT_EQ(d.skipped.total(), 1);
  }
}

TEST(Jsonl, HostileLinesAreRefused) {
  const ReadOptions skip{.on_bad = OnBad::kSkip};
  EXPECT_ERROR(read("d.jsonl", R"({"text": "a\u0000", "label": 1})", skip),
               Code::kCorruptData,
               "d.jsonl:1: a NUL byte");
  EXPECT_ERROR(
      read("d.jsonl",
           "{\"text\":" + std::string(40, '[') + std::string(40, ']') + "}",
           skip),
      Code::kUnsupported,
      "d.jsonl:1");
}

TEST(Dataset, ScoresAreFiniteNumbers) {
  const ReadOptions scores{.labels = Labels::kScores};
  const auto d = read("d.tsv", "-1.25\ta\n4\tb\n1e-3\tc\n", scores);
  EXPECT_EQ(d.scores, (std::vector<float>{-1.25F, 4, 1e-3F}));
  EXPECT_TRUE(d.labels.empty());
  EXPECT_TRUE(d.classes.empty());
  for (const char* bad : {"nan", "inf", "1e60", "", "1,5", "2x"}) {
    const std::string content = "1\ta\n" + std::string(bad) + "\tb\n";
    EXPECT_ERROR(
        read("d.tsv", content, scores),
        Code::kCorruptData,
        "d.tsv:2: label \"" + std::string(bad) + "\" is not a finite number");
  }
}

// gzip.compress(b"1\tgood\n0\tbad\n", mtime=0) of Python.
TEST(Dataset, CompressedFilesAreUnpacked) {
  const char packed[] =
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\xe4\x4c\xcf\xcf\x4f\xe1\x32"
      "\xe0\x4c\x4a\x4c\xe1\x02\x00\x7b\x97\x2e\x52\x0d\x00\x00\x00";
  const std::string gz(packed, 33);
  EXPECT_EQ(read("d.tsv.gz", gz).texts, (Texts{"good", "bad"}));
  EXPECT_ERROR(
      read("d.tsv.gz", gz.substr(0, 25)), Code::kCorruptData, "d.tsv.gz");
}

TEST(Dataset, FoldersAreTheirFilesByName) {
  const TempFolder dir;
  io::write_file(dir / "b.csv", "0,two\n");
  io::write_file(dir / "a.tsv", "1\tone\n");
  io::write_file(dir / "c.jsonl", R"({"text": "three", "label": 0})");
  io::write_file(dir / ".hidden", "nothing");
  const auto d = read_dataset(dir / "");
  EXPECT_EQ(d.texts, (Texts{"one", "two", "three"}));
  EXPECT_EQ(d.labels, (std::vector<int32_t>{1, 0, 0}));
  io::write_file(dir / "b.csv", "0,two\n0,\"\n");
  EXPECT_ERROR(read_dataset(dir / ""), Code::kCorruptData, "b.csv:2");
  const TempFolder empty;
  EXPECT_ERROR(
      read_dataset(empty / ""), Code::kNotFound, "the folder has no files");
}

}  // namespace
}  // namespace kexue::data
