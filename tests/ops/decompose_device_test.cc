// Decompositions as compiled programs: with our kernels and as compositions,
// both against the host evaluator.
#include <cmath>

#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "tests/ops/matrix_kinds.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/session_fixture.h"

namespace kexue::testing {
namespace {

const runtime::Session& plain_session() {
  static const runtime::Session session({.use_kernels = false});
  return session;
}

// All factors of x, which are unique and smooth for a random matrix.
Values factors(const Value& x) {
  const Value one = ops::diag(ops::ones_like(ops::diagonal(x)));
  const Value l =
      ops::cholesky(ops::matmul(x, ops::matrix_transpose(x)) + one * 2.0);
  const auto f = ops::lu(x);
  const auto q = ops::qr(x);
  const auto e = ops::eigh(x);
  const auto s = ops::svd(x);
  const Value right =
      ops::triangular_solve(l, x, {.transpose = true, .left = false});
  const Value upper =
      ops::triangular_solve(f.packed + one * 9.0, x, {.lower = false});
  return {l,
          f.packed,
          f.perm,
          f.sign,
          q.q,
          q.r,
          e.w,
          e.v,
          s.u,
          s.s,
          s.vt,
          right,
          upper};
}

void expect_like_evaluator(const runtime::Session& session,
                           const std::function<Values(const Values&)>& f,
                           const std::vector<HostArray>& x,
                           double relative) {
  const auto want = evaluate_at(f, x);
  auto program = runtime::jit(session, f);
  const auto got = program(x);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    double size = 0;
    for (const double v : want[i].to_doubles()) {
      if (std::isfinite(v)) size = std::max(size, std::fabs(v));
    }
    EXPECT_TRUE(close(got[i], want[i], {relative, relative * size}))
        << "output " << i << " for " << x[0].type().str()
        << (session.options().use_kernels ? ", kernels" : ", compositions");
  }
}

class DecomposeDevice : public SessionTest {
 protected:
  static void check(const std::function<Values(const Values&)>& f,
                    const std::vector<HostArray>& x) {
    const double relative = x[0].dtype() == DType::kF64 ? 1e-11 : 1e-3;
    expect_like_evaluator(session(), f, x, relative);
    expect_like_evaluator(plain_session(), f, x, relative);
  }
};

TEST_F(DecomposeDevice, FactorsAgreeForAllSizes) {
  const auto f = [](const Values& x) { return factors(x[0]); };
  for (const Shape& s :
       {Shape{0, 0}, Shape{1, 1}, Shape{2, 2}, Shape{2, 2, 5, 5}}) {
    check(f, {matrix(Kind::kRandom, {DType::kF64, s})});
  }
  check(f, {matrix(Kind::kRandom, {DType::kF32, {3, 5, 5}})});
  check(f, {matrix(Kind::kRandom, {DType::kF64, {33, 33}})});
}

TEST_F(DecomposeDevice, TallAndWideFactorsAgree) {
  const auto f = [](const Values& x) -> Values {
    const auto q = ops::qr(x[0]);
    const auto s = ops::svd(x[0]);
    return {q.q, q.r, s.u, s.s, s.vt};
  };
  for (const Shape& s : {Shape{7, 3}, Shape{2, 3, 7}, Shape{4, 0}}) {
    check(f, {matrix(Kind::kRandom, {DType::kF64, s})});
  }
}

TEST_F(DecomposeDevice, GradientsAgree) {
  const auto f = [](const Values& x) -> Values {
    const Values grads =
        transforms::gradients(weighted_sum(factors(x[0])), {x[0]});
    return {grads[0], transforms::gradients(weighted_sum(grads), {x[0]})[0]};
  };
  check(f, {matrix(Kind::kRandom, {DType::kF64, {2, 3, 3}})});
}

TEST_F(DecomposeDevice, BadMatricesAreNanEverywhere) {
  const auto f = [](const Values& x) -> Values {
    const auto p = ops::lu(x[0]);
    const auto q = ops::qr(x[0]);
    const auto e = ops::eigh(x[0]);
    const auto s = ops::svd(x[0]);
    return {ops::cholesky(x[0]),
            p.packed,
            p.sign,
            q.q,
            q.r,
            e.w,
            e.v,
            s.u,
            s.s,
            s.vt};
  };
  // Positive definite; with a NaN; with an infinity.
  check(f,
        {HostArray::of<double>(
            {3, 2, 2},
            std::vector<double>{4, 1, 1, 3, 4, 1, 1, NAN, 4, 1, 1, INFINITY})});
  // Indefinite, semidefinite: cholesky alone is NaN.
  const auto l = [](const Values& x) -> Values {
    return {ops::cholesky(x[0])};
  };
  check(
      l,
      {HostArray::of<double>(
          {3, 2, 2}, std::vector<double>{1, 2, 2, 1, 1, 1, 1, 1, 2, 1, 1, 2})});
}

TEST_F(DecomposeDevice, HardMatricesAreRebuilt) {
  const auto f = [](const Values& x) -> Values {
    const auto t = [](const Value& v) { return ops::matrix_transpose(v); };
    const auto q = ops::qr(x[0]);
    const auto e = ops::eigh(x[0]);
    const auto s = ops::svd(x[0]);
    const Value one = ops::diag(ops::ones_like(e.w));
    return {ops::matmul(q.q, q.r) - x[0],
            ops::matmul(e.v * ops::reshape(e.w, {1, -1}), t(e.v)) -
                (x[0] + t(x[0])) * 0.5,
            ops::matmul(s.u * ops::reshape(s.s, {1, -1}), s.vt) - x[0],
            ops::matmul(t(q.q), q.q) - one,
            ops::matmul(t(e.v), e.v) - one,
            ops::matmul(t(s.u), s.u) - one,
            ops::matmul(s.vt, t(s.vt)) - one};
  };
  for (const bool kernels : {true, false}) {
    auto program = runtime::jit(kernels ? session() : plain_session(), f);
    for (const Kind kind : {Kind::kIdentity,
                            Kind::kRankOne,
                            Kind::kZero,
                            Kind::kHilbert,
                            Kind::kGraded}) {
      const auto x = matrix(kind, {DType::kF64, {16, 16}});
      double size = 1e-300;
      for (const double v : x.to_doubles()) size = std::max(size, std::fabs(v));
      const auto out = program({x});
      for (size_t i = 0; i < out.size(); ++i) {
        for (const double v : out[i].to_doubles()) {
          ASSERT_LE(std::fabs(v), (i < 3 ? size : 1) * 4e-14)
              << name(kind) << ", output " << i << ", kernels " << kernels;
        }
      }
    }
  }
}

TEST_F(DecomposeDevice, ResultsDoNotDependOnTheThreads) {
  const auto x = matrix(Kind::kRandom, {DType::kF32, {64, 12, 12}});
  const auto f = [](const Values& v) { return factors(v[0]); };
  auto program = runtime::jit(session(), f);
  const auto many = program({x});
  const runtime::Session one({.threads = 1});
  const auto single = runtime::jit(one, f)({x});
  for (size_t i = 0; i < many.size(); ++i) {
    EXPECT_TRUE(many[i].identical(single[i])) << i;
  }
}

}  // namespace
}  // namespace kexue::testing
