// Decompositions on the host evaluator: what they promise, on matrices of many
// kinds, and their documented errors. Gradients: rows_matrix.cc.
#include "kexue/ops/decompose.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ops/ops.h"
#include "tests/ops/matrix_kinds.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

Value mt(const Value& x) {
  return ops::matrix_transpose(x);
}
// x diag(d)
Value scaled(const Value& x, const Value& d) {
  auto dims = d.shape().dims();
  dims.insert(dims.end() - 1, 1);
  return x * ops::reshape(d, dims);
}

class Decompose : public ::testing::TestWithParam<Kind> {};

// Each entry of `f` is 0 up to rounding.
void expect_zero(const std::function<Values(const Values&)>& f,
                 const HostArray& x,
                 const char* what) {
  const auto out = evaluate_at(f, {x});
  double size = 1e-300;
  for (const double v : x.to_doubles()) size = std::max(size, std::fabs(v));
  const bool wide = x.dtype() == DType::kF64;
  const double n = static_cast<double>(x.shape()[-1] + x.shape()[-2]);
  const double eps = (wide ? 2.3e-16 : 1.2e-7) * 8 * (n + 1);
  for (size_t i = 0; i < out.size(); ++i) {
    // Output 0 is a difference from x, the others from the identity.
    const double limit = i == 0 ? eps * size : eps;
    for (const double v : out[i].to_doubles()) {
      ASSERT_LE(std::fabs(v), limit)
          << what << ", output " << i << " for " << x.type().str();
    }
  }
}

Value identity_error(const Value& x) {
  const Value gram = ops::matmul(mt(x), x);
  return gram - ops::diag(ops::ones_like(ops::diagonal(gram)));
}

TEST_P(Decompose, QrRebuildsItsMatrix) {
  for (const HostArray& a : matrices(GetParam(), true)) {
    expect_zero(
        [](const Values& x) {
          const auto f = ops::qr(x[0]);
          return Values{ops::matmul(f.q, f.r) - x[0], identity_error(f.q)};
        },
        a,
        "qr");
    const auto r = evaluate_at(
        [](const Values& x) -> Values {
          const auto f = ops::qr(x[0]);
          return {f.r - ops::triu(f.r), ops::diagonal(f.r)};
        },
        {a});
    for (const double v : r[0].to_doubles()) EXPECT_EQ(v, 0);
    for (const double v : r[1].to_doubles()) EXPECT_GE(v, 0);
  }
}

TEST_P(Decompose, EighRebuildsItsMatrixInAscendingOrder) {
  for (const HostArray& a : matrices(GetParam(), false)) {
    expect_zero(
        [](const Values& x) {
          const auto f = ops::eigh(x[0]);
          const Value sym = (x[0] + mt(x[0])) * 0.5;
          return Values{ops::matmul(scaled(f.v, f.w), mt(f.v)) - sym,
                        identity_error(f.v)};
        },
        a,
        "eigh");
    const auto f = evaluate_at(
        [](const Values& x) -> Values {
          const auto e = ops::eigh(x[0]);
          return {e.w, e.v};
        },
        {a});
    expect_sorted(f[0], 1);
    expect_leading_positive(f[1]);
  }
}

TEST_P(Decompose, SvdRebuildsItsMatrixInDescendingOrder) {
  for (const HostArray& a : matrices(GetParam(), true)) {
    expect_zero(
        [](const Values& x) {
          const auto f = ops::svd(x[0]);
          return Values{ops::matmul(scaled(f.u, f.s), f.vt) - x[0],
                        identity_error(f.u),
                        identity_error(mt(f.vt))};
        },
        a,
        "svd");
    const auto f = evaluate_at(
        [](const Values& x) -> Values {
          const auto e = ops::svd(x[0]);
          const bool wide = x[0].dim(-2) < x[0].dim(-1);
          return {e.s, wide ? e.u : mt(e.vt)};
        },
        {a});
    expect_sorted(f[0], -1);
    for (const double s : f[0].to_doubles()) EXPECT_GE(s, 0);
    expect_leading_positive(f[1]);
  }
}

