#include "kexue/data/stream_batcher.h"

#include <gtest/gtest.h>

#include <set>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_bert.h"

namespace kexue::data {
namespace {

using testing::TempFolder;

text::WordPiece tokenizer() {
  std::vector<text::Vocabulary::Entry> entries;
  const std::string lines = testing::tiny_vocabulary();
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find('\n', at);
    entries.emplace_back(static_cast<int32_t>(entries.size()),
                         lines.substr(at, end - at));
    at = end + 1;
  }
  return text::WordPiece(
      text::Vocabulary(std::move(entries), "##", "tiny"), {}, {}, "tiny");
}

// Row i has 1 + i % 20 words; two files, the second compressed by nobody.
class Stream : public ::testing::Test {
 protected:
  static constexpr int kRows = 6000;

  void SetUp() override {
    std::string parts[2];
    for (int i = 0; i < kRows; ++i) {
      std::string text = "a";
      for (int w = 0; w < i % 20; ++w) text += " b";
      parts[i < kRows / 3 ? 0 : 1] +=
          (i % 3 == 0 ? "x\t" : "y\t") + text + "\n";
    }
    io::write_file(dir_ / "1.tsv", parts[0]);
    io::write_file(dir_ / "2.tsv", parts[1]);
    scan_ = scan_dataset(path(), {}, tokenizer(), 64);
  }

  std::string path() const { return dir_ / ""; }

  StreamBatcher make(int64_t buffer = 700, int threads = 0) const {
    return StreamBatcher(path(),
                         {.classes = scan_.classes},
                         tokenizer(),
                         scan_,
                         LengthBuckets({8, 16, 32}),
                         {.batch_size = 32,
                          .buffer = buffer,
                          .max_len = 64,
                          .key = Key::from_seed(3),
                          .threads = threads});
  }

  TempFolder dir_;
  DatasetScan scan_;
};

bool same(const Minibatch& a, const Minibatch& b) {
  if (a.rows != b.rows || a.next != b.next || a.epoch != b.epoch) return false;
  for (const auto& [name, array] : a.arrays) {
    if (!array.identical(b.arrays.at(name))) return false;
  }
  return true;
}

TEST_F(Stream, ScanCountsWhatIsThere) {
  EXPECT_EQ(scan_.rows, kRows);
  EXPECT_EQ(scan_.classes, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(scan_.class_rows, (std::vector<int64_t>{2000, 4000}));
  EXPECT_EQ(scan_.lengths.size(), 20U);  // 1..20 words, [CLS] and [SEP]
  EXPECT_EQ(scan_.lengths.begin()->first, 3);
  EXPECT_EQ(scan_.lengths.begin()->second, kRows / 20);
  EXPECT_EQ(scan_.tokens[5], kRows);             // a
  EXPECT_EQ(scan_.tokens[6], kRows / 20 * 190);  // b
}

TEST_F(Stream, EveryEpochShowsEachRowOnceInAnotherOrder) {
  auto batches = make();
  std::vector<int64_t> first;
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::multiset<int64_t> seen;
    std::vector<int64_t> order;
    for (int64_t i = 0; i < batches.batches_per_epoch(); ++i) {
      const Minibatch m = batches.next();
      EXPECT_EQ(m.epoch, epoch);
      for (size_t r = 0; r < m.rows.size(); ++r) {
        if (m.rows[r] < 0) continue;
        seen.insert(m.rows[r]);
        order.push_back(m.rows[r]);
        const auto label = m.arrays.at("label").span<int32_t>()[r];
        EXPECT_EQ(label, m.rows[r] % 3 == 0 ? 0 : 1);
      }
    }
    EXPECT_EQ(seen.size(), static_cast<size_t>(kRows));
    EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), seen.size());
    if (epoch == 0) first = order;
    if (epoch == 1) {
      EXPECT_NE(first, order);
    }
  }
  EXPECT_EQ(batches.position(), (Position{2, 0, {}}));
}

TEST_F(Stream, SameBatchesForEveryThreadCount) {
  auto one = make(700, 1);
  auto four = make(700, 4);
  for (int64_t i = 0; i < one.batches_per_epoch(); ++i) {
    ASSERT_TRUE(same(one.next(), four.next())) << i;
  }
}

// Saved after each batch, and read back as plain numbers.
TEST_F(Stream, EveryPositionGivesTheSameRest) {
  auto batches = make();
  std::vector<Minibatch> all;
  const int64_t count = 2 * batches.batches_per_epoch();
  for (int64_t i = 0; i < count; ++i) all.push_back(batches.next());
  for (int64_t i = 0; i + 1 < count; ++i) {
    auto again = make();
    again.seek(Position::from_words(all[static_cast<size_t>(i)].next.words()));
    // The next ones, across the end of what was drawn together.
    for (int64_t k = i + 1; k < std::min(i + 3, count); ++k) {
      ASSERT_TRUE(same(again.next(), all[static_cast<size_t>(k)]))
          << i << " " << k;
    }
  }
  auto again = make();
  again.seek(all[50].next);
  for (size_t k = 51; k < all.size(); ++k) {
    ASSERT_TRUE(same(again.next(), all[k])) << k;
  }
}

TEST_F(Stream, BufferOfOneKeepsTheOrder) {
  auto batches = make(1);
  int64_t last = -1;
  const Minibatch m = batches.next();
  for (const int64_t row : m.rows) {
    EXPECT_GT(row, last);
    last = row;
  }
}

TEST_F(Stream, WrongPositionsAreRefused) {
  auto batches = make();
  for (int i = 0; i < 150; ++i) batches.next();
  const Position good = batches.position();
  const auto refused = [&](Position p, const char* text) {
    EXPECT_ERROR(make().seek(p), Code::kCorruptData, text);
  };
  refused({0, 150, {}}, "0 numbers");
  refused({0, 0, {1}}, "1 numbers");
  refused({-1, 0, {}}, "epoch -1");
  refused({0, good.batch, {0}}, "too few numbers");
  Position p = good;
  p.stream[0] = 1'000'000;
  refused(p, "batch 1000000");
  p = good;
  p.stream[1] = kRows + 1;
  refused(p, "rows of 6000");
  p = good;
  p.stream[3] = int64_t{1} << 60;
  refused(p, "too few numbers");
  p = good;
  p.stream[4] = kRows + 5;
  refused(p, "rows found");
  p = good;
  p.stream.push_back(0);
  refused(p, "rows of 6000");
  EXPECT_ERROR(Position::from_words(std::vector<int64_t>{1}),
               Code::kCorruptData,
               "1 numbers");
}

TEST_F(Stream, FilesThatChangeAreNoticed) {
  auto batches = make();
  io::write_file(dir_ / "2.tsv", "x\ta\n");
  EXPECT_ERROR(
      for (int64_t i = 0; i <= batches.batches_per_epoch(); ++i) batches.next(),
      Code::kCorruptData,
      "6000 when it was first read");
}

}  // namespace
}  // namespace kexue::data
