#include "kexue/ops/random.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

constexpr Key kKey = {0xDEADBEEF, 42};

HostArray key_array(Key k) {
  return HostArray::of<uint32_t>({2}, {k.a, k.b});
}

TEST(RandomBits, AreThoseOfTheHostGenerator) {
  for (const int64_t n : {0, 1, 2, 7, 64}) {
    const auto bits = evaluate_at(
        [n](const Values& k) { return Values{ops::random_bits(k[0], {n})}; },
        {key_array(kKey)})[0];
    for (int64_t i = 0; i < n; ++i) {
      const auto w = threefry2x32(kKey, 0, static_cast<uint32_t>(i / 2));
      EXPECT_EQ(bits.to_ints()[static_cast<size_t>(i)],
                w[static_cast<size_t>(i % 2)]);
    }
  }
}

TEST(FoldIn, IsTheHostsFoldIn) {
  for (const uint32_t index : {0U, 1U, 77U, 4000000000U}) {
    const auto keys = evaluate_at(
        [index](const Values& v) {
          return Values{ops::fold_in(v[0], index), ops::fold_in(v[0], v[1])};
        },
        {key_array(kKey), HostArray::scalar(index)});
    const Key want = kKey.fold_in(index);
    EXPECT_TRUE(keys[0].identical(key_array(want)));
    EXPECT_TRUE(keys[1].identical(key_array(want)));
  }
}

// Bit for bit after the comment in kexue/ops/random.h: element i reads 16 of
// the 64 bits at counter i / 4, and is dropped if they are below the threshold.
TEST(Dropout, FollowsItsDescriptionBitForBit) {
  const double rate = 0.1;
  const auto t = static_cast<uint32_t>(std::lround(rate * 65536));
  const Shape shape{5, 13};
  const auto x = HostArray::full({DType::kF32, shape}, 3);
  const auto y = evaluate_at(
      [rate](const Values& v) -> Values {
        return {ops::dropout(v[0], v[1], rate),
                ops::keep_mask(v[1], v[0].shape(), rate)};
      },
      {x, key_array(kKey)});
  const auto scale = static_cast<float>(65536.0 / (65536.0 - t));
  for (uint32_t i = 0; i < 65; ++i) {
    const auto w = threefry2x32(kKey, 0, i / 4);
    const uint64_t all = w[0] | static_cast<uint64_t>(w[1]) << 32;
    const bool keep = (all >> (16 * (i % 4)) & 0xffff) >= t;
    EXPECT_EQ(y[0].span<float>()[i], keep ? 3.0f * scale : 0.0f);
    EXPECT_EQ(y[1].at(i), keep ? 1 : 0);
  }
}

TEST(Dropout, RateZeroIsTheValueItself) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {3}});
  const Value key = g.input({DType::kU32, {2}});
  EXPECT_EQ(ops::dropout(x, key, 0), x);
}

TEST(Dropout, KeepsTheShareItSays) {
  const auto y = evaluate_at(
      [](const Values& k) {
        return Values{
            ops::convert(ops::keep_mask(k[0], {40000}, 0.3), DType::kF64)};
      },
      {key_array(kKey)})[0];
  double kept = 0;
  for (const double v : y.to_doubles()) kept += v;
  EXPECT_NEAR(kept / 40000, 0.7, 4 * std::sqrt(0.21 / 40000));
}

TEST(Dropout, DoesNotPassNanOfDroppedElements) {
  const auto y = evaluate_at(
      [](const Values& v) { return Values{ops::dropout(v[0], v[1], 0.5)}; },
      {HostArray::full({DType::kF32, {64}}, NAN), key_array(kKey)})[0];
  int zeros = 0;
  for (const double v : y.to_doubles()) zeros += v == 0;
  EXPECT_GT(zeros, 16);
  EXPECT_LT(zeros, 48);
}

TEST(RandomUniform, IsInTheUnitIntervalOnAGrid) {
  const auto u = evaluate_at(
      [](const Values& k) { return Values{ops::random_uniform(k[0], {1000})}; },
      {key_array(kKey)})[0];
  double sum = 0;
  for (const double v : u.to_doubles()) {
    EXPECT_GE(v, 0);
    EXPECT_LT(v, 1);
    EXPECT_EQ(v * 0x1.0p23, std::floor(v * 0x1.0p23));
    sum += v;
  }
  EXPECT_NEAR(sum / 1000, 0.5, 4 / std::sqrt(12.0 * 1000));
}

TEST(RandomNormal, HasTheRightMomentsAndIsFinite) {
  const auto z = evaluate_at(
      [](const Values& k) { return Values{ops::random_normal(k[0], {4000})}; },
      {key_array(kKey)})[0];
  double s1 = 0;
  double s2 = 0;
  double s4 = 0;
  for (const double v : z.to_doubles()) {
    ASSERT_TRUE(std::isfinite(v));
    s1 += v;
    s2 += v * v;
    s4 += v * v * v * v;
  }
  EXPECT_NEAR(s1 / 4000, 0, 4 / std::sqrt(4000));
  EXPECT_NEAR(s2 / 4000, 1, 4 * std::sqrt(2.0 / 4000));
  EXPECT_NEAR(s4 / 4000, 3, 4 * std::sqrt(96.0 / 4000));
}

TEST(Dropout, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {3}});
  const Value n = g.input({DType::kI32, {3}});
  const Value key = g.input({DType::kU32, {2}});
  const auto bad = Code::kInvalidArgument;
  EXPECT_ERROR(ops::dropout(x, key, 1), bad, "rate 1 is not in [0, 1)");
  EXPECT_ERROR(ops::dropout(x, key, -0.1), bad, "rate -0.1");
  EXPECT_ERROR(ops::dropout(x, key, NAN), bad, "rate nan");
  EXPECT_ERROR(ops::dropout(x, n, 0.5), bad, "wants a key u32[2]", "i32[3]");
  EXPECT_ERROR(ops::dropout(n, key, 0.5), bad, "wants a float tensor");
  EXPECT_ERROR(ops::random_bits(x, {3}), bad, "a key is u32[2], got f32[3]");
  EXPECT_ERROR(ops::random_bits(key, {1 << 20, 1 << 20}),
               Code::kUnsupported,
               "exceed 2^32");
}

}  // namespace
}  // namespace kexue::testing
