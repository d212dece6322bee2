#include "kexue/kernels/dropout.h"

#include <gtest/gtest.h>

#include "kexue/kernels/dropout_rule.h"
#include "tests/kernels/kernel_test_util.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

constexpr Key kKey{0x12345678, 0x9abcdef0};

bool kept(uint64_t i, uint32_t threshold) {
  const uint64_t j = i / 4;
  const auto w = threefry2x32(
      kKey, static_cast<uint32_t>(j >> 32), static_cast<uint32_t>(j));
  const uint32_t word = w[i % 4 / 2];
  const uint32_t value = i % 2 ? word >> 16 : word & 0xffff;
  return value >= threshold;
}

TEST(Dropout, BitsAreThoseOfTheDefinition) {
  for_each_simd([] {
    const auto x = normals(70001, 1);
    for (const int64_t threshold : {int64_t{6554}, int64_t{40000}}) {
      const float scale = 65536.0f / static_cast<float>(65536 - threshold);
      std::vector<float> y(x.size());
      dropout(70001, threshold, kKey, x.data(), y.data());
      for (size_t i = 0; i < x.size(); ++i) {
        const bool keep = kept(i, static_cast<uint32_t>(threshold));
        ASSERT_EQ(y[i], keep ? x[i] * scale : 0.0f) << i;
      }
    }
  });
}

TEST(Dropout, AnyStartGivesThatPartOfTheStream) {
  for_each_simd([] {
    const detail::DropoutRule rule = detail::dropout_rule(30000, kKey);
    const std::vector<float> one(300, 1.0f);
    for (const int64_t start : {int64_t{0},
                                int64_t{1},
                                int64_t{6},
                                int64_t{7},
                                int64_t{64},
                                (int64_t{1} << 34) - 40,
                                (int64_t{1} << 40) + 3}) {
      for (const int64_t n : {int64_t{1}, int64_t{3}, int64_t{300}}) {
        std::vector<float> y(300, -1.0f);
        detail::simd().dropout(one.data(), y.data(), n, start, rule);
        for (int64_t i = 0; i < n; ++i) {
          const bool keep = kept(static_cast<uint64_t>(start + i), 30000);
          ASSERT_EQ(y[static_cast<size_t>(i)], keep ? rule.scale : 0.0f)
              << start << " + " << i;
        }
      }
    }
  });
}

TEST(Dropout, RateZeroIsTheIdentityAndRateOneIsZero) {
  const auto x = normals(100, 1);
  std::vector<float> y(100);
  dropout(100, 0, kKey, x.data(), y.data());
  EXPECT_EQ(y, x);
  dropout(100, 65536, kKey, x.data(), y.data());
  EXPECT_EQ(y, std::vector<float>(100, 0.0f));
}

TEST(Dropout, Bf16IsTheRoundedF32Result) {
  const auto x16 = to_bf16(normals(9001, 1));
  const auto x = to_f32(x16);
  std::vector<float> y(9001);
  std::vector<BFloat16> y16(9001);
  dropout(9001, 6554, kKey, x.data(), y.data());
  dropout(9001, 6554, kKey, x16.data(), y16.data());
  EXPECT_EQ(to_f32(y16), to_f32(to_bf16(y)));
}

TEST(Dropout, BitsDoNotDependOnTheThreadCount) {
  const auto x = normals(200003, 1);
  expect_thread_independent([&] {
    std::vector<float> y(x.size());
    dropout(200003, 6554, kKey, x.data(), y.data());
    return y;
  });
}

TEST(Dropout, ThresholdOutsideIsRefused) {
  const float* none = nullptr;
  float* out = nullptr;
  EXPECT_ERROR(
      dropout(0, 65537, kKey, none, out), Code::kInvalidArgument, "got 65537");
  EXPECT_ERROR(
      dropout(0, -1, kKey, none, out), Code::kInvalidArgument, "got -1");
}

}  // namespace
}  // namespace kexue::kernels
