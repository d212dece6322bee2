#include "kexue/data/dataset.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/temp_folder.h"

namespace kexue::data {
namespace {

using testing::FaultyFs;
using testing::TempFolder;

Dataset read(const std::string& content, const ReadOptions& options = {}) {
  const TempFolder dir;
  io::write_file(dir / "d.tsv", content);
  return read_dataset(dir / "d.tsv", options);
}

TEST(Tsv, ReadsLabelsAndTexts) {
  const auto d = read(
      "\xEF\xBB\xBF"
      "1\tgood\r\n0\tbad\textra\n1\tfine");
  EXPECT_EQ(d.classes, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(d.labels, (std::vector<int32_t>{1, 0, 1}));
  EXPECT_EQ(d.texts, (std::vector<std::string>{"good", "bad", "fine"}));
  EXPECT_EQ(d.lines, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_TRUE(d.second_texts.empty());
}

TEST(Tsv, ColumnsAreChosen) {
  const auto d = read("a\tq\tx\nb\tr\ty\n",
                      {.columns = {.label = 2, .text = 0, .second_text = 1}});
  EXPECT_EQ(d.classes, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(d.texts[1], "b");
  EXPECT_EQ(d.second_texts[1], "r");
  const auto unlabelled = read("a\nb\n", {.columns = {.label = -1, .text = 0}});
  EXPECT_EQ(unlabelled.size(), 2u);
  EXPECT_TRUE(unlabelled.labels.empty());
}

TEST(Tsv, IntegerClassesSortByValue) {
  const auto d = read("10\ta\n9\tb\n-1\tc\n");
  EXPECT_EQ(d.classes, (std::vector<std::string>{"-1", "9", "10"}));
  EXPECT_EQ(d.labels, (std::vector<int32_t>{2, 1, 0}));
  EXPECT_EQ(read("b\tx\nB\ty\n").classes, (std::vector<std::string>{"B", "b"}));
}

TEST(Tsv, GivenClassesKeepTheirOrder) {
  const auto d = read("x\ta\n", {.classes = {"y", "x"}});
  EXPECT_EQ(d.labels, (std::vector<int32_t>{1}));
  EXPECT_ERROR(read("x\ta\n", {.classes = {"y", "y"}}),
               Code::kInvalidArgument,
               "class \"y\" twice");
}

struct Bad {
  const char* line;
  int64_t SkipCounts::*counter;
  const char* text;
};

TEST(Tsv, BadRowsAreErrorsWithLineOrSkippedAndCounted) {
  const std::vector<Bad> rows = {
      {"3\ttext",
       &SkipCounts::unknown_label,
       "d.tsv:2: label \"3\" is not one of 0, 1"},
      {"1", &SkipCounts::missing_column, "d.tsv:2: 1 columns, wanted 2"},
      {"", &SkipCounts::missing_column, "d.tsv:2: 1 columns, wanted 2"},
      {"1\t", &SkipCounts::empty_text, "d.tsv:2: empty text"},
      {"1\t \u3000", &SkipCounts::empty_text, "d.tsv:2: empty text"},
      {"1\tab\xC3",
       &SkipCounts::not_utf8,
       "d.tsv:2: not UTF-8 (byte 5 of the line)"}};
  for (const auto& bad : rows) {
    const std::string content =
        "0\tfirst\n" + std::string(bad.line) + "\n1\tlast\n";
    EXPECT_ERROR(
        read(content, {.classes = {"0", "1"}}), Code::kCorruptData, bad.text);
    const auto d =
        read(content, {.classes = {"0", "1"}, .on_bad = OnBad::kSkip});
    EXPECT_EQ(d.texts, (std::vector<std::string>{"first", "last"}));
    EXPECT_EQ(d.lines, (std::vector<int64_t>{1, 3}));
    EXPECT_EQ(d.skipped.*bad.counter, 1);
    EXPECT_EQ(d.skipped.total(), 1);
  }
}

TEST(Tsv, SecondTextMustNotBeEmpty) {
  EXPECT_ERROR(read("1\ta\t\n", {.columns = {.second_text = 2}}),
               Code::kCorruptData,
               "d.tsv:1: empty text");
}

TEST(Tsv, FilesThatAreNoTextAreNeverSkipped) {
  const ReadOptions skip{.on_bad = OnBad::kSkip};
  EXPECT_ERROR(read(std::string("1\ta\0b\n", 6), skip),
               Code::kCorruptData,
               "d.tsv:1: a NUL byte");
  EXPECT_ERROR(read("1\ta\n2\t" + std::string((16u << 20) + 1, 'x'), skip),
               Code::kUnsupported,
               "d.tsv:2: a line above 16777216 bytes");
  EXPECT_ERROR(read(std::string(4096, '\t'), skip),
               Code::kUnsupported,
               "d.tsv:1: more than 4096 columns");
  EXPECT_ERROR(read("", skip), Code::kCorruptData, "no rows, 0 skipped");
  EXPECT_ERROR(read("1\t\n", skip), Code::kCorruptData, "no rows, 1 skipped");
  EXPECT_ERROR(
      read_dataset("/nowhere/x.tsv"), Code::kNotFound, "/nowhere/x.tsv");
}

TEST(Tsv, LongestLegalLineIsRead) {
  const std::string text((16u << 20) - 2, 'x');
  EXPECT_EQ(read("1\t" + text + "\n0\ty\n").texts[0].size(), text.size());
}

TEST(Tsv, ManyClassesAreRefused) {
  std::string content;
  for (int i = 0; i <= 65'536; ++i) content += std::to_string(i) + "\tx\n";
  EXPECT_ERROR(read(content),
               Code::kUnsupported,
               "d.tsv:65537: more than 65536 classes");
}

TEST(Tsv, ReadFaultsAreErrorsOrHarmless) {
  const TempFolder dir;
  std::string content;
  for (int i = 0; i < 100'000; ++i) content += "1\tsome text here\n";
  io::write_file(dir / "d.tsv", content);
  const std::vector<FaultyFs::Fault> faults = {
      {EIO, false}, {EINTR, false}, {0, true}};
  for (const auto& fault : faults) {
    bool untouched = false;
    for (int k = 1; !untouched; ++k) {
      ASSERT_LT(k, 100);
      FaultyFs fs(k, fault, FaultyFs::When::kOnce);
      try {
        EXPECT_EQ(read_dataset(dir / "d.tsv", {}, fs).size(), 100'000u);
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::kIo);
        EXPECT_EQ(fault.error, EIO);
      }
      untouched = !fs.fired();
    }
  }
}

}  // namespace
}  // namespace kexue::data
