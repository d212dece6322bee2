#include "kexue/kernels/cross_entropy.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/kernels/kernel_test_util.h"

namespace kexue::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Result {
  std::vector<float> loss, lse, dx;
  bool operator==(const Result&) const = default;
};

Result run(size_t rows,
           const std::vector<float>& x,
           const std::vector<int32_t>& labels,
           const std::vector<float>& dy) {
  const auto r = static_cast<int64_t>(rows);
  const auto n = static_cast<int64_t>(x.size() / rows);
  Result y{std::vector<float>(rows),
           std::vector<float>(rows),
           std::vector<float>(x.size())};
  cross_entropy(r, n, x.data(), labels.data(), y.loss.data(), y.lse.data());
  cross_entropy_grad(
      r, n, dy.data(), x.data(), labels.data(), y.lse.data(), y.dx.data());
  return y;
}

struct Reference {
  std::vector<double> loss, lse, dx;
};

Reference reference(size_t rows,
                    const std::vector<float>& x,
                    const std::vector<int32_t>& labels,
                    const std::vector<float>& dy) {
  const size_t n = x.size() / rows;
  Reference y;
  for (size_t r = 0; r < rows; ++r) {
    double total = 0;
    for (size_t c = 0; c < n; ++c) {
      total += std::exp(static_cast<double>(x[r * n + c]));
    }
    const auto label = static_cast<size_t>(labels[r]);
    const bool counts = labels[r] >= 0 && label < n;
    const double lse = std::log(total);
    y.lse.push_back(lse);
    y.loss.push_back(counts ? lse - static_cast<double>(x[r * n + label]) : 0);
    for (size_t c = 0; c < n; ++c) {
      const double p = std::exp(static_cast<double>(x[r * n + c])) / total;
      const double slope = p - (c == label ? 1 : 0);
      y.dx.push_back(counts ? slope * static_cast<double>(dy[r]) : 0);
    }
  }
  return y;
}

// One of -1 (outside), 0, ..., classes (outside) for each row.
std::vector<int32_t> some_labels(size_t rows, size_t classes) {
  std::vector<int32_t> labels;
  for (size_t r = 0; r < rows; ++r) {
    labels.push_back(static_cast<int32_t>(r * 7 % (classes + 2)) - 1);
  }
  return labels;
}

TEST(CrossEntropy, ValueAndGradientMatchTheDefinition) {
  for_each_simd([] {
    for (const auto& [rows, n] : std::vector<std::array<size_t, 2>>{
             {3, 1}, {9, 5}, {20, 16}, {70, 67}, {9, 1000}, {3, 30522}}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(n));
      auto x = normals(static_cast<int64_t>(rows * n), 1);
      for (float& v : x) v *= 4;
      const auto labels = some_labels(rows, n);
      const auto dy = normals(static_cast<int64_t>(rows), 2);
      const Result got = run(rows, x, labels, dy);
      const Reference want = reference(rows, x, labels, dy);
      EXPECT_LT(worst(got.loss, want.loss), 1e-6);
      EXPECT_LT(worst(got.lse, want.lse), 1e-6);
      EXPECT_LT(worst(got.dx, want.dx), 2e-6);
    }
  });
}

TEST(CrossEntropy, Bf16LogitsAreReadAsTheyAreAndSlopesRoundedOnce) {
  for_each_simd([] {
    constexpr int64_t kRows = 9, kClasses = 83;
    const auto x16 = to_bf16(normals(kRows * kClasses, 1));
    const auto labels = some_labels(kRows, kClasses);
    const auto dy = normals(kRows, 2);
    const Result want = run(kRows, to_f32(x16), labels, dy);
    std::vector<float> loss(kRows), lse(kRows), wide(x16.size());
    std::vector<BFloat16> dx(x16.size());
    cross_entropy(
        kRows, kClasses, x16.data(), labels.data(), loss.data(), lse.data());
    EXPECT_EQ(loss, want.loss);
    EXPECT_EQ(lse, want.lse);
    const auto grad = [&](FloatsOut to) {
      cross_entropy_grad(kRows,
                         kClasses,
                         dy.data(),
                         x16.data(),
                         labels.data(),
                         lse.data(),
                         to);
    };
    grad(dx.data());
    grad(wide.data());
    EXPECT_EQ(to_f32(dx), to_f32(to_bf16(want.dx)));
    EXPECT_EQ(wide, want.dx);
  });
}

TEST(CrossEntropy, LogitsOfAnySizeKeepTheirDifferences) {
  for_each_simd([] {
    const std::vector<float> x = {1e6f, 1e6f - 1, -3e38f, -1e5f, -1e5f, -2e5f};
    const Result y = run(2, x, {1, 0}, {1, 1});
    EXPECT_NEAR(y.loss[0], 1 + std::log1p(std::exp(-1.0)), 1e-6);
    EXPECT_NEAR(y.loss[1], std::log(2.0), 1e-6);
    for (const float v : y.dx) EXPECT_TRUE(std::isfinite(v));
  });
}

TEST(CrossEntropy, InfinityAndNaN) {
  for_each_simd([] {
    const std::vector<float> x = {
        0, -kInf, kInf, 0, NAN, 1, NAN, kInf, -kInf, -kInf};
    const Result y = run(5, x, {0, 0, 1, 1, 0}, {1, 1, 1, 1, 1});
    EXPECT_EQ(y.loss[0], 0);  // exp(-inf) is 0
    EXPECT_EQ(y.dx[0], 0);
    EXPECT_EQ(y.dx[1], 0);
    EXPECT_TRUE(std::isnan(y.loss[1]));
    EXPECT_EQ(y.lse[1], kInf);
    EXPECT_TRUE(std::isnan(y.loss[2]));
    EXPECT_TRUE(std::isnan(y.lse[3]));
    EXPECT_EQ(y.lse[4], -kInf);
    EXPECT_TRUE(std::isnan(y.loss[4]));
  });
}

TEST(CrossEntropy, AnImpossibleLabelHasInfiniteLoss) {
  for_each_simd([] {
    const Result y = run(1, {1, -kInf}, {1}, {1});
    EXPECT_EQ(y.loss[0], kInf);
    EXPECT_EQ(y.dx[0], 1);
    EXPECT_EQ(y.dx[1], -1);
  });
}

TEST(CrossEntropy, BitsDoNotDependOnTheThreadCount) {
  const auto x = normals(1500 * 301, 1), dy = normals(1500, 2);
  const auto labels = some_labels(1500, 301);
  expect_thread_independent([&] { return run(1500, x, labels, dy); });
}

TEST(CrossEntropy, NoClassesGiveNoLoss) {
  const float* none = nullptr;
  std::vector<float> loss(2, 5.0f), lse(2, 5.0f);
  const std::vector<int32_t> labels = {0, -1};
  cross_entropy(2, 0, none, labels.data(), loss.data(), lse.data());
  EXPECT_EQ(loss, std::vector<float>(2, 0.0f));
  EXPECT_EQ(lse, std::vector<float>(2, -kInf));
}

}  // namespace
}  // namespace kexue::kernels