TEST_P(Decompose, LuRebuildsItsPermutedMatrix) {
  for (const HostArray& a : matrices(GetParam(), false)) {
    expect_zero(
        [](const Values& x) {
          const auto f = ops::lu(x[0]);
          const Value l = ops::tril(f.packed, -1) +
                          ops::diag(ops::ones_like(ops::diagonal(f.packed)));
          const Value p = ops::one_hot(f.perm, x[0].dim(-1), x[0].dtype());
          return Values{
              ops::matmul(mt(p), ops::matmul(l, ops::triu(f.packed))) - x[0],
              identity_error(p)};
        },
        a,
        "lu");
    // Partial pivoting bounds the factors by 1.
    const auto l = evaluate_at(
        [](const Values& x) -> Values {
          return {ops::tril(ops::lu(x[0]).packed, -1)};
        },
        {a});
    for (const double v : l[0].to_doubles()) EXPECT_LE(std::fabs(v), 1);
  }
}

TEST_P(Decompose, CholeskyRebuildsAPositiveMatrix) {
  for (const HostArray& a : matrices(GetParam(), false)) {
    // a a^T + I is positive definite for any a.
    expect_zero(
        [](const Values& x) {
          const Value one = ops::diag(ops::ones_like(ops::diagonal(x[0])));
          const Value p = ops::matmul(x[0], mt(x[0])) + one;
          const Value l = ops::cholesky(p);
          const Value size = ops::max(ops::abs(p), {-2, -1}, true) + 1.0;
          return Values{ops::zeros_like(p),
                        (ops::matmul(l, mt(l)) - p) / size,
                        ops::triu(l, 1)};
        },
        a,
        "cholesky");
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds,
                         Decompose,
                         ::testing::Values(Kind::kRandom,
                                           Kind::kIdentity,
                                           Kind::kRankOne,
                                           Kind::kZero,
                                           Kind::kHilbert,
                                           Kind::kGraded),
                         [](const auto& p) { return name(p.param); });

TEST(DecomposeEdge, OnlyTheBadMatrixOfABatchIsNan) {
  auto a = HostArray::of<double>({2, 2, 2},
                                 std::vector<double>{4, 1, 1, NAN, 4, 1, 1, 3});
  const auto out = evaluate_at(
      [](const Values& x) -> Values {
        const auto e = ops::eigh(x[0]);
        const auto s = ops::svd(x[0]);
        const auto q = ops::qr(x[0]);
        const auto f = ops::lu(x[0]);
        return {ops::cholesky(x[0]),
                e.w,
                e.v,
                s.u,
                s.s,
                s.vt,
                q.q,
                q.r,
                f.packed,
                f.sign};
      },
      {a});
  for (const auto& y : out) {
    const auto v = y.to_doubles();
    for (size_t i = 0; i < v.size(); ++i) {
      EXPECT_EQ(std::isnan(v[i]), i < v.size() / 2) << y.type().str();
    }
  }
}

TEST(DecomposeEdge, CholeskyOfAMatrixThatIsNotPositiveIsNan) {
  const auto a = HostArray::of<double>(
      {3, 2, 2}, std::vector<double>{1, 2, 2, 1, 1, 1, 1, 1, 2, 1, 1, 2});
  const auto v =
      evaluate_at(
          [](const Values& x) -> Values { return {ops::cholesky(x[0])}; },
          {a})[0]
          .to_doubles();
  for (size_t i = 0; i < 8; ++i) EXPECT_TRUE(std::isnan(v[i])) << i;
  EXPECT_NEAR(v[8], std::sqrt(2.0), 1e-15);
  EXPECT_EQ(v[9], 0);
}

TEST(DecomposeEdge, GradientsAtTiesAreFinite) {
  // The trace of f(a) does not depend on the choice of vectors: its gradient
  // at the identity is exact although all gaps are 0.
  const auto a = HostArray::of<double>({2, 2}, std::vector<double>{1, 0, 0, 1});
  const auto out = evaluate_at(
      [](const Values& x) -> Values {
        const auto e = ops::eigh(x[0]);
        const auto s = ops::svd(x[0]);
        return {transforms::gradients(ops::sum(e.w * e.w) + ops::sum(e.v),
                                      {x[0]})[0],
                transforms::gradients(ops::sum(s.s * s.s), {x[0]})[0]};
      },
      {a});
  EXPECT_EQ(out[0].to_doubles(), (std::vector<double>{2, 0, 0, 2}));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(out[1].at(static_cast<int64_t>(i)), i % 3 == 0 ? 2 : 0, 1e-14);
  }
}

