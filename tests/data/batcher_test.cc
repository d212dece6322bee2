#include "kexue/data/batcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/error_matchers.h"

namespace kexue::data {
namespace {

// Example i has length 1 + i % 30, ids 100 + i, label i % 3.
std::shared_ptr<const Examples> make_examples(int count) {
  auto out = std::make_shared<Examples>();
  for (int i = 0; i < count; ++i) {
    const auto length = static_cast<size_t>(1 + i % 30);
    Example e;
    e.ids.assign(length, 100 + i);
    e.types.assign(length, i % 2);
    e.label = i % 3;
    out->rows.push_back(std::move(e));
  }
  return out;
}

Batcher make(int count, const Batcher::Options& options) {
  return Batcher(make_examples(count), LengthBuckets({8, 16, 32}), options);
}

TEST(Batcher, EveryEpochShowsEachExampleOnce) {
  auto batcher = make(100, {.batch_size = 8, .key = Key::from_seed(1)});
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::multiset<int64_t> seen;
    for (int64_t i = 0; i < batcher.batches_per_epoch(); ++i) {
      EXPECT_EQ(batcher.position(), (Position{epoch, i}));
      for (const int64_t row : batcher.next().rows) {
        if (row >= 0) seen.insert(row);
      }
    }
    EXPECT_EQ(seen.size(), 100u);
    EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), 100u);
  }
}

TEST(Batcher, BatchesAreFullAndPaddedRowsHaveNoWeight) {
  auto batcher = make(30, {.batch_size = 8, .shuffle = false, .pad_id = 9});
  // Bucket 8 holds rows 0..7; bucket 16 rows 8..15; bucket 32 rows 16..29.
  EXPECT_EQ(batcher.batches_per_epoch(), 4);
  batcher.seek({0, 3});
  const auto m = batcher.next();
  const auto& ids = m.arrays.at("ids");
  EXPECT_EQ(ids.type().str(), "i32[8,32]");
  EXPECT_EQ(m.arrays.at("mask").type().str(), "bool[8,32]");
  EXPECT_EQ(m.arrays.at("types").type().str(), "i32[8,32]");
  EXPECT_EQ(m.arrays.at("label").type().str(), "i32[8]");
  EXPECT_EQ(m.rows, (std::vector<int64_t>{24, 25, 26, 27, 28, 29, -1, -1}));
  EXPECT_EQ(m.tokens, 25 + 26 + 27 + 28 + 29 + 30);
  EXPECT_EQ(m.arrays.at("weight").to_ints(),
            (std::vector<int64_t>{1, 1, 1, 1, 1, 1, 0, 0}));
  // Row 0 is example 24 of length 25.
  EXPECT_EQ(ids.at(0), 124);
  EXPECT_EQ(ids.at(24), 124);
  EXPECT_EQ(ids.at(25), 9);
  EXPECT_EQ(m.arrays.at("mask").at(24), 1);
  EXPECT_EQ(m.arrays.at("mask").at(25), 0);
  EXPECT_EQ(m.arrays.at("types").at(32), 1);
  EXPECT_EQ(m.arrays.at("label").at(1), 25 % 3);
  // A row that fills up keeps one key.
  EXPECT_EQ(m.arrays.at("mask").at(7 * 32), 1);
  EXPECT_EQ(m.arrays.at("mask").at(7 * 32 + 1), 0);
  EXPECT_EQ(ids.at(7 * 32), 9);
}

TEST(Batcher, OrderDependsOnKeyAndEpochOnly) {
  const auto rows = [](uint64_t seed, Position from) {
    auto b = make(200, {.batch_size = 8, .key = Key::from_seed(seed)});
    b.seek(from);
    std::vector<int64_t> out;
    for (int64_t i = from.batch; i < b.batches_per_epoch(); ++i) {
      const auto m = b.next();
      out.insert(out.end(), m.rows.begin(), m.rows.end());
    }
    return out;
  };
  const auto first = rows(1, {0, 0});
  EXPECT_EQ(first, rows(1, {0, 0}));
  EXPECT_NE(first, rows(2, {0, 0}));
  EXPECT_NE(first, rows(1, {1, 0}));
  // Resuming in the middle gives the rest of the same epoch.
  const auto rest = rows(1, {0, 10});
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), first.begin() + 80));
}

TEST(Batcher, NextPositionContinuesExactly) {
  const Batcher::Options options{.batch_size = 8, .key = Key::from_seed(3)};
  auto a = make(100, options);
  for (int i = 0; i < 20; ++i) {
    const auto m = a.next();
    auto b = make(100, options);
    b.seek(m.next);
    auto copy = a;
    const auto want = copy.next();
    const auto got = b.next();
    EXPECT_EQ(got.rows, want.rows);
    EXPECT_TRUE(got.arrays.at("ids").identical(want.arrays.at("ids")));
  }
}

TEST(Batcher, BucketsOfBatchesAreMixed) {
  auto b = make(300, {.batch_size = 4, .key = Key::from_seed(5)});
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < b.batches_per_epoch(); ++i) {
    lengths.push_back(b.next().arrays.at("ids").shape()[1]);
  }
  EXPECT_FALSE(std::is_sorted(lengths.begin(), lengths.end()));
}

TEST(Batcher, PaddingShareCountsPaddingRows) {
  auto examples = std::make_shared<Examples>();
  examples->rows.push_back({{1, 2}, {0, 0}, 0});
  const Batcher b(examples, LengthBuckets({4}), {.batch_size = 2});
  EXPECT_DOUBLE_EQ(b.padding_share(), 6.0 / 8.0);
}

TEST(Batcher, BadRequestsAreRefused) {
  EXPECT_ERROR(make(10, {.batch_size = 0}),
               Code::kInvalidArgument,
               "batches of 0 from 10");
  EXPECT_ERROR(make(0, {}), Code::kInvalidArgument, "from 0 examples");
  auto b = make(10, {.batch_size = 8});
  EXPECT_ERROR(b.seek({0, 5}),
               Code::kInvalidArgument,
               "epoch 0, batch 5 of 2",
               "differs from the saved run");
  EXPECT_ERROR(b.seek({-1, 0}), Code::kInvalidArgument, "epoch -1");
  EXPECT_ERROR(Batcher(make_examples(30), LengthBuckets({8}), {}),
               Code::kInvalidArgument,
               "the largest bucket holds 8");
  auto odd = std::make_shared<Examples>();
  odd->rows.push_back({{1, 2}, {0}, 0});
  EXPECT_ERROR(Batcher(odd, LengthBuckets({8}), {}),
               Code::kInvalidArgument,
               "example 0: 2 ids, 1 types");
}

}  // namespace
}  // namespace kexue::data
