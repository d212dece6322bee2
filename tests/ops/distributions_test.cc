#include "kexue/ops/distributions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

#include "kexue/ops/ops.h"
#include "kexue/transforms/batch.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using Doubles = std::vector<double>;
using Draw = std::function<Value(const Value& key)>;

constexpr Code kBad = Code::kInvalidArgument;
constexpr int64_t kN = 100000;
constexpr double kE = 0.57721566490153286;  // Euler's constant

HostArray key_array(Key k) {
  return HostArray::of<uint32_t>({2}, {k.a, k.b});
}

HostArray sample(const Draw& draw, uint64_t seed = 2024) {
  return evaluate_at([&](const Values& k) { return Values{draw(k[0])}; },
                     {key_array(Key::from_seed(seed))})[0];
}

struct Moments {
  double mean;
  double variance;
  double fourth;  // E (x - mean)^4
};

// Mean and variance within four standard errors: chance 1 in 16,000 each.
void expect_moments(const Doubles& x, const Moments& m) {
  const auto n = static_cast<double>(x.size());
  double mean = 0;
  double variance = 0;
  for (const double v : x) mean += v / n;
  for (const double v : x) variance += (v - m.mean) * (v - m.mean) / n;
  EXPECT_NEAR(mean, m.mean, 4 * std::sqrt(m.variance / n));
  const double spread = m.fourth - m.variance * m.variance;
  EXPECT_NEAR(variance, m.variance, 4 * std::sqrt(spread / n));
}

// Kolmogorov and Smirnov: 1.95 / sqrt(n) is exceeded 1 time in 1,000.
void expect_quantiles(Doubles x, const std::function<double(double)>& cdf) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double f = cdf(x[i]);
    worst = std::max(worst, std::fabs(f - static_cast<double>(i) / n));
    worst = std::max(worst, std::fabs(f - static_cast<double>(i + 1) / n));
  }
  EXPECT_LT(worst, 1.95 / std::sqrt(n));
}

// Pearson's chi^2 against the 0.999 quantile (Wilson and Hilferty's formula).
void expect_shares(const std::vector<double>& counts,
                   const std::vector<double>& shares) {
  const double n = std::accumulate(counts.begin(), counts.end(), 0.0);
  double chi2 = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double want = n * shares[i];
    chi2 += (counts[i] - want) * (counts[i] - want) / want;
  }
  const double k = static_cast<double>(counts.size()) - 1;
  const double h = 2 / (9 * k);
  EXPECT_LT(chi2, k * std::pow(1 - h + 3.0902 * std::sqrt(h), 3));
}

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

TEST(RandomUniform, BetweenTwoEnds) {
  const auto x = sample([](const Value& k) {
                   return ops::random_uniform(k, {kN}, -3, 1);
                 }).to_doubles();
  expect_moments(x, {-1, 16.0 / 12, 256.0 / 80});
  expect_quantiles(x, [](double v) { return (v + 3) / 4; });
}

TEST(RandomNormal, WithAMeanAndADeviation) {
  const auto x = sample([](const Value& k) {
                   return ops::random_normal(k, {kN}, 2, 0.5);
                 }).to_doubles();
  expect_moments(x, {2, 0.25, 3 * 0.0625});
  expect_quantiles(x, [](double v) { return normal_cdf((v - 2) / 0.5); });
}

TEST(RandomTruncatedNormal, FollowsTheNormalInsideItsEnds) {
  struct Ends {
    double low;
    double high;
  };
  for (const Ends e : {Ends{-2, 2},
                       Ends{-1, 0.5},
                       Ends{2, 3},
                       Ends{1, INFINITY},
                       Ends{-INFINITY, INFINITY}}) {
    const auto x =
        sample([e](const Value& k) {
          return ops::random_truncated_normal(k, {kN}, e.low, e.high);
        }).to_doubles();
    const double a = normal_cdf(e.low);
    const double mass = normal_cdf(e.high) - a;
    expect_quantiles(x, [&](double v) { return (normal_cdf(v) - a) / mass; });
    for (const double v : x) {
      ASSERT_TRUE(v >= e.low && v <= e.high && std::isfinite(v));
    }
  }
  // Between -2 and 2: integration by parts, with c = 4 pdf(2) / mass:
  // E x^2 = 1 - c and E x^4 = 3 E x^2 - 4 c.
  const auto x = sample([](const Value& k) {
                   return ops::random_truncated_normal(k, {kN}, -2, 2);
                 }).to_doubles();
  const double edge =
      4 * std::exp(-2) / std::sqrt(2 * std::numbers::pi) / 0.954499736;
  const double variance = 1 - edge;
  expect_moments(x, {0, variance, 3 * variance - 4 * edge});
}

