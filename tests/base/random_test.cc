#include "kexue/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace kexue {
namespace {

// Known-answer vectors of the Random123 distribution.
TEST(Random, ThreefryKnownAnswers) {
  auto w = threefry2x32({0, 0}, 0, 0);
  EXPECT_EQ(w[0], 0x6b200159u);
  EXPECT_EQ(w[1], 0x99ba4efeu);
  w = threefry2x32({0xffffffff, 0xffffffff}, 0xffffffff, 0xffffffff);
  EXPECT_EQ(w[0], 0x1cb996fcu);
  EXPECT_EQ(w[1], 0xbb002be7u);
  w = threefry2x32({0x13198a2e, 0x03707344}, 0x243f6a88, 0x85a308d3);
  EXPECT_EQ(w[0], 0xc4923a9cu);
  EXPECT_EQ(w[1], 0x483df7a0u);
}

TEST(Random, PositionIsTheWholeState) {
  Random a(Key::from_seed(7));
  for (int i = 0; i < 5; ++i) a.next_u64();
  Random b(Key::from_seed(7), 5);
  EXPECT_EQ(a.next_u64(), b.next_u64());
}

TEST(Random, TruncatedNormalHasTheKnownDeviation) {
  Random r(Key::from_seed(1));
  double sum = 0;
  double squares = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double x = r.truncated_normal(0.02);
    ASSERT_LE(std::fabs(x), 0.04);
    sum += x;
    squares += x * x;
  }
  // 0.02 sqrt(0.7737413035) = 0.0175925; five standard errors.
  EXPECT_NEAR(std::sqrt(squares / n), 0.0175925132, 1.5e-4);
  EXPECT_NEAR(sum / n, 0.0, 2e-4);
}

TEST(Random, BelowIsUniform) {
  Random r(Key::from_seed(3));
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[r.below(7)];
  for (const int c : counts) EXPECT_NEAR(c, 10000, 500);
}

}  // namespace
}  // namespace kexue
