#include "kexue/ops/reduce.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ops/cumulative.h"
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

TEST(Argmax, CountsNanAsTheExtremeOnEitherSide) {
  const auto y = evaluate_at(
      [](const Values& x) {
        return Values{ops::argmax(x[0], 0), ops::argmin(x[0], 0, true)};
      },
      {of(DType::kF32, {4}, {9, NAN, -9, NAN})});
  EXPECT_EQ(y[0].to_ints(), (std::vector<int64_t>{1}));
  EXPECT_EQ(y[1].type().str(), "i32[1]");
  EXPECT_EQ(y[1].to_ints(), (std::vector<int64_t>{1}));
}

TEST(Argmin, OfI64SeesEveryBit) {
  const int64_t big = (int64_t{1} << 62) + 1;
  const auto y = evaluate_at(
      [](const Values& x) {
        return Values{ops::argmin(x[0], 0), ops::argmax(x[0], 0)};
      },
      {HostArray::of<int64_t>({3}, {big, big - 1, big + 1})});
  EXPECT_EQ(y[0].to_ints()[0], 1);
  EXPECT_EQ(y[1].to_ints()[0], 2);
}

TEST(Reductions, RefuseWhatTheyCannotReduce) {
  Graph g;
  const Value x = g.input({DType::kF32, {2, 0}});
  const auto bad = Code::kInvalidArgument;
  EXPECT_ERROR(ops::argmax(x, 1), bad, "argmax: axis 1 of f32[2,0] is empty");
  EXPECT_ERROR(ops::argmin(x, -1), bad, "argmin: axis 1 of f32[2,0] is empty");
  EXPECT_ERROR(ops::any(x), bad, "any: wants a bool tensor, got f32[2,0]");
  EXPECT_ERROR(ops::all(x), bad, "all: wants a bool tensor, got f32[2,0]");
}

TEST(Mean, OfHalvesDoesNotOverflow) {
  const auto y =
      evaluate_at([](const Values& x) { return Values{ops::mean(x[0])}; },
                  {HostArray::full({DType::kF16, {512}}, 300)});
  EXPECT_EQ(y[0].dtype(), DType::kF16);
  EXPECT_EQ(y[0].at(0), 300);
}

std::vector<double> slopes(const transforms::Function& f, const HostArray& x) {
  return evaluate_at(transforms::grad(f), {x})[0].to_doubles();
}

TEST(Reductions, HaveNoNanAtTheirKinks) {
  const auto same = of(DType::kF64, {3}, {2, 2, 2});
  const std::vector<double> none = {0, 0, 0};
  EXPECT_EQ(slopes([](const Values& x) { return ops::std_dev(x[0]); }, same),
            none);
  const auto zero = of(DType::kF64, {3}, {0, 0, 0});
  EXPECT_EQ(
      slopes([](const Values& x) { return ops::sum(ops::norm(x[0], {0})); },
             zero),
      none);
  const auto low = HostArray::full({DType::kF64, {3}}, -INFINITY);
  EXPECT_EQ(slopes([](const Values& x) { return ops::logsumexp(x[0]); }, low),
            none);
  // The first result is the first element, whatever it is.
  EXPECT_EQ(
      slopes(
          [](const Values& x) { return ops::sum(ops::cumlogsumexp(x[0], 0)); },
          low),
      (std::vector<double>{1, 0, 0}));
}

TEST(Prod, HasItsExactGradientAmongZeros) {
  const auto f = [](const Values& x) { return ops::prod(x[0]); };
  using V = std::vector<double>;
  EXPECT_EQ(slopes(f, of(DType::kF64, {3}, {2, 3, 4})), (V{12, 8, 6}));
  EXPECT_EQ(slopes(f, of(DType::kF64, {3}, {2, 0, 4})), (V{0, 8, 0}));
  EXPECT_EQ(slopes(f, of(DType::kF64, {3}, {0, 0, 4})), (V{0, 0, 0}));
  // d2/dx0dx1 of x0 x1 x2 at (0, 0, 4) is 4.
  const auto mixed = [&](const Values& x) {
    return ops::sum(ops::slice(transforms::grad(f)(x)[0], {0}, {1}));
  };
  EXPECT_EQ(slopes(mixed, of(DType::kF64, {3}, {0, 0, 4})), (V{0, 4, 0}));
}

TEST(Cumprod, HasItsExactGradientAmongZeros) {
  const auto f = [](const Values& x) {
    return ops::sum(ops::cumprod(x[0], 0));
  };
  // x0 + x0 x1 + x0 x1 x2 at (2, 0, 5): 1 + x1 + x1 x2, x0 + x0 x2, x0 x1.
  EXPECT_EQ(slopes(f, of(DType::kF64, {3}, {2, 0, 5})),
            (std::vector<double>{1, 12, 0}));
}

TEST(Cummax, SharesItsSlopeBetweenTies) {
  const auto g =
      slopes([](const Values& x) { return ops::sum(ops::cummax(x[0], 0)); },
             of(DType::kF64, {5}, {1, 3, 3, 2, 4}));
  EXPECT_EQ(g[0], 1);
  EXPECT_EQ(g[1] + g[2], 3);
  EXPECT_GT(g[2], 0);
  EXPECT_EQ(g[3], 0);
  EXPECT_EQ(g[4], 1);
}

TEST(Cumsum, OfSixteenBitsRunsWideAndOfIntegersWraps) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        return {ops::cumsum(x[0], 0), ops::cumsum(x[1], 0)};
      },
      {HostArray::full({DType::kBF16, {4096}}, 1),
       of(DType::kI32, {2}, {2147483647, 1})});
  EXPECT_EQ(y[0].at(4095), 4096);
  EXPECT_EQ(y[1].to_ints()[1], -2147483648);
}

TEST(Cumulative, RefusesBoolsStrayAxesAndIntegerExponentials) {
  Graph g;
  const Value b = g.input({DType::kBool, {2}});
  const Value n = g.input({DType::kI32, {2}});
  const auto bad = Code::kInvalidArgument;
  EXPECT_ERROR(ops::cumsum(b, 0), bad, "cumsum: wants floats or integers");
  EXPECT_ERROR(ops::cumprod(n, 1), bad, "cumprod");
  EXPECT_ERROR(ops::cumlogsumexp(n, 0),
               bad,
               "cumlogsumexp: wants a float tensor, got i32[2]");
}

TEST(Logsumexp, IsStableAndKeepsTheAxis) {
  const auto y = evaluate_at(
      [](const Values& x) { return Values{ops::logsumexp(x[0], {1}, true)}; },
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
                             ops::logsumexp(x[0], {0})});
      },
      {random_normal({DType::kF64, {3, 4}}, Key::from_seed(1))},
      3));
}

}  // namespace
}  // namespace kexue::testing