TEST(RandomExponential, HasItsMomentsAndQuantiles) {
  const auto x = sample([](const Value& k) {
                   return ops::random_exponential(k, {kN});
                 }).to_doubles();
  expect_moments(x, {1, 1, 9});
  expect_quantiles(x, [](double v) { return -std::expm1(-v); });
  EXPECT_GT(*std::min_element(x.begin(), x.end()), 0);
}

TEST(RandomGumbel, HasItsMomentsAndQuantiles) {
  const auto x = sample([](const Value& k) {
                   return ops::random_gumbel(k, {kN});
                 }).to_doubles();
  const double v = std::numbers::pi * std::numbers::pi / 6;
  expect_moments(x, {kE, v, 5.4 * v * v});
  expect_quantiles(x, [](double t) { return std::exp(-std::exp(-t)); });
}

TEST(RandomLaplace, HasItsMomentsAndQuantiles) {
  const auto x = sample([](const Value& k) {
                   return ops::random_laplace(k, {kN});
                 }).to_doubles();
  expect_moments(x, {0, 2, 24});
  expect_quantiles(x, [](double t) {
    return t < 0 ? 0.5 * std::exp(t) : 1 - 0.5 * std::exp(-t);
  });
}

TEST(RandomBernoulli, IsTrueWithItsProbability) {
  for (const double p : {0.3, 0.001}) {
    const auto y = sample(
        [p](const Value& k) { return ops::random_bernoulli(k, {kN}, p); });
    EXPECT_EQ(y.dtype(), DType::kBool);
    double hits = 0;
    for (const double v : y.to_doubles()) hits += v;
    EXPECT_NEAR(hits / kN, p, 4 * std::sqrt(p * (1 - p) / kN));
  }
  const auto ends = evaluate_at(
      [](const Values& k) -> Values {
        return {ops::random_bernoulli(k[0], {64}, 0),
                ops::random_bernoulli(k[0], {64}, 1),
                ops::random_bernoulli(k[0], {2, 32}, k[1])};
      },
      {key_array({1, 2}), HostArray::of<float>({2, 1}, {0.0f, 1.0f})});
  for (int64_t i = 0; i < 64; ++i) {
    EXPECT_EQ(ends[0].at(i), 0);
    EXPECT_EQ(ends[1].at(i), 1);
    EXPECT_EQ(ends[2].at(i), i < 32 ? 0 : 1);
  }
}

TEST(RandomCategorical, DrawsTheSoftmax) {
  const Doubles logits = {0.5, -1, -INFINITY, 2, 0};
  const auto y = sample([&](const Value& k) {
    const Value l =
        ops::constant(HostArray::from_doubles({DType::kF32, {5, 1}}, logits));
    return ops::random_categorical(k, ops::broadcast_to(l, {5, kN}), 0);
  });
  EXPECT_EQ(y.type().str(), "i32[100000]");
  std::map<double, double> counts;
  for (const double v : y.to_doubles()) ++counts[v];
  EXPECT_EQ(counts.count(2), 0U);
  double total = 0;
  for (const double l : logits) total += std::exp(l);
  Doubles shares;
  for (const size_t i : {0, 1, 3, 4}) {
    shares.push_back(std::exp(logits[i]) / total);
  }
  expect_shares({counts[0], counts[1], counts[3], counts[4]}, shares);
}

TEST(RandomIntegers, AreEvenlySpreadOverTheRange) {
  const auto y = sample([](const Value& k) {
                   return ops::random_integers(k, {kN}, -2, 5);
                 }).to_doubles();
  Doubles counts(7, 0.0);
  for (const double v : y) {
    ASSERT_TRUE(v >= -2 && v < 5);
    ++counts[static_cast<size_t>(v + 2)];
  }
  expect_shares(counts, Doubles(7, 1.0 / 7));
}

