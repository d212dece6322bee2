#include "kexue/train/correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace kexue::train {
namespace {

using Numbers = std::vector<double>;

// Spearman as in the specification of retrieval metrics; Pearson by
// numpy.corrcoef.
TEST(Correlation, AgreesWithTheReference) {
  const Numbers x = {.9, .8, .8, .3, .1};
  const Numbers y = {5, 4, 3, 4, 0};
  EXPECT_NEAR(spearman(x, y), .7631578947368421, 1e-12);
  EXPECT_NEAR(pearson(x, y), 0.7366965832104705, 1e-12);
  EXPECT_NEAR(spearman(Numbers{.9, .4, .6, .1}, Numbers{1, 1, 0, 0}),
              .4472135954999579,
              1e-12);
  EXPECT_EQ(ranks(x), (Numbers{5, 3.5, 3.5, 2, 1}));
}

TEST(Correlation, ConstantsHaveNone) {
  EXPECT_TRUE(std::isnan(pearson(Numbers{1, 1}, Numbers{1, 2})));
  EXPECT_TRUE(std::isnan(spearman(Numbers{1, 2}, Numbers{0, 0})));
  EXPECT_TRUE(std::isnan(pearson(Numbers{}, Numbers{})));
}

}  // namespace
}  // namespace kexue::train