TEST(DecomposeErrors, NameTheOpAndTheType) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value flat = g.input({DType::kF32, {3}});
  const Value tall = g.input({DType::kF32, {3, 2}});
  const Value ints = g.input({DType::kI32, {2, 2}});
  const Value square = g.input({DType::kF32, {2, 2}});
  const Value wide = g.input({DType::kF64, {2, 2}});
  const auto bad = Code::kInvalidArgument;
  const std::string squares = "wants square float matrices f[...,n,n], got ";
  const std::string any = "wants float matrices f[...,m,n], got ";
  for (const Value& x : {flat, tall, ints}) {
    const std::string type = x.type().str();
    EXPECT_ERROR(ops::cholesky(x), bad, "cholesky: " + squares + type);
    EXPECT_ERROR(ops::lu(x), bad, "lu: " + squares + type);
    EXPECT_ERROR(ops::eigh(x), bad, "eigh: " + squares + type);
    EXPECT_ERROR(ops::triangular_solve(x, square),
                 bad,
                 "triangular_solve: " + squares + type);
    EXPECT_ERROR(ops::solve(x, square), bad, "solve: " + squares + type);
    EXPECT_ERROR(ops::inverse(x), bad, "inverse: " + squares + type);
    EXPECT_ERROR(ops::det(x), bad, "det: " + squares + type);
    EXPECT_ERROR(ops::slogdet(x), bad, "slogdet: " + squares + type);
    EXPECT_ERROR(
        ops::matrix_power(x, 2), bad, "matrix_power: " + squares + type);
  }
  for (const Value& x : {flat, ints}) {
    const std::string type = x.type().str();
    EXPECT_ERROR(ops::qr(x), bad, "qr: " + any + type);
    EXPECT_ERROR(ops::svd(x), bad, "svd: " + any + type);
    EXPECT_ERROR(ops::pinv(x), bad, "pinv: " + any + type);
    EXPECT_ERROR(ops::lstsq(x, tall), bad, "lstsq: " + any + type);
    EXPECT_ERROR(ops::triangular_solve(square, x),
                 bad,
                 "triangular_solve: " + any + type);
  }
  EXPECT_ERROR(
      ops::triangular_solve(square, tall),
      bad,
      "wants a f[...,n,n] and b f[...,n,k], got f32[2,2] and f32[3,2]");
  EXPECT_ERROR(
      ops::triangular_solve(square, wide), bad, "got f32[2,2] and f64[2,2]");
  EXPECT_ERROR(ops::solve(square, flat),
               bad,
               "solve: wants a f[...,m,n] and b f[...,m,k] or f[m], got "
               "f32[2,2] and f32[3]");
  EXPECT_ERROR(ops::lstsq(tall, square), bad, "lstsq: wants a f[...,m,n]");
  EXPECT_ERROR(
      ops::matrix_power(square, -1), bad, "matrix_power: exponent -1 < 0");
  EXPECT_ERROR(ops::tril(flat), bad, "tril: wants rank 2 or more, got f32[3]");
  EXPECT_ERROR(ops::trace(flat), bad, "trace: wants rank 2 or more");
}

}  // namespace
}  // namespace kexue::testing
