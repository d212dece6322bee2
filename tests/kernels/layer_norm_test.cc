#include "kexue/kernels/layer_norm.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/kernel_test_util.h"

namespace kexue::kernels {
namespace {

constexpr float kEps = 1e-5f;

struct Reference {
  std::vector<double> y, mean, rstd, dx, dgamma, dbeta;
};

Reference reference(size_t rows,
                    size_t dim,
                    const std::vector<float>& x,
                    const std::vector<float>& gamma,
                    const std::vector<float>& beta,
                    const std::vector<float>& dy) {
  Reference r{std::vector<double>(rows * dim),
              {},
              {},
              std::vector<double>(rows * dim),
              std::vector<double>(dim),
              std::vector<double>(dim)};
  const auto d = [](float v) { return static_cast<double>(v); };
  const auto n = static_cast<double>(dim);
  for (size_t i = 0; i < rows; ++i) {
    const float* row = &x[i * dim];
    const float* drow = &dy[i * dim];
    double mean = 0, var = 0, u_mean = 0, uh_mean = 0;
    for (size_t j = 0; j < dim; ++j) mean += d(row[j]) / n;
    for (size_t j = 0; j < dim; ++j) {
      var += (d(row[j]) - mean) * (d(row[j]) - mean) / n;
    }
    const double rstd = 1.0 / std::sqrt(var + d(kEps));
    for (size_t j = 0; j < dim; ++j) {
      const double h = (d(row[j]) - mean) * rstd;
      const double u = d(drow[j]) * d(gamma[j]);
      r.y[i * dim + j] = h * d(gamma[j]) + d(beta[j]);
      r.dgamma[j] += d(drow[j]) * h;
      r.dbeta[j] += d(drow[j]);
      u_mean += u / n;
      uh_mean += u * h / n;
    }
    for (size_t j = 0; j < dim; ++j) {
      const double h = (d(row[j]) - mean) * rstd;
      r.dx[i * dim + j] =
          rstd * (d(drow[j]) * d(gamma[j]) - u_mean - h * uh_mean);
    }
    r.mean.push_back(mean);
    r.rstd.push_back(rstd);
  }
  return r;
}

struct Result {
  std::vector<float> y, mean, rstd, dx, dgamma, dbeta;
  bool operator==(const Result&) const = default;
};

Result run(size_t rows,
           size_t dim,
           const std::vector<float>& x,
           const std::vector<float>& gamma,
           const std::vector<float>& beta,
           const std::vector<float>& dy) {
  const auto r = static_cast<int64_t>(rows);
  const auto n = static_cast<int64_t>(dim);
  Result got{std::vector<float>(rows * dim),
             std::vector<float>(rows),
             std::vector<float>(rows),
             std::vector<float>(rows * dim),
             std::vector<float>(dim),
             std::vector<float>(dim)};
  layer_norm(r,
             n,
             kEps,
             x.data(),
             gamma.data(),
             beta.data(),
             got.y.data(),
             got.mean.data(),
             got.rstd.data());
  layer_norm_grad(r,
                  n,
                  dy.data(),
                  x.data(),
                  gamma.data(),
                  got.mean.data(),
                  got.rstd.data(),
                  got.dx.data(),
                  got.dgamma.data(),
                  got.dbeta.data());
  return got;
}

TEST(LayerNorm, ValueAndGradientMatchTheDefinition) {
  for_each_simd([] {
    for (const auto& [rows, dim] : std::vector<std::array<size_t, 2>>{
             {1, 1}, {3, 5}, {2, 16}, {70, 33}, {200, 96}, {5, 1000}}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(dim));
      const auto total = static_cast<int64_t>(rows * dim);
      const auto n = static_cast<int64_t>(dim);
      const auto x = normals(total, 1);
      const auto dy = normals(total, 2);
      const auto gamma = normals(n, 3);
      const auto beta = normals(n, 4);
      const Result got = run(rows, dim, x, gamma, beta, dy);
      const Reference want = reference(rows, dim, x, gamma, beta, dy);
      // A row of one element has variance 0: rstd is about 316.
      EXPECT_LT(worst(got.y, want.y), 2e-5);
      EXPECT_LT(worst(got.mean, want.mean), 1e-6);
      EXPECT_LT(worst(got.rstd, want.rstd), 1e-5);
      EXPECT_LT(worst(got.dx, want.dx), dim == 1 ? 1e-4 : 1e-5);
      EXPECT_LT(worst(got.dgamma, want.dgamma), 1e-5);
      EXPECT_LT(worst(got.dbeta, want.dbeta), 1e-5);
    }
  });
}

TEST(LayerNorm, LargeOffsetKeepsItsAccuracy) {
  auto x = normals(512, 1);
  for (float& v : x) v = std::round(v * 64) / 64 + 1000.0f;
  const std::vector<float> one(512, 1.0f), zero(512, 0.0f);
  const Result got = run(1, 512, x, one, zero, one);
  const Reference want = reference(1, 512, x, one, zero, one);
  EXPECT_LT(worst(got.y, want.y), 1e-3);
  EXPECT_LT(worst(got.rstd, want.rstd), 1e-4);
}

TEST(LayerNorm, Bf16OperandsAreWidenedAndRoundedOnce) {
  constexpr int64_t kRows = 9, kDim = 40;
  const auto x16 = to_bf16(normals(kRows * kDim, 1));
  const auto dy16 = to_bf16(normals(kRows * kDim, 2));
  const auto gamma = normals(kDim, 3), beta = normals(kDim, 4);
  const Result want = run(kRows, kDim, to_f32(x16), gamma, beta, to_f32(dy16));
  std::vector<BFloat16> y(kRows * kDim), dx(kRows * kDim);
  std::vector<float> mean(kRows), rstd(kRows), dgamma(kDim), dbeta(kDim);
  layer_norm(kRows,
             kDim,
             kEps,
             x16.data(),
             gamma.data(),
             beta.data(),
             y.data(),
             mean.data(),
             rstd.data());
  layer_norm_grad(kRows,
                  kDim,
                  dy16.data(),
                  x16.data(),
                  gamma.data(),
                  mean.data(),
                  rstd.data(),
                  dx.data(),
                  dgamma.data(),
                  dbeta.data());
  EXPECT_EQ(to_f32(y), to_f32(to_bf16(want.y)));
  EXPECT_EQ(to_f32(dx), to_f32(to_bf16(want.dx)));
  EXPECT_EQ(dgamma, want.dgamma);
}

TEST(LayerNorm, BitsDoNotDependOnTheThreadCount) {
  const auto x = normals(1000 * 96, 1), dy = normals(1000 * 96, 2);
  const auto gamma = normals(96, 3), beta = normals(96, 4);
  expect_thread_independent([&] { return run(1000, 96, x, gamma, beta, dy); });
}

TEST(LayerNorm, NoRowsGiveZeroParameterGradients) {
  std::vector<float> dgamma(3, 5.0f), dbeta(3, 5.0f);
  const float* none = nullptr;
  layer_norm_grad(0,
                  3,
                  none,
                  none,
                  none,
                  none,
                  none,
                  static_cast<float*>(nullptr),
                  dgamma.data(),
                  dbeta.data());
  EXPECT_EQ(dgamma, std::vector<float>(3, 0.0f));
  EXPECT_EQ(dbeta, std::vector<float>(3, 0.0f));
}

}  // namespace
}  // namespace kexue::kernels
