#include "kexue/kernels/running.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/kernels/kernel_test_util.h"

namespace kexue::kernels {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

template <class T>
std::vector<T> run(const RunningSpec& s, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  cumlogsumexp(s, x.data(), y.data());
  return y;
}

template <class T>
std::vector<T> run_grad(const RunningSpec& s,
                        const std::vector<T>& dy,
                        const std::vector<T>& x,
                        const std::vector<T>& y) {
  std::vector<T> dx(x.size());
  cumlogsumexp_grad(s, dy.data(), x.data(), y.data(), dx.data());
  return dx;
}

// The elements of a line, first of the sum first.
std::vector<size_t> line(const RunningSpec& s, int64_t i) {
  std::vector<size_t> at;
  for (int64_t k = 0; k < s.size; ++k) {
    const int64_t place = s.reverse ? s.size - 1 - k : k;
    at.push_back(static_cast<size_t>((i / s.inner * s.size + place) * s.inner +
                                     i % s.inner));
  }
  return at;
}

// Both by their definitions, each result from sums of its own, in long double.
template <class T>
void expect_definition(const RunningSpec& s, double scale, double tolerance) {
  std::vector<T> x, dy;
  const int64_t n = s.outer * s.size * s.inner;
  for (const float v : normals(n, 1)) x.push_back(static_cast<T>(v * scale));
  for (const float v : normals(n, 2)) dy.push_back(v);
  const auto y = run(s, x);
  const auto dx = run_grad(s, dy, x, y);
  for (int64_t i = 0; i < s.outer * s.inner; ++i) {
    const auto at = line(s, i);
    for (size_t j = 0; j < at.size(); ++j) {
      const auto v = [&](size_t k) { return static_cast<double>(x[at[k]]); };
      double top = -kInf;
      for (size_t k = 0; k <= j; ++k) top = std::max(top, v(k));
      long double total = 0;
      for (size_t k = 0; k <= j; ++k) total += std::exp(v(k) - top);
      const double want = top + static_cast<double>(std::log(total));
      ASSERT_NEAR(y[at[j]], want, tolerance * (1 + std::fabs(want)));
      long double slope = 0;
      for (size_t k = j; k < at.size(); ++k) {
        slope += dy[at[k]] * std::exp(v(j) - static_cast<double>(y[at[k]]));
      }
      ASSERT_NEAR(dx[at[j]],
                  static_cast<double>(slope),
                  tolerance * scale * (10 + std::fabs(dx[at[j]])));
    }
  }
}

TEST(Cumlogsumexp, EqualsTheDefinitionAlongEachAxis) {
  for (const bool reverse : {false, true}) {
    for (const RunningSpec& s : {RunningSpec{1, 1, 1, reverse},
                                 RunningSpec{1, 200, 1, reverse},
                                 RunningSpec{3, 7, 5, reverse},
                                 RunningSpec{2, 40, 33, reverse}}) {
      for (const double scale : {1.0, 20.0, 1000.0}) {
        expect_definition<float>(s, scale, 3e-7);
        expect_definition<double>(s, scale, 1e-14);
      }
    }
  }
}

TEST(Cumlogsumexp, InfinitiesAndNaN) {
  using V = std::vector<double>;
  const RunningSpec s{1, 5, 1, false};
  const V ones(5, 1.0);
  const V low = {-kInf, -kInf, 1, -kInf, 1};
  const V y = run(s, low);
  EXPECT_EQ(y, (V{-kInf, -kInf, 1, 1, 1 + std::log(2.0)}));
  const V dx = run_grad(s, ones, low, y);
  EXPECT_EQ(dx[0], 1);  // y[0] is x[0]
  EXPECT_EQ(dx[1], 0);
  EXPECT_NEAR(dx[2], 2.5, 1e-12);
  EXPECT_EQ(dx[3], 0);
  EXPECT_NEAR(dx[4], 0.5, 1e-12);
  const V high = {1, kInf, 2, kInf, 3};
  const V top = run(s, high);
  EXPECT_EQ(top, (V{1, kInf, kInf, kInf, kInf}));
  EXPECT_EQ(run_grad(s, ones, high, top), (V{1, 4, 0, 2, 0}));
  const V bad = run(s, V{1, 2, NAN, kInf, 3});
  EXPECT_TRUE(std::isfinite(bad[1]));
  for (const size_t i : {2, 3, 4}) EXPECT_TRUE(std::isnan(bad[i]));
}

TEST(Cumlogsumexp, LongSumsKeepTheirDigits) {
  const RunningSpec s{1, 1000000, 1, false};
  const std::vector<float> x(1000000, 0.5f);
  EXPECT_NEAR(run(s, x).back(), 0.5 + std::log(1e6), 1e-6);
}

TEST(Cumlogsumexp, BitsDoNotDependOnTheThreadCount) {
  const RunningSpec s{40, 100, 50, true};
  const auto x = normals(40 * 100 * 50, 1);
  expect_thread_independent([&] {
    const auto y = run(s, x);
    return std::pair(y, run_grad(s, x, x, y));
  });
}

}  // namespace
}  // namespace kexue::kernels
