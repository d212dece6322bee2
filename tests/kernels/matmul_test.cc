#include "kexue/kernels/matmul.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <thread>

#include "tests/kernels/kernel_test_util.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

using Strides = std::array<int64_t, 4>;

int64_t extent(const Strides& sizes, const Strides& strides) {
  int64_t last = 0;
  for (size_t i = 0; i < 4; ++i) last += (sizes[i] - 1) * strides[i];
  return last + 1;
}

// The definition, in double.
std::vector<double> reference(const MatmulSpec& s,
                              const std::vector<float>& a,
                              const std::vector<float>& b,
                              const float* bias) {
  const auto at =
      [](const Strides& st, int64_t p, int64_t q, int64_t i, int64_t j) {
        return static_cast<size_t>(p * st[0] + q * st[1] + i * st[2] +
                                   j * st[3]);
      };
  std::vector<double> c(
      static_cast<size_t>(extent({s.b1, s.b2, s.m, s.n}, s.c_strides)), 7.0);
  for (int64_t p = 0; p < s.b1; ++p) {
    for (int64_t q = 0; q < s.b2; ++q) {
      for (int64_t i = 0; i < s.m; ++i) {
        for (int64_t j = 0; j < s.n; ++j) {
          double sum = bias ? static_cast<double>(bias[j]) : 0.0;
          for (int64_t l = 0; l < s.k; ++l) {
            sum += static_cast<double>(a[at(s.a_strides, p, q, i, l)]) *
                   static_cast<double>(b[at(s.b_strides, p, q, l, j)]);
          }
          c[at(s.c_strides, p, q, i, j)] = sum;
        }
      }
    }
  }
  return c;
}

// Runs the spec for f32, bf16 -> f32 and bf16 -> bf16, with and without bias,
// against the definition; what lies between c's elements must stay 7.
void check_spec(MatmulSpec s) {
  const auto a = normals(extent({s.b1, s.b2, s.m, s.k}, s.a_strides), 1);
  const auto b = normals(extent({s.b1, s.b2, s.k, s.n}, s.b_strides), 2);
  const auto bias = normals(s.n, 3);
  const auto a16 = to_bf16(a);
  const auto b16 = to_bf16(b);
  for (const float* with : {static_cast<const float*>(nullptr), bias.data()}) {
    const auto want = reference(s, a, b, with);
    const auto want16 = reference(s, to_f32(a16), to_f32(b16), with);
    std::vector<float> c(want.size(), 7.0f);
    s.in = s.out = DType::kF32;
    matmul(s, a.data(), b.data(), with, c.data());
    EXPECT_LT(worst(c, want), 1e-5);
    c.assign(want.size(), 7.0f);
    s.in = DType::kBF16;
    matmul(s, a16.data(), b16.data(), with, c.data());
    EXPECT_LT(worst(c, want16), 1e-5);
    std::vector<BFloat16> c16(want.size(), BFloat16(7.0f));
    s.out = DType::kBF16;
    matmul(s, a16.data(), b16.data(), with, c16.data());
    EXPECT_LT(worst(c16, want16), 8e-3);
  }
}

class Matmul : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_matmul()) GTEST_SKIP() << "built without oneDNN";
  }
};

TEST_F(Matmul, PlainTransposedAndOddSizesMatchTheDefinition) {
  for (const auto& [m, n, k] :
       std::vector<std::array<int64_t, 3>>{{1, 1, 1},
                                           {1, 7, 5},
                                           {7, 1, 5},
                                           {5, 7, 1},
                                           {3, 1, 1},
                                           {33, 65, 17},
                                           {128, 64, 96}}) {
    for (int form = 0; form < 8; ++form) {
      SCOPED_TRACE(std::to_string(m) + "," + std::to_string(n) + "," +
                   std::to_string(k) + " form " + std::to_string(form));
      const bool ta = form & 1, tb = form & 2, tc = form & 4;
      check_spec({.m = m,
                  .n = n,
                  .k = k,
                  .a_strides = {0, 0, ta ? 1 : k, ta ? m : 1},
                  .b_strides = {0, 0, tb ? 1 : n, tb ? k : 1},
                  .c_strides = {0, 0, tc ? 1 : n, tc ? m : 1}});
    }
  }
}

TEST_F(Matmul, GapsStridedColumnsAndBroadcastRowsMatchTheDefinition) {
  check_spec({.m = 9,
              .n = 10,
              .k = 11,
              .a_strides = {0, 0, 30, 1},
              .b_strides = {0, 0, 25, 1},
              .c_strides = {0, 0, 17, 1}});
  check_spec({.m = 9,
              .n = 10,
              .k = 11,
              .a_strides = {0, 0, 30, 2},
              .b_strides = {0, 0, 3, 40},
              .c_strides = {0, 0, 31, 3}});
  check_spec({.m = 9,
              .n = 10,
              .k = 11,
              .a_strides = {0, 0, 0, 1},
              .b_strides = {0, 0, 1, 0},
              .c_strides = {0, 0, 10, 1}});
}

