#include "kexue/ops/pool.h"

#include <gtest/gtest.h>

#include "kexue/transforms/batch.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using ops::Layout;
using ops::Padding;
using ops::PoolOptions;
using Doubles = std::vector<double>;
constexpr Code kBad = Code::kInvalidArgument;

HostArray f64(const Shape& s, const Doubles& v) {
  return HostArray::from_doubles({DType::kF64, s}, v);
}

Doubles values(const std::function<Value(const Value&)>& f,
               const HostArray& x) {
  return evaluate_at([&](const Values& v) -> Values { return {f(v[0])}; },
                     {x})[0]
      .to_doubles();
}

Doubles slopes(const std::function<Value(const Value&)>& f,
               const HostArray& x) {
  return values(
      [&](const Value& v) {
        return transforms::gradients(ops::sum(f(v)), {v})[0];
      },
      x);
}

TEST(MaxPool, TheFirstOfEqualElementsGetsTheSlope) {
  const auto pool = [](const Value& x) {
    return ops::max_pool(x, {.window = {3}, .strides = {2}});
  };
  EXPECT_EQ(slopes(pool, f64({1, 5, 1}, {2, 2, 1, 2, 2})),
            (Doubles{1, 0, 0, 1, 0}));
  EXPECT_EQ(slopes(pool, f64({1, 5, 1}, {0, 0, 0, 0, 0})),
            (Doubles{1, 0, 1, 0, 0}));
  // Two windows may choose one element.
  EXPECT_EQ(slopes(pool, f64({1, 5, 1}, {0, 0, 3, 0, 0})),
            (Doubles{0, 0, 2, 0, 0}));
}

TEST(MaxPool, SecondDerivativeAtTiesFollowsTheChosenElements) {
  // sum(y^2): gradient 2 x and Hessian 2 at each window's first maximum.
  const auto x = f64({1, 4, 1}, {3, 3, -1, 5});
  const auto g = [](const Value& v) {
    const Value y = ops::max_pool(v, {.window = {2}});
    return transforms::gradients(ops::sum(y * y), {v})[0];
  };
  EXPECT_EQ(values(g, x), (Doubles{6, 0, 0, 10}));
  EXPECT_EQ(slopes(g, x), (Doubles{2, 0, 0, 2}));
}

TEST(MaxPool, AWindowOfPaddingGivesMinusInfinityAndNoSlope) {
  const auto pool = [](const Value& x) {
    return ops::max_pool(x,
                         {.window = {2}, .padding = {.low = {2}, .high = {0}}});
  };
  const auto x = f64({1, 2, 1}, {4, 7});
  EXPECT_EQ(values(pool, x), (Doubles{-INFINITY, 7}));
  EXPECT_EQ(slopes(pool, x), (Doubles{0, 1}));
}

TEST(AveragePool, CountsPaddingOnlyIfAsked) {
  PoolOptions options{
      .window = {3, 3}, .strides = {1, 1}, .padding = Padding::same()};
  const auto pool = [&](const Value& x) {
    return ops::average_pool(x, options);
  };
  const auto ones = HostArray::full({DType::kF64, {1, 3, 3, 1}}, 1);
  EXPECT_EQ(values(pool, ones), Doubles(9, 1));
  options.count_include_pad = true;
  const auto got = values(pool, ones);
  const Doubles want = {4, 6, 4, 6, 9, 6, 4, 6, 4};
  for (size_t i = 0; i < 9; ++i) EXPECT_NEAR(got[i], want[i] / 9, 1e-15);
  const auto f = [&](const Values& v) { return weighted_sum({pool(v[0])}); };
  EXPECT_TRUE(check_grads(
      f, {random_normal({DType::kF64, {1, 3, 4, 2}}, Key::from_seed(1))}, 2));
}

TEST(GlobalPool, ReducesAllPositions) {
  const auto x = f64({1, 2, 2, 2}, {1, 10, 2, 20, 3, 30, 6, 0});
  const auto average = [](const Value& v) {
    return ops::global_average_pool(v);
  };
  const auto largest = [](const Value& v) { return ops::global_max_pool(v); };
  EXPECT_EQ(values(average, x), (Doubles{3, 15}));
  EXPECT_EQ(values(largest, x), (Doubles{6, 30}));
  EXPECT_EQ(values(
                [](const Value& v) {
                  return ops::global_max_pool(v, Layout::kChannelsFirst);
                },
                x),
            (Doubles{20, 30}));
  const auto f = [](const Values& v) {
    const Value y = ops::global_average_pool(v[0], Layout::kChannelsFirst);
    return ops::sum(y * y * ops::global_max_pool(v[0], Layout::kChannelsFirst));
  };
  EXPECT_TRUE(check_grads(f, {x}, 2));
}

