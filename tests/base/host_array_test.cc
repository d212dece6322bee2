#include "kexue/base/host_array.h"

#include <gtest/gtest.h>

#include "tests/support/error_matchers.h"

namespace kexue {
namespace {

TEST(HostArray, CopiesShareAndClonesDoNot) {
  auto a = HostArray::of<float>({2}, std::vector<float>{1, 2});
  auto b = a;
  auto c = a.clone();
  a.mutable_span<float>()[0] = 5;
  EXPECT_EQ(b.at(0), 5);
  EXPECT_EQ(c.at(0), 1);
}

TEST(HostArray, CastRoundsOnce) {
  const auto a = HostArray::from_doubles({DType::kF64, {2}},
                                         std::vector<double>{0.1, 10000});
  EXPECT_EQ(a.cast(DType::kBF16).at(0), 0.10009765625);
  EXPECT_EQ(a.cast(DType::kBF16).at(1), 9984.0);
}

TEST(HostArray, HoldsComplexNumbers) {
  using C = std::complex<double>;
  const std::vector<C> z = {{0.1, -2}, {3, 0.1}};
  const auto wide = HostArray::from_complexes({DType::kC128, {2}}, z);
  EXPECT_EQ(wide.to_complexes(), z);
  EXPECT_EQ(wide.span<C>()[1], z[1]);
  EXPECT_EQ(wide.at(1), 3);
  const auto narrow = wide.cast(DType::kC64);
  EXPECT_EQ(narrow.span<std::complex<float>>()[0],
            (std::complex<float>{0.1f, -2}));
  EXPECT_EQ(narrow.cast(DType::kC128).to_complexes()[1],
            (C{3, static_cast<double>(0.1f)}));
  const auto real =
      HostArray::from_doubles({DType::kBF16, {1}}, std::vector<double>{2});
  EXPECT_EQ(real.cast(DType::kC64).to_complexes()[0], (C{2, 0}));
  EXPECT_ERROR(wide.cast(DType::kF64),
               Code::kInvalidArgument,
               "cannot cast c128[2] to f64",
               "take the real or the imaginary part first");
  EXPECT_ERROR(HostArray::from_complexes({DType::kC64, {3}}, z),
               Code::kInvalidArgument,
               "c64[3] wants 3 values, got 2");
  EXPECT_ERROR(HostArray::from_complexes({DType::kF64, {2}}, z),
               Code::kInternal,
               "f64[2] read as c64");
}

TEST(HostArray, WrongCountNamesTypeAndCount) {
  EXPECT_ERROR((HostArray::of<float>({3}, std::vector<float>{1, 2})),
               Code::kInvalidArgument,
               "f32[3] wants 3 values, got 2");
}

TEST(HostArray, ReadOnlyViewRefusesWrites) {
  static const float x = 3;
  HostArray v(
      {DType::kF32, {}}, reinterpret_cast<const std::byte*>(&x), nullptr);
  EXPECT_EQ(v.at(0), 3);
  EXPECT_ERROR(v.mutable_data(), Code::kInternal, "read-only");
}

TEST(HostArray, NewArraysAreZeroAndAligned) {
  for (const int64_t size : {0, 1, 7, 1000, 300'000}) {
    HostArray a(DType::kU8, Shape{size});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 64, 0U);
    for (uint8_t& x : a.mutable_span<uint8_t>()) {
      ASSERT_EQ(x, 0);
      x = 255;  // what the next array must not see
    }
  }
}

TEST(HostArray, EmptyArraysWork) {
  const HostArray a(DType::kF32, Shape{0, 4});
  EXPECT_EQ(a.size(), 0);
  EXPECT_TRUE(a.identical(a.clone()));
}

}  // namespace
}  // namespace kexue
