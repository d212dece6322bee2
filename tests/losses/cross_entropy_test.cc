#include "kexue/losses/cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::losses {
namespace {

using testing::check_grads;
using testing::evaluate_at;

const HostArray kLogits = HostArray::from_doubles(
    {DType::kF64, {3, 3}}, std::vector<double>{1, 2, 3, 0, 0, 0, 5, -5, 1});
const HostArray kLabels =
    HostArray::of<int32_t>({3}, std::vector<int32_t>{2, 0, 1});

HostArray weights(std::vector<double> w) {
  return HostArray::from_doubles({DType::kF64, {3}}, w);
}

double loss(const HostArray& logits, const HostArray& w) {
  return evaluate_at(
             [](const Values& x) -> Values {
               return {cross_entropy(x[0], x[1], x[2])};
             },
             {logits, kLabels, w})[0]
      .at(0);
}

// logsumexp(1,2,3) - 3, log 3, logsumexp(5,-5,1) + 5.
const double kRows[] = {std::log(std::exp(-2) + std::exp(-1) + 1),
                        std::log(3),
                        10 + std::log(1 + std::exp(-10) + std::exp(-4))};

TEST(CrossEntropy, IsTheWeightedMeanOfTheRows) {
  EXPECT_NEAR(loss(kLogits, weights({1, 1, 1})),
              (kRows[0] + kRows[1] + kRows[2]) / 3,
              1e-12);
  EXPECT_NEAR(
      loss(kLogits, weights({1, 0, 3})), (kRows[0] + 3 * kRows[2]) / 4, 1e-12);
}

TEST(CrossEntropy, RowsOfWeightZeroDoNotCount) {
  EXPECT_NEAR(loss(kLogits, weights({0, 1, 0})), kRows[1], 1e-12);
  EXPECT_EQ(loss(kLogits, weights({0, 0, 0})), 0);
}

TEST(CrossEntropy, LabelsOutsideAddNothing) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        return {cross_entropy(x[0], x[1], x[2])};
      },
      {kLogits,
       HostArray::of<int32_t>({3}, std::vector<int32_t>{-1, 0, 3}),
       weights({1, 1, 1})});
  EXPECT_NEAR(y[0].at(0), kRows[1] / 3, 1e-12);
}

TEST(CrossEntropy, HugeLogitsStayFinite) {
  const HostArray huge = HostArray::from_doubles(
      {DType::kF64, {3, 3}},
      std::vector<double>{1e300, 0, -1e300, 3e4, 3e4, 3e4, 0, 0, 0});
  EXPECT_NEAR(loss(huge, weights({0, 1, 1})), std::log(3), 1e-9);
}

TEST(CrossEntropy, FirstAndSecondDerivativesAgree) {
  const auto f = [](const Values& x) {
    const Value labels = ops::constant(kLabels);
    return cross_entropy(x[0], labels, ops::constant(weights({1, 0.5, 2})));
  };
  EXPECT_TRUE(check_grads(f, {kLogits}, 2));
}

TEST(CrossEntropy, ShapesThatDoNotFitAreShown) {
  const auto call = [](const HostArray& logits, const HostArray& labels) {
    evaluate_at(
        [](const Values& x) -> Values {
          return {cross_entropy(x[0], x[1], x[2])};
        },
        {logits, labels, weights({1, 1, 1})});
  };
  EXPECT_ERROR(call(HostArray(DType::kF64, {2, 3}), kLabels),
               Code::kInvalidArgument,
               "wants logits f[B,C]",
               "f64[2,3]",
               "i32[3]");
  EXPECT_ERROR(call(kLogits, HostArray(DType::kI64, {3})),
               Code::kInvalidArgument,
               "i64[3]");
}

TEST(CorrectCount, CountsRowsByWeight) {
  const auto count = [](std::vector<double> w) {
    return evaluate_at(
               [](const Values& x) -> Values {
                 return {correct_count(x[0], x[1], x[2])};
               },
               {kLogits, kLabels, weights(std::move(w))})[0]
        .at(0);
  };
  EXPECT_EQ(count({1, 1, 1}), 2);  // a tie goes to the first class
  EXPECT_EQ(count({0, 1, 1}), 1);
  EXPECT_EQ(count({0, 0, 1}), 0);
}

}  // namespace
}  // namespace kexue::losses
