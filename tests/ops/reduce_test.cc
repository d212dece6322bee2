#include "kexue/ops/reduce.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

HostArray of(DType d, const Shape& s, const std::vector<double>& v) {
  return HostArray::from_doubles({d, s}, v);
}

TEST(Sum, OfSixteenBitsRunsWide) {
  for (const DType d : {DType::kF16, DType::kBF16}) {
    const auto y =
        evaluate_at([](const Values& x) { return Values{ops::sum(x[0])}; },
                    {HostArray::full({d, {4096}}, 1)});
    EXPECT_EQ(y[0].at(0), 4096);
  }
}

TEST(Sum, OfIntegersWrapsAndKeepsAllBits) {
  const auto f = [](const Values& x) -> Values {
    return {ops::sum(x[0]), ops::max(x[1]), ops::min(x[1])};
  };
  const int64_t big = (int64_t{1} << 62) + 1;
  const auto y = evaluate_at(f,
                             {of(DType::kI32, {2}, {2147483647, 1}),
                              HostArray::of<int64_t>({2}, {big, big - 2})});
  EXPECT_EQ(y[0].to_ints()[0], -2147483648);
  EXPECT_EQ(y[1].to_ints()[0], big);
  EXPECT_EQ(y[2].to_ints()[0], big - 2);
}

TEST(Sum, RepeatedAxesCountOnce) {
  const auto y = evaluate_at(
      [](const Values& x) {
        return Values{ops::sum(x[0], {1, -1}), ops::sum(x[0], {0, 1}, true)};
      },
      {of(DType::kF64, {2, 2}, {1, 2, 3, 4})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{3, 7}));
  EXPECT_EQ(y[1].type().str(), "f64[1,1]");
}

TEST(Sum, AxisOutsideIsAnError) {
  Graph g;
  const Value x = g.input({DType::kF32, {2, 2}});
  EXPECT_ERROR(ops::sum(x, {2}), Code::kInvalidArgument, "sum");
  EXPECT_ERROR(ops::argmax(x, -3), Code::kInvalidArgument, "argmax");
}

TEST(Max, SharesTheSlopeBetweenTies) {
  const auto g = evaluate_at(
      transforms::grad([](const Values& x) { return ops::max(x[0]); }),
      {of(DType::kF64, {4}, {1, 3, 3, 2})});
  EXPECT_EQ(g[0].to_doubles(), (std::vector<double>{0, 0.5, 0.5, 0}));
}

TEST(Variance, IsBiasedAndDoesNotOverflowHalves) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        return {ops::variance(ops::convert(x[0], DType::kF32)),
                ops::mean(x[0]),
                ops::variance(x[0] * 0.5)};
      },
      {of(DType::kF16, {4}, {300, -300, 300, -300})});
  EXPECT_EQ(y[0].at(0), 90000);
  EXPECT_EQ(y[1].at(0), 0);
  EXPECT_EQ(y[2].at(0), 22496);  // 22500 rounded to f16
}

TEST(Argmax, TakesTheFirstOfTies) {
  const auto y = evaluate_at(
      [](const Values& x) {
        return Values{ops::argmax(x[0], 1), ops::argmax(x[0], 0)};
      },
      {of(DType::kF32, {2, 3}, {1, 5, 5, 7, -1, 5})});
  EXPECT_EQ(y[0].to_ints(), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(y[1].to_ints(), (std::vector<int64_t>{1, 0, 0}));
  EXPECT_EQ(y[0].dtype(), DType::kI32);
}

TEST(Logsumexp, IsStableAndKeepsTheAxis) {
  const auto y = evaluate_at(
      [](const Values& x) { return Values{ops::logsumexp(x[0], 1)}; },
      {of(DType::kF64,
          {3, 2},
          {1000, 1000, -1000, -1000, -INFINITY, -INFINITY})});
  EXPECT_EQ(y[0].type().str(), "f64[3,1]");
  EXPECT_NEAR(y[0].at(0), 1000 + std::log(2), 1e-12);
  EXPECT_NEAR(y[0].at(1), -1000 + std::log(2), 1e-12);
  EXPECT_EQ(y[0].at(2), -INFINITY);
}

TEST(AllFinite, SeesOneBadElementAmongMany) {
  const auto f = [](const Values& x) {
    return Values{ops::all_finite({x[0], x[1]})};
  };
  const auto good = of(DType::kF32, {3}, {1, 3e38, -3e38});
  for (const double bad : std::vector<double>{NAN, INFINITY, -INFINITY, 0}) {
    const auto y = evaluate_at(f, {good, of(DType::kF64, {2}, {1, bad})});
    EXPECT_EQ(y[0].at(0), bad == 0 ? 1 : 0);
  }
}

TEST(Mean, AndVarianceGradients) {
  EXPECT_TRUE(check_grads(
      [](const Values& x) {
        return weighted_sum({ops::mean(x[0], {0}),
                             ops::variance(x[0], {1}, true),
                             ops::norm(x[0]),
                             ops::logsumexp(x[0], 0)});
      },
      {random_normal({DType::kF64, {3, 4}}, Key::from_seed(1))},
      3));
}

}  // namespace
}  // namespace kexue::testing
