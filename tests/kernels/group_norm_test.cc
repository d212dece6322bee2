#include "kexue/kernels/group_norm.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/kernel_test_util.h"

namespace kexue::kernels {
namespace {

constexpr float kEps = 1e-5f;
using Doubles = std::vector<double>;

struct Data {
  GroupNormSpec spec;
  std::vector<float> x, gamma, beta, dz;

  explicit Data(const GroupNormSpec& s)
      : spec(s),
        x(normals(s.batch * s.positions * s.channels, 1)),
        gamma(normals(s.channels, 2)),
        beta(normals(s.channels, 3)),
        dz(normals(s.batch * s.positions * s.channels, 4)) {}
};

template <class T>
struct Outputs {
  std::vector<T> z, mean, rstd, dx, dgamma, dbeta;
  bool operator==(const Outputs&) const = default;

  explicit Outputs(const Data& d)
      : z(d.x.size()),
        dx(d.x.size()),
        dgamma(d.gamma.size()),
        dbeta(d.gamma.size()) {
    const auto rows = static_cast<size_t>(d.spec.batch * d.spec.groups);
    mean.resize(rows);
    rstd.resize(rows);
  }
};

// One group of one example, element by element.
void reference_group(const Data& d, size_t b, size_t g, Outputs<double>& r) {
  const auto c = d.gamma.size();
  const auto groups = static_cast<size_t>(d.spec.groups);
  const auto positions = static_cast<size_t>(d.spec.positions);
  const size_t width = c / groups;
  const auto n = static_cast<double>(positions * width);
  const auto each = [&](const auto& visit) {
    for (size_t p = 0; p < positions; ++p) {
      for (size_t j = g * width; j < (g + 1) * width; ++j) {
        visit((b * positions + p) * c + j, j);
      }
    }
  };
  double mean = 0, var = 0, u_mean = 0, uh_mean = 0;
  each([&](size_t i, size_t) { mean += static_cast<double>(d.x[i]) / n; });
  each([&](size_t i, size_t) {
    var += std::pow(static_cast<double>(d.x[i]) - mean, 2) / n;
  });
  const double rstd = 1 / std::sqrt(var + static_cast<double>(kEps));
  const auto h_of = [&](size_t i) {
    return (static_cast<double>(d.x[i]) - mean) * rstd;
  };
  const auto y_of = [&](size_t i, size_t j) {
    return h_of(i) * static_cast<double>(d.gamma[j]) +
           static_cast<double>(d.beta[j]);
  };
  const auto dy_of = [&](size_t i, size_t j) {
    const double y = y_of(i, j);
    const double e = std::exp(-y);
    const double slope = (1 + e + y * e) / ((1 + e) * (1 + e));
    return static_cast<double>(d.dz[i]) * (d.spec.silu ? slope : 1);
  };
  each([&](size_t i, size_t j) {
    const double y = y_of(i, j);
    r.z[i] = d.spec.silu ? y / (1 + std::exp(-y)) : y;
    r.dgamma[j] += dy_of(i, j) * h_of(i);
    r.dbeta[j] += dy_of(i, j);
    const double u = dy_of(i, j) * static_cast<double>(d.gamma[j]);
    u_mean += u / n;
    uh_mean += u * h_of(i) / n;
  });
  each([&](size_t i, size_t j) {
    const double u = dy_of(i, j) * static_cast<double>(d.gamma[j]);
    r.dx[i] = rstd * (u - u_mean - h_of(i) * uh_mean);
  });
  r.mean[b * groups + g] = mean;
  r.rstd[b * groups + g] = rstd;
}

Outputs<double> reference(const Data& d) {
  Outputs<double> r(d);
  for (size_t b = 0; b < static_cast<size_t>(d.spec.batch); ++b) {
    for (size_t g = 0; g < static_cast<size_t>(d.spec.groups); ++g) {
      reference_group(d, b, g, r);
    }
  }
  return r;
}

Outputs<float> run(const Data& d) {
  Outputs<float> r(d);
  group_norm(d.spec,
             kEps,
             d.x.data(),
             d.gamma.data(),
             d.beta.data(),
             r.z.data(),
             r.mean.data(),
             r.rstd.data());
  group_norm_grad(d.spec,
                  d.dz.data(),
                  d.x.data(),
                  d.gamma.data(),
                  d.beta.data(),
                  r.mean.data(),
                  r.rstd.data(),
                  r.dx.data(),
                  r.dgamma.data(),
                  r.dbeta.data());
  return r;
}

// B, P, C, G: odd sizes, one group, a group a channel, more channels than a
// row of vectors, more positions than a piece, one element a group.
const std::vector<std::array<int64_t, 4>> kSizes = {{1, 5, 6, 2},
                                                    {2, 3, 1, 1},
                                                    {2, 7, 33, 1},
                                                    {3, 11, 24, 24},
                                                    {2, 784, 32, 8},
                                                    {1, 301, 40, 4},
                                                    {2, 10, 1000, 8},
                                                    {1, 2000, 3, 3},
                                                    {2, 1, 4, 4}};

TEST(GroupNorm, ValueAndGradientMatchTheDefinition) {
  for_each_simd([] {
    for (const auto& [b, p, c, g] : kSizes) {
      for (const bool silu : {false, true}) {
        SCOPED_TRACE(std::to_string(p) + " x " + std::to_string(c) + " / " +
                     std::to_string(g) + (silu ? " silu" : ""));
        const Data d({b, p, c, g, silu});
        const auto got = run(d);
        const auto want = reference(d);
        // A group of one element has variance 0: rstd is about 316.
        EXPECT_LT(worst(got.z, want.z), 1e-5);
        EXPECT_LT(worst(got.mean, want.mean), 1e-6);
        EXPECT_LT(worst(got.rstd, want.rstd), 1e-5);
        EXPECT_LT(worst(got.dx, want.dx), p * c == 4 ? 1e-4 : 1e-5);
        EXPECT_LT(worst(got.dgamma, want.dgamma), 1e-5);
        EXPECT_LT(worst(got.dbeta, want.dbeta), 1e-5);
      }
    }
  });
}

TEST(GroupNorm, AConstantGroupGivesBetaAndALargeOffsetKeepsItsAccuracy) {
  for_each_simd([] {
    Data d({1, 700, 24, 3, false});
    for (size_t i = 0; i < d.x.size(); ++i) {
      float& x = d.x[i];
      x = i % 24 < 8 ? 1000.1f : std::round(x * 64) / 64 + 1000.0f;
    }
    const auto got = run(d);
    const auto want = reference(d);
    for (size_t i = 0; i < 8; ++i) EXPECT_EQ(got.z[i], d.beta[i]);
    EXPECT_EQ(got.mean[0], 1000.1f);
    std::vector<float> others(got.rstd.begin() + 1, got.rstd.end());
    const Doubles exact(want.rstd.begin() + 1, want.rstd.end());
    EXPECT_LT(worst(others, exact), 1e-5);
    EXPECT_LT(worst(got.z, want.z), 1e-4);
  });
}

TEST(GroupNorm, SiluIsFiniteFarOutAndKeepsNan) {
  Data d({1, 16, 16, 1, true});
  for (size_t c = 0; c < 16; ++c) d.beta[c] = c % 2 == 0 ? -1e4f : 1e4f;
  const auto got = run(d);
  EXPECT_LT(worst(got.z, reference(d).z), 1e-5);
  for (size_t i = 0; i < d.x.size(); ++i) EXPECT_TRUE(std::isfinite(got.dx[i]));
  d.x[5] = std::nanf("");
  const auto lost = run(d);
  for (const float z : lost.z) EXPECT_TRUE(std::isnan(z));
  for (const float v : lost.dx) EXPECT_TRUE(std::isnan(v));
}

TEST(GroupNorm, Bf16OperandsAreWidenedAndRoundedOnce) {
  for (const int64_t channels : {24, 64}) {
    Data d({2, 150, channels, 4, true});
    const auto x = to_bf16(d.x), gamma = to_bf16(d.gamma),
               beta = to_bf16(d.beta), dz = to_bf16(d.dz);
    d.x = to_f32(x);
    d.gamma = to_f32(gamma);
    d.beta = to_f32(beta);
    d.dz = to_f32(dz);
    const auto want = run(d);
    std::vector<BFloat16> z(x.size()), dx(x.size()), dgamma(gamma.size()),
        dbeta(gamma.size());
    std::vector<float> mean(8), rstd(8);
    group_norm(d.spec,
               kEps,
               x.data(),
               gamma.data(),
               beta.data(),
               z.data(),
               mean.data(),
               rstd.data());
    group_norm_grad(d.spec,
                    dz.data(),
                    x.data(),
                    gamma.data(),
                    beta.data(),
                    mean.data(),
                    rstd.data(),
                    dx.data(),
                    dgamma.data(),
                    dbeta.data());
    EXPECT_EQ(mean, want.mean);
    EXPECT_EQ(to_f32(z), to_f32(to_bf16(want.z)));
    EXPECT_EQ(to_f32(dx), to_f32(to_bf16(want.dx)));
    EXPECT_EQ(to_f32(dgamma), to_f32(to_bf16(want.dgamma)));
    EXPECT_EQ(to_f32(dbeta), to_f32(to_bf16(want.dbeta)));
  }
}

TEST(GroupNorm, BitsDoNotDependOnTheThreadCount) {
  const Data d({7, 200, 40, 5, true});
  expect_thread_independent([&] { return run(d); });
}

TEST(GroupNorm, NothingGivesZeroParameterGradients) {
  for (const auto& [b, p] : {std::pair{0, 3}, std::pair{2, 0}}) {
    const Data d({b, p, 4, 2, true});
    const auto got = run(d);
    EXPECT_EQ(got.dgamma, std::vector<float>(4, 0.0f));
    EXPECT_EQ(got.dbeta, std::vector<float>(4, 0.0f));
    for (const float m : got.mean) EXPECT_TRUE(std::isnan(m));
  }
}

}  // namespace
}  // namespace kexue::kernels
