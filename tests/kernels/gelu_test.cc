#include "kexue/kernels/gelu.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/kernels/kernel_test_util.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

double cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}
double pdf(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2.0 * 3.14159265358979323846);
}

TEST(Gelu, ValueIsWithinOneTenMillionthTimesX) {
  for_each_simd([] {
    std::vector<float> x;
    for (int i = -12000; i <= 12000; ++i) {
      x.push_back(static_cast<float>(i) / 1000);
    }
    std::vector<float> y(x.size());
    gelu(static_cast<int64_t>(x.size()), x.data(), y.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const auto v = static_cast<double>(x[i]);
      ASSERT_NEAR(y[i], v * cdf(v), 1.3e-7 * std::max(1.0, std::fabs(v))) << v;
      // The left tail has relative accuracy as far as the fit goes.
      if (v > -5.0) {
        ASSERT_NEAR(y[i], v * cdf(v), 5e-6 * std::fabs(v * cdf(v))) << v;
      }
    }
  });
}

TEST(Gelu, GradientMatchesTheDefinition) {
  for_each_simd([] {
    std::vector<float> x;
    for (int i = -15000; i <= 15000; ++i) {
      x.push_back(static_cast<float>(i) / 1000);
    }
    const std::vector<float> dy(x.size(), 2.0f);
    std::vector<float> dx(x.size());
    gelu_grad(static_cast<int64_t>(x.size()), dy.data(), x.data(), dx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const auto v = static_cast<double>(x[i]);
      ASSERT_NEAR(dx[i], 2 * (cdf(v) + v * pdf(v)), 6e-7) << v;
    }
  });
}

TEST(Gelu, InfinityAndNaN) {
  for_each_simd([] {
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const std::vector<float> x = {kInf, -kInf, std::nanf(""), 3e38f, -3e38f};
    const std::vector<float> one(5, 1.0f);
    std::vector<float> y(5), dx(5);
    gelu(5, x.data(), y.data());
    gelu_grad(5, one.data(), x.data(), dx.data());
    EXPECT_EQ(y[0], kInf);
    EXPECT_EQ(y[1], 0.0f);
    EXPECT_TRUE(std::isnan(y[2]));
    EXPECT_EQ(y[3], 3e38f);
    EXPECT_EQ(y[4], 0.0f);
    EXPECT_EQ(dx[0], 1.0f);
    EXPECT_EQ(dx[1], 0.0f);
    EXPECT_TRUE(std::isnan(dx[2]));
    EXPECT_EQ(dx[3], 1.0f);
    EXPECT_EQ(dx[4], 0.0f);
  });
}

TEST(Gelu, Bf16ResultsAreTheRoundedF32Ones) {
  for_each_simd([] {
    const auto x = normals(5001, 1), dy = normals(5001, 2);
    std::vector<float> y(5001), dx(5001);
    std::vector<BFloat16> y16(5001), dx16(5001);
    gelu(5001, x.data(), y.data());
    gelu(5001, x.data(), y16.data());
    gelu_grad(5001, dy.data(), x.data(), dx.data());
    gelu_grad(5001, dy.data(), x.data(), dx16.data());
    EXPECT_EQ(to_f32(y16), to_f32(to_bf16(y)));
    EXPECT_EQ(to_f32(dx16), to_f32(to_bf16(dx)));
  });
}

TEST(Gelu, BitsDoNotDependOnTheThreadCount) {
  const auto x = normals(200003, 1);
  expect_thread_independent([&] {
    std::vector<float> y(x.size());
    gelu(static_cast<int64_t>(x.size()), x.data(), y.data());
    return y;
  });
}

TEST(Gelu, OtherTypesAreRefused) {
  EXPECT_ERROR(
      FloatsIn(nullptr, DType::kF64), Code::kInvalidArgument, "got f64");
  EXPECT_ERROR(
      FloatsOut(nullptr, DType::kI32), Code::kInvalidArgument, "got i32");
}

}  // namespace
}  // namespace kexue::kernels
