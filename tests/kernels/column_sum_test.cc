#include "kexue/kernels/column_sum.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/kernel_test_util.h"

namespace kexue::kernels {
namespace {

std::vector<float> sums(int64_t rows, int64_t dim, FloatsIn x) {
  std::vector<float> y(static_cast<size_t>(dim), 5.0f);
  column_sum(rows, dim, x, y.data());
  return y;
}

TEST(ColumnSum, MatchesTheDefinitionInBothTypes) {
  for_each_simd([] {
    for (const auto& [rows, dim] : std::vector<std::array<size_t, 2>>{
             {1, 1}, {3, 5}, {17, 16}, {70, 33}, {2048, 67}, {9, 1000}}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(dim));
      const auto x16 = to_bf16(normals(static_cast<int64_t>(rows * dim), 1));
      const auto x = to_f32(x16);
      std::vector<double> want(dim);
      for (size_t i = 0; i < x.size(); ++i) {
        want[i % dim] += static_cast<double>(x[i]);
      }
      const auto r = static_cast<int64_t>(rows), n = static_cast<int64_t>(dim);
      const auto got = sums(r, n, x.data());
      EXPECT_LT(worst(got, want), 1e-5);
      EXPECT_EQ(sums(r, n, x16.data()), got);
    }
  });
}

TEST(ColumnSum, OfNoRowsIsZero) {
  const float* none = nullptr;
  EXPECT_EQ(sums(0, 3, none), std::vector<float>(3, 0.0f));
  EXPECT_EQ(sums(4, 0, none), std::vector<float>());
}

TEST(ColumnSum, BitsDoNotDependOnTheThreadCount) {
  const auto x = normals(1000 * 96, 1);
  expect_thread_independent([&] { return sums(1000, 96, x.data()); });
}

}  // namespace
}  // namespace kexue::kernels
