#include "kexue/data/length_buckets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kexue/base/random.h"
#include "tests/support/error_matchers.h"

namespace kexue::data {
namespace {

using Lengths = std::vector<int64_t>;

TEST(LengthBuckets, IndexIsTheFirstThatHolds) {
  const LengthBuckets b({16, 32, 64});
  EXPECT_EQ(b.index(0), 0u);
  EXPECT_EQ(b.index(16), 0u);
  EXPECT_EQ(b.index(17), 1u);
  EXPECT_EQ(b.index(64), 2u);
  EXPECT_ERROR(b.index(65),
               Code::kInvalidArgument,
               "65 tokens, the largest bucket holds 64");
}

TEST(LengthBuckets, BadListsAreRefused) {
  EXPECT_ERROR(LengthBuckets({}), Code::kInvalidArgument, "none given");
  EXPECT_ERROR(
      LengthBuckets({32, 32}), Code::kInvalidArgument, "[32,32]", "ascending");
  EXPECT_ERROR(LengthBuckets({0}), Code::kInvalidArgument, "positive");
}

TEST(LengthBuckets, FittedFindsTheGroups) {
  const Lengths n = {5, 5, 5, 20, 20, 20, 99};
  EXPECT_EQ(LengthBuckets::fitted(n, 3, 1).lengths(), (Lengths{5, 20, 99}));
  EXPECT_EQ(LengthBuckets::fitted(n, 8, 1).lengths(), (Lengths{5, 20, 99}));
  EXPECT_EQ(LengthBuckets::fitted(n, 2, 1).lengths(), (Lengths{20, 99}));
  EXPECT_EQ(LengthBuckets::fitted(n, 1, 16).lengths(), (Lengths{112}));
  EXPECT_DOUBLE_EQ(LengthBuckets::fitted(n, 3, 1).padding_share(n), 0.0);
}

// Against all choices of up to three lengths.
TEST(LengthBuckets, FittedIsOptimal) {
  Random random(Key::from_seed(7));
  for (int trial = 0; trial < 20; ++trial) {
    Lengths n;
    for (int i = 0; i < 30; ++i) {
      n.push_back(1 + static_cast<int64_t>(random.below(24)));
    }
    const int64_t longest = *std::max_element(n.begin(), n.end());
    double best = 1;
    for (int64_t a = 1; a <= longest; ++a) {
      for (int64_t b = a; b <= longest; ++b) {
        Lengths chosen = {a};
        if (b > a) chosen.push_back(b);
        if (longest > b) chosen.push_back(longest);
        best = std::min(best, LengthBuckets(chosen).padding_share(n));
      }
    }
    EXPECT_NEAR(LengthBuckets::fitted(n, 3, 1).padding_share(n), best, 1e-12);
  }
}

TEST(LengthBuckets, FittedRefusesNonsense) {
  EXPECT_ERROR(LengthBuckets::fitted({}, 3), Code::kInvalidArgument, "0 seq");
  const Lengths one = {1};
  EXPECT_ERROR(
      LengthBuckets::fitted(one, 0), Code::kInvalidArgument, "at most 0");
  const Lengths huge = {int64_t{1} << 40};
  EXPECT_ERROR(
      LengthBuckets::fitted(huge, 3), Code::kUnsupported, "longest sequence");
}

}  // namespace
}  // namespace kexue::data
