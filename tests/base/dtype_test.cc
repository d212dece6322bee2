#include "kexue/base/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kexue {
namespace {

double f16(double x) {
  return round_to(DType::kF16, x);
}
double bf16(double x) {
  return round_to(DType::kBF16, x);
}

// Values measured with NumPy and ml_dtypes.
TEST(DType, Float16RoundsToNearestEven) {
  EXPECT_EQ(f16(1e-7), 1.1920928955078125e-07);
  EXPECT_EQ(f16(1e-8), 0.0);
  EXPECT_EQ(f16(2.9e-8), 0.0);
  EXPECT_EQ(f16(3e-8), 5.960464477539063e-08);
  EXPECT_EQ(f16(1e-4), 1.0001659393310547e-04);
  EXPECT_EQ(f16(65519), 65504.0);
  EXPECT_TRUE(std::isinf(f16(65520)));
}

TEST(DType, BFloat16RoundsToNearestEven) {
  EXPECT_EQ(bf16(0.1), 0.10009765625);
  EXPECT_EQ(bf16(3.14159265), 3.140625);
  EXPECT_EQ(bf16(65504), 65536.0);
  EXPECT_EQ(bf16(1.00390625), 1.0);
  EXPECT_EQ(bf16(1.01171875), 1.015625);
  EXPECT_EQ(bf16(10000), 9984.0);
  EXPECT_EQ(bf16(257), 256.0);
}

TEST(DType, SixteenBitPatternsRoundTrip) {
  for (uint32_t b = 0; b < 65536; ++b) {
    Float16 h;
    h.bits = static_cast<uint16_t>(b);
    const float x = static_cast<float>(h);
    if (std::isnan(x)) continue;
    ASSERT_EQ(Float16(x).bits, b);
    BFloat16 g;
    g.bits = static_cast<uint16_t>(b);
    const float y = static_cast<float>(g);
    if (std::isnan(y)) continue;
    ASSERT_EQ(BFloat16(y).bits, b);
  }
}

TEST(DType, NanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(static_cast<float>(Float16(nan))));
  EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(nan))));
}

TEST(DType, NamesRoundTrip) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto d = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_name(name(d)), d);
  }
  EXPECT_FALSE(dtype_from_name("float").has_value());
}

TEST(DType, ComplexOnesHaveTwoPartsOfAFloatType) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto d = static_cast<DType>(i);
    EXPECT_EQ(is_inexact(d), is_float(d) || is_complex(d));
    EXPECT_FALSE(is_float(d) && is_complex(d));
    if (!is_complex(d)) continue;
    EXPECT_EQ(complex_dtype_of(real_dtype_of(d)), d);
    EXPECT_EQ(complex_dtype_of(d), d);
    EXPECT_EQ(size_bytes(d), 2 * size_bytes(real_dtype_of(d)));
  }
  EXPECT_EQ(complex_dtype_of(DType::kF32), DType::kC64);
  EXPECT_EQ(complex_dtype_of(DType::kF64), DType::kC128);
  EXPECT_EQ(real_dtype_of(DType::kBF16), DType::kBF16);
  EXPECT_EQ(round_to(DType::kC64, 0.1), static_cast<double>(0.1f));
  EXPECT_EQ(round_to(DType::kC128, 0.1), 0.1);
}

}  // namespace
}  // namespace kexue