TEST_F(Matmul, BatchesOfHeadsNeedNoCopy) {
  constexpr int64_t kB = 3, kH = 5, kT = 24, kS = 40, kD = 16;
  constexpr int64_t kRow = kH * kD;
  // q k^T of [B,T,H,D] and [B,S,H,D].
  check_spec({.b1 = kB,
              .b2 = kH,
              .m = kT,
              .n = kS,
              .k = kD,
              .a_strides = {kT * kRow, kD, kRow, 1},
              .b_strides = {kS * kRow, kD, 1, kRow},
              .c_strides = {kH * kT * kS, kT * kS, kS, 1}});
  // p v, and p^T v, into [B,T,H,D].
  check_spec({.b1 = kB,
              .b2 = kH,
              .m = kT,
              .n = kD,
              .k = kS,
              .a_strides = {kH * kT * kS, kT * kS, kS, 1},
              .b_strides = {kS * kRow, kD, kRow, 1},
              .c_strides = {kT * kRow, kD, kRow, 1}});
  check_spec({.b1 = kB,
              .b2 = kH,
              .m = kS,
              .n = kD,
              .k = kT,
              .a_strides = {kH * kT * kS, kT * kS, 1, kS},
              .b_strides = {kT * kRow, kD, kRow, 1},
              .c_strides = {kS * kRow, kD, kRow, 1}});
}

TEST_F(Matmul, BroadcastBatchesReadTheSameMatrix) {
  check_spec({.b1 = 4,
              .b2 = 3,
              .m = 6,
              .n = 7,
              .k = 8,
              .a_strides = {0, 48, 8, 1},
              .b_strides = {56, 0, 7, 1},
              .c_strides = {126, 42, 7, 1}});
}

TEST_F(Matmul, LargeProductsAreCutIntoChunksWithoutGaps) {
  check_spec({.m = 1029,
              .n = 70,
              .k = 33,
              .a_strides = {0, 0, 33, 1},
              .b_strides = {0, 0, 70, 1},
              .c_strides = {0, 0, 70, 1}});
  check_spec({.m = 70,
              .n = 1029,
              .k = 33,
              .a_strides = {0, 0, 1, 70},
              .b_strides = {0, 0, 1029, 1},
              .c_strides = {0, 0, 1, 70}});
  check_spec({.b1 = 3,
              .b2 = 2,
              .m = 200,
              .n = 100,
              .k = 64,
              .a_strides = {25600, 12800, 64, 1},
              .b_strides = {12800, 6400, 100, 1},
              .c_strides = {40000, 20000, 100, 1}});
  check_spec({.b1 = 13,
              .b2 = 7,
              .m = 50,
              .n = 40,
              .k = 30,
              .a_strides = {10500, 1500, 30, 1},
              .b_strides = {8400, 1200, 40, 1},
              .c_strides = {14000, 2000, 40, 1}});
}

TEST_F(Matmul, EmptyContractionGivesTheBias) {
  const std::vector<float> bias = {1.0f, 2.0f};
  std::vector<float> c(4, 9.0f);
  MatmulSpec s{.m = 2, .n = 2, .k = 0, .c_strides = {0, 0, 2, 1}};
  matmul(s, nullptr, nullptr, bias.data(), c.data());
  EXPECT_EQ(c, (std::vector<float>{1.0f, 2.0f, 1.0f, 2.0f}));
  s.m = 0;
  matmul(s, nullptr, nullptr, nullptr, nullptr);
}

TEST_F(Matmul, BitsDoNotDependOnTheThreadCount) {
  const auto a = normals(700 * 300, 5);
  const auto b = normals(300 * 500, 6);
  expect_thread_independent([&] {
    std::vector<float> c(700 * 500);
    matmul({.m = 700,
            .n = 500,
            .k = 300,
            .a_strides = {0, 0, 1, 700},
            .b_strides = {0, 0, 500, 1},
            .c_strides = {0, 0, 500, 1}},
           a.data(),
           b.data(),
           nullptr,
           c.data());
    return c;
  });
}

TEST_F(Matmul, ConcurrentCallersGetTheSameResult) {
  const auto a = normals(300 * 300, 5);
  const MatmulSpec s{.m = 300,
                     .n = 300,
                     .k = 300,
                     .a_strides = {0, 0, 300, 1},
                     .b_strides = {0, 0, 300, 1},
                     .c_strides = {0, 0, 300, 1}};
  std::vector<float> want(300 * 300);
  matmul(s, a.data(), a.data(), nullptr, want.data());
  std::vector<std::vector<float>> got(4, std::vector<float>(300 * 300));
  std::vector<std::thread> callers;
  for (auto& c : got) {
    callers.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        matmul(s, a.data(), a.data(), nullptr, c.data());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& c : got) EXPECT_EQ(c, want);
}

TEST_F(Matmul, WrongTypesAndSizesAreRefused) {
  const MatmulSpec mixed{
      .m = 1, .n = 1, .k = 1, .in = DType::kF32, .out = DType::kBF16};
  EXPECT_ERROR(matmul(mixed, nullptr, nullptr, nullptr, nullptr),
               Code::kInvalidArgument,
               "f32 -> bf16");
  const MatmulSpec negative{.m = -1, .n = 1, .k = 1};
  EXPECT_ERROR(matmul(negative, nullptr, nullptr, nullptr, nullptr),
               Code::kInvalidArgument,
               "sizes");
}

}  // namespace
}  // namespace kexue::kernels