// 3 * 2^30 does not divide 2^32: with 32 bits the first third would be drawn
// twice as often.
TEST(RandomIntegers, AreNotBiasedInWideRanges) {
  const auto y = sample([](const Value& k) {
                   return ops::random_integers(
                       k, {kN}, -(int64_t{3} << 29), int64_t{3} << 29);
                 }).to_doubles();
  Doubles counts(3, 0.0);
  for (const double v : y) {
    ++counts[static_cast<size_t>(std::floor(v / 0x1.0p30 + 1.5))];
  }
  expect_shares(counts, Doubles(3, 1.0 / 3));
  const auto all = sample([](const Value& k) {
    return ops::random_integers(k, {kN}, INT32_MIN, int64_t{INT32_MAX} + 1);
  });
  expect_quantiles(all.to_doubles(),
                   [](double v) { return (v + 0x1.0p31 + 0.5) * 0x1.0p-32; });
}

TEST(RandomPermutation, HoldsEachNumberOnce) {
  auto y = sample([](const Value& k) {
             return ops::random_permutation(k, 1000);
           }).to_doubles();
  EXPECT_FALSE(std::is_sorted(y.begin(), y.end()));
  std::sort(y.begin(), y.end());
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], i);
}

// 24,000 keys from one, one program: also tests split_key and the batch rules.
TEST(RandomPermutation, EveryOrderIsEquallyLikely) {
  const auto y = sample([](const Value& k) {
    const auto one = [](const Values& key) -> Values {
      return {ops::random_permutation(key[0], 4)};
    };
    return transforms::batch(one)({ops::split_key(k, 24000)})[0];
  });
  ASSERT_EQ(y.type().str(), "i32[24000,4]");
  std::map<int, double> counts;
  for (int64_t i = 0; i < 24000; ++i) {
    int order = 0;
    for (int64_t j = 0; j < 4; ++j) {
      order = order * 10 + static_cast<int>(y.at(i * 4 + j));
    }
    ++counts[order];
  }
  ASSERT_EQ(counts.size(), 24U);
  Doubles list;
  for (const auto& [order, n] : counts) list.push_back(n);
  expect_shares(list, Doubles(24, 1.0 / 24));
}

TEST(Shuffle, MovesWholeLinesAndTheirGradients) {
  const auto y = evaluate_at(
      [](const Values& v) -> Values {
        const Value s = ops::shuffle(v[0], v[1], 1);
        const Value p = ops::random_permutation(v[0], 5);
        const Value loss = ops::sum(s * ops::convert(p, DType::kF32));
        return {s, p, transforms::gradients(loss, {v[1]})[0]};
      },
      {key_array({3, 4}),
       HostArray::of<float>({2, 5}, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14})});
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(y[0].at(i), y[1].at(i));
    EXPECT_EQ(y[0].at(i + 5), y[1].at(i) + 10);
    EXPECT_EQ(y[2].at(i), i);
  }
}

TEST(SplitKey, RowsAreFoldedKeysAndStreamsAreIndependent) {
  const auto keys = evaluate_at(
      [](const Values& k) -> Values {
        const Value s = ops::split_key(k[0], 3);
        return {s,
                ops::fold_in(k[0], 0U),
                ops::fold_in(k[0], 1U),
                ops::fold_in(k[0], 2U)};
      },
      {key_array({5, 6})});
  EXPECT_EQ(keys[0].type().str(), "u32[3,2]");
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(keys[0].at(i), keys[static_cast<size_t>(1 + i / 2)].at(i % 2));
  }
  const auto u = sample([](const Value& k) {
                   const auto one = [](const Values& key) -> Values {
                     return {ops::random_uniform(key[0], {kN / 2})};
                   };
                   return transforms::batch(one)({ops::split_key(k, 2)})[0];
                 }).to_doubles();
  const size_t half = u.size() / 2;
  double streams = 0;
  double neighbours = 0;
  for (size_t i = 0; i + 1 < half; ++i) {
    streams += (u[i] - 0.5) * (u[half + i] - 0.5) * 12;
    neighbours += (u[i] - 0.5) * (u[i + 1] - 0.5) * 12;
  }
  EXPECT_NEAR(streams / std::sqrt(half), 0, 4);
  EXPECT_NEAR(neighbours / std::sqrt(half), 0, 4);
}

std::vector<std::function<Value(const Value&, const Shape&)>> all_of_shape() {
  return {
      [](const Value& k, const Shape& s) {
        return ops::random_uniform(k, s, -1, 1);
      },
      [](const Value& k, const Shape& s) {
        return ops::random_normal(k, s, 1, 2);
      },
      [](const Value& k, const Shape& s) {
        return ops::random_exponential(k, s);
      },
      [](const Value& k, const Shape& s) { return ops::random_gumbel(k, s); },
      [](const Value& k, const Shape& s) { return ops::random_laplace(k, s); },
      [](const Value& k, const Shape& s) {
        return ops::random_bernoulli(k, s, 0.5);
      },
      [](const Value& k, const Shape& s) {
        return ops::random_integers(k, s, 0, 1000);
      }};
}