TEST(UpsampleNearest, RepeatsEachElement) {
  const auto x = f64({1, 2, 2, 1}, {1, 2, 3, 4});
  const auto up = [](const Value& v) {
    return ops::upsample_nearest(v, {2, 1});
  };
  EXPECT_EQ(values(up, x), (Doubles{1, 2, 1, 2, 3, 4, 3, 4}));
  EXPECT_EQ(slopes(up, x), Doubles(4, 2));
  EXPECT_EQ(
      values(
          [](const Value& v) {
            return ops::upsample_nearest(v, {1, 3}, Layout::kChannelsFirst);
          },
          f64({1, 1, 2, 2}, {1, 2, 3, 4})),
      (Doubles{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}));
  const auto f = [](const Values& v) {
    const Value y = ops::upsample_nearest(v[0], {2, 3});
    return weighted_sum({y * y});
  };
  EXPECT_TRUE(check_grads(f, {x}, 2));
}

TEST(PoolBatch, EveryExampleByItself) {
  const auto x = random_normal({DType::kF64, {3, 2, 5, 4}}, Key::from_seed(9));
  const PoolOptions options{
      .window = {3}, .strides = {1}, .padding = {.low = {1}, .high = {3}}};
  // As many examples as the batch has anyway: folded by hand.
  const auto check = [&](const std::function<Value(const Value&)>& f) {
    const auto got = values(
        [&](const Value& v) {
          return transforms::batch(
              [&](const Values& one) -> Values { return {f(one[0])}; })({v})[0];
        },
        x);
    const auto want = values(
        [&](const Value& v) {
          return f(ops::reshape(v, {6, 5, 4}));
        },
        x);
    EXPECT_EQ(got, want);
  };
  check([&](const Value& v) { return ops::sum_pool(v, options); });
  check([&](const Value& v) { return ops::max_pool(v, options); });
  check([&](const Value& v) { return ops::average_pool(v, options); });
  check([&](const Value& v) {
    return transforms::gradients(
        weighted_sum({ops::sum(ops::max_pool(v, options), {0})}), {v})[0];
  });
  const auto places = values(
      [&](const Value& v) {
        return transforms::batch([&](const Values& one) -> Values {
          return {ops::max_pool_index(one[0], options)};
        })({v})[0];
      },
      x);
  const auto first = values(
      [&](const Value& v) {
        return ops::max_pool_index(
            ops::reshape(ops::slice_axis(v, 0, 1, 2), {2, 5, 4}), options);
      },
      x);
  const auto n = static_cast<std::ptrdiff_t>(first.size());
  EXPECT_EQ(Doubles(places.begin() + n, places.begin() + 2 * n), first);
}

TEST(Pool, RefusesWhatDoesNotFit) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 8, 8, 3}});
  const Value n = g.input({DType::kI32, {2, 8, 8, 3}});
  EXPECT_ERROR(ops::max_pool(x, {.window = {2}}),
               kBad,
               "max_pool: wants a window entry for each spatial dimension, "
               "got 1 for f32[2,8,8,3]");
  EXPECT_ERROR(ops::sum_pool(x, {.window = {}}), kBad, "sum_pool: wants a win");
  EXPECT_ERROR(ops::sum_pool(n, {.window = {2, 2}}), kBad, "a float tensor");
  EXPECT_ERROR(ops::average_pool(x, {.window = {2, 0}}), kBad, ">= 1");
  EXPECT_ERROR(
      ops::max_pool(x, {.window = {2, 2}, .strides = {0, 1}}), kBad, ">= 1");
  EXPECT_ERROR(ops::max_pool(x, {.window = {2, 2}, .strides = {1}}),
               kBad,
               "one entry a spatial dimension");
  EXPECT_ERROR(ops::max_pool(x, {.window = {2, 2}, .dilation = {1}}),
               kBad,
               "one entry a spatial dimension");
  EXPECT_ERROR(ops::max_pool(x, {.window = {2, 2}, .padding = {.low = {1}}}),
               kBad,
               "one entry a spatial dimension");
  const Value huge = g.input({DType::kF32, {1, int64_t{1} << 31, 1}});
  EXPECT_ERROR(ops::max_pool_index(huge, {.window = {2}}),
               Code::kUnsupported,
               "more than 2^31 - 2 elements");
  const Value flat = g.input({DType::kF32, {2, 8}});
  EXPECT_ERROR(ops::global_average_pool(flat), kBad, "one spatial dimension");
  EXPECT_ERROR(ops::global_max_pool(flat), kBad, "global_max_pool: wants");
  EXPECT_ERROR(ops::upsample_nearest(x, {2}), kBad, "one factor >= 1");
  EXPECT_ERROR(ops::upsample_nearest(x, {2, 0}), kBad, "one factor >= 1");
}

}  // namespace
}  // namespace kexue::testing