TEST(Distributions, DependOnTheKeyAndTheIndexAlone) {
  for (const auto& draw : all_of_shape()) {
    const auto y = evaluate_at(
        [&](const Values& k) -> Values {
          return {draw(k[0], {40}),
                  draw(k[0], {3, 7}),
                  draw(k[0], {}),
                  draw(k[0], {0}),
                  draw(ops::fold_in(k[0], 1U), {40})};
        },
        {key_array({7, 8})});
    for (int64_t i = 0; i < 21; ++i) EXPECT_EQ(y[1].at(i), y[0].at(i));
    EXPECT_EQ(y[2].at(0), y[0].at(0));
    EXPECT_EQ(y[3].size(), 0);
    EXPECT_FALSE(y[4].identical(y[0]));
  }
}

TEST(Distributions, SamplesAreFunctionsOfTheirParameters) {
  const HostArray key = key_array({9, 10});
  const HostArray a = HostArray::of<double>({3}, {0.5, -1, 1});
  const HostArray b = HostArray::of<double>({2, 1}, {1.5, 3});
  const Shape s = {2, 3};
  using Two = Value (*)(const Arg&, const Shape&, const Value&, const Value&);
  for (const Two draw : {Two{ops::random_uniform},
                         Two{ops::random_normal},
                         Two{ops::random_gumbel},
                         Two{ops::random_laplace},
                         Two{ops::random_truncated_normal}}) {
    const auto f = [&](const Values& x) {
      const Value y = draw(x[0], s, x[1], x[2]);
      return weighted_sum({y * y * y});
    };
    EXPECT_TRUE(check_grads(f, {key, a, b}, 3));
  }
  const auto f = [&](const Values& x) {
    return weighted_sum({ops::random_exponential(x[0], s, x[1])});
  };
  EXPECT_TRUE(check_grads(f, {key, b}, 3));
}

TEST(Distributions, TakeTheirParametersDtypeAndPlace) {
  for (const DType d : {DType::kF64, DType::kBF16}) {
    const auto y = evaluate_at(
        [&](const Values& k) -> Values {
          const Value five = ops::full({d, {}}, 5);
          const Value two = ops::full({d, {}}, 2);
          return {ops::random_laplace(k[0], {4}, five, two),
                  ops::random_exponential(k[0], {4}, two),
                  ops::random_laplace(k[0], {4}),
                  ops::random_exponential(k[0], {4})};
        },
        {key_array({1, 1})});
    EXPECT_EQ(y[0].dtype(), d);
    const double t = d == DType::kF64 ? 1e-15 : 0.05;
    for (int64_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(y[0].at(i), 5 + 2 * y[2].at(i), t);
      EXPECT_NEAR(y[1].at(i), y[3].at(i) / 2, t);
    }
  }
}

TEST(Distributions, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value k = g.input({DType::kU32, {2}});
  const Value x = g.input({DType::kF32, {3}});
  EXPECT_ERROR(ops::random_bernoulli(k, {3}, 1.5),
               kBad,
               "random_bernoulli: 1.5 is no probability");
  EXPECT_ERROR(ops::random_bernoulli(k, {3}, NAN), kBad, "nan");
  EXPECT_ERROR(ops::random_truncated_normal(k, {3}, 2, 2),
               kBad,
               "random_truncated_normal: [2, 2] is no interval");
  EXPECT_ERROR(ops::random_integers(k, {3}, 4, 4),
               kBad,
               "random_integers: no i32 in [4, 4)");
  EXPECT_ERROR(ops::random_integers(k, {3}, 0, int64_t{1} << 32), kBad, "i32");
  EXPECT_ERROR(ops::random_permutation(k, -1), kBad, "n is -1");
  EXPECT_ERROR(ops::split_key(k, -2), kBad, "split_key: n is -2");
  EXPECT_ERROR(ops::split_key(x, 2), kBad, "a key is u32[2], got f32[3]");
  EXPECT_ERROR(ops::random_categorical(k, x, 1), kBad, "random_categorical");
  EXPECT_ERROR(ops::shuffle(k, x, 1), kBad, "shuffle: axis 1");
  EXPECT_ERROR(ops::random_normal(k, {2}, x, x), kBad, "broadcast");
}

}  // namespace
}  // namespace kexue::testing
