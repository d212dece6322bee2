// Functions made of decompositions: value against dense elimination or an
// identity that defines them, gradients of order 2, edges.
#include "kexue/ops/solve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ops/ops.h"
#include "tests/ops/matrix_kinds.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using Build = std::function<Values(const Values&)>;

HostArray random(const Shape& shape, DType dtype = DType::kF64) {
  return matrix(Kind::kRandom, {dtype, shape});
}
HostArray numbers(const Shape& shape, const std::vector<double>& v) {
  return HostArray::of<double>(shape, v);
}
Value mt(const Value& x) {
  return ops::matrix_transpose(x);
}

void expect_value(const Build& f,
                  const std::vector<HostArray>& x,
                  const HostArray& want) {
  EXPECT_TRUE(close(evaluate_at(f, x)[0], want, {1e-12, 1e-12}));
}
// Every output of f is 0 up to rounding.
void expect_zeros(const Build& f, const std::vector<HostArray>& x) {
  for (const auto& y : evaluate_at(f, x)) {
    EXPECT_TRUE(close(y, HostArray(y.type()), {0, 1e-12}));
  }
}
void expect_grads(const Build& f, const std::vector<HostArray>& x) {
  EXPECT_TRUE(
      check_grads([&](const Values& v) { return weighted_sum(f(v)); }, x, 2));
}

TEST(Solve, SolvesMatricesVectorsAndBatches) {
  const Build f = [](const Values& x) -> Values {
    return {ops::solve(x[0], x[1])};
  };
  expect_value(f,
               {numbers({2, 2}, {0, 2, 4, 1}), numbers({2}, {6, 7})},
               numbers({2}, {1, 3}));
  const Build back = [&f](const Values& x) -> Values {
    const Value y = f(x)[0];
    return {ops::matmul(ops::broadcast_to(x[0], {2, 4, 4}), y) - x[1]};
  };
  expect_zeros(back, {random({4, 4}), random({2, 4, 3})});
  expect_grads(f, {random({3, 3}), random({2, 3, 2})});
  expect_grads(f, {random({2, 3, 3}), numbers({3}, {1, -2, 0.5})});
  EXPECT_EQ(evaluate_at(f, {random({0, 0}), random({0, 2})})[0].size(), 0);
}

TEST(Solve, SixteenBitsRunInF32) {
  const Build f = [](const Values& x) -> Values {
    return {ops::solve(x[0], x[1]), ops::eigh(x[0]).w, ops::det(x[0])};
  };
  const std::vector<HostArray> wide = {numbers({2, 2}, {2, 1, 1, 3}),
                                       numbers({2, 1}, {1, 2})};
  for (const DType d : {DType::kBF16, DType::kF16}) {
    const auto want = evaluate_at(f, wide);
    const auto got = evaluate_at(f, {wide[0].cast(d), wide[1].cast(d)});
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(close(got[i], want[i].cast(d)));
    }
  }
}

TEST(Inverse, TimesItsMatrixIsTheIdentity) {
  const Build f = [](const Values& x) -> Values {
    return {ops::inverse(x[0])};
  };
  const Build error = [&f](const Values& x) -> Values {
    return {ops::matmul(x[0], f(x)[0]) -
            ops::diag(ops::ones_like(ops::diagonal(x[0])))};
  };
  for (const Shape& s :
       {Shape{0, 0}, Shape{1, 1}, Shape{5, 5}, Shape{2, 3, 3}}) {
    expect_zeros(error, {random(s)});
  }
  expect_grads(f, {random({2, 3, 3})});
}

TEST(Det, MatchesLaplacesExpansion) {
  const Build f = [](const Values& x) -> Values { return {ops::det(x[0])}; };
  expect_value(
      f,
      {numbers({2, 3, 3},
               {0, 2, 1, 3, 1, 4, 1, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9.5})},
      numbers({2}, {-5, -1.5}));
  expect_value(f, {random({0, 0})}, numbers({}, {1}));
  expect_value(f, {numbers({2, 2}, {1, 2, 2, 4})}, numbers({}, {0}));
  expect_grads(f, {random({2, 3, 3})});
}

TEST(Slogdet, IsTheLogarithmOfDet) {
  const Build f = [](const Values& x) -> Values {
    const auto s = ops::slogdet(x[0]);
    return {s.log_abs, s.sign};
  };
  const auto out = evaluate_at(
      f, {numbers({3, 2, 2}, {1, 2, 3, 4, 1, 2, 2, 4, 3, 1, 1, 2})});
  EXPECT_NEAR(out[0].at(0), std::log(2.0), 1e-14);
  EXPECT_EQ(out[0].at(1), -INFINITY);
  EXPECT_NEAR(out[0].at(2), std::log(5.0), 1e-14);
  EXPECT_EQ(out[1].to_doubles(), (std::vector<double>{-1, 0, 1}));
  expect_grads(f, {random({2, 3, 3})});
  // The gradient is the inverse, transposed.
  expect_zeros(
      [](const Values& x) -> Values {
        return {transforms::gradients(ops::slogdet(x[0]).log_abs, {x[0]})[0] -
                mt(ops::inverse(x[0]))};
      },
      {random({5, 5})});
}

TEST(Lstsq, LeavesAResidualThatIsOrthogonal) {
  const Build f = [](const Values& x) -> Values {
    return {ops::lstsq(x[0], x[1])};
  };
  expect_zeros(
      [&f](const Values& x) -> Values {
        return {ops::matmul(mt(x[0]), ops::matmul(x[0], f(x)[0]) - x[1])};
      },
      {random({2, 6, 3}), random({2, 6, 2})});
  // Underdetermined: exact, and in the row space of a.
  expect_zeros(
      [&f](const Values& x) -> Values {
        const Value y = f(x)[0];
        const Value in_rows = ops::matmul(
            mt(x[0]),
            ops::solve(ops::matmul(x[0], mt(x[0])), ops::matmul(x[0], y)));
        return {ops::matmul(x[0], y) - x[1], in_rows - y};
      },
      {random({3, 5}), random({3, 2})});
  expect_grads(f, {random({5, 3}), random({5, 2})});
  expect_grads(f, {random({2, 4}), numbers({2}, {1, -3})});
}

TEST(Pinv, FulfilsPenrosesConditions) {
  const Build f = [](const Values& x) -> Values {
    const Value p = ops::pinv(x[0]);
    const Value ap = ops::matmul(x[0], p);
    const Value pa = ops::matmul(p, x[0]);
    return {ops::matmul(ap, x[0]) - x[0],
            ops::matmul(pa, p) - p,
            ap - mt(ap),
            pa - mt(pa)};
  };
  for (const Shape& s : {Shape{5, 3}, Shape{2, 3, 4}, Shape{4, 4}}) {
    expect_zeros(f, {random(s)});
    expect_zeros(f, {matrix(Kind::kRankOne, {DType::kF64, s})});
  }
  const Build p = [](const Values& x) -> Values { return {ops::pinv(x[0])}; };
  expect_grads(p, {random({4, 3})});
  EXPECT_EQ(evaluate_at(p, {random({3, 0})})[0].shape(), (Shape{0, 3}));
}

TEST(Matrix, TrianglesDropWhatIsOutsideEvenNan) {
  const auto x = numbers({2, 3}, {1, NAN, 3, 4, 5, 6});
  const auto out = evaluate_at(
      [](const Values& v) -> Values {
        return {ops::tril(v[0]), ops::triu(v[0], 2), ops::tril(v[0], -1)};
      },
      {x});
  EXPECT_EQ(out[0].to_doubles(), (std::vector<double>{1, 0, 0, 4, 5, 0}));
  EXPECT_EQ(out[1].to_doubles(), (std::vector<double>{0, 0, 3, 0, 0, 0}));
  EXPECT_EQ(out[2].to_doubles(), (std::vector<double>{0, 0, 0, 4, 0, 0}));
}

TEST(Matrix, DiagonalsAndTraces) {
  const auto x = numbers({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto out = evaluate_at(
      [](const Values& v) -> Values {
        const Value d = ops::diagonal(v[0]);
        return {d, ops::trace(v[0]), ops::diag(d), ops::eye(2, DType::kF64)};
      },
      {x});
  EXPECT_EQ(out[0].to_doubles(), (std::vector<double>{1, 5}));
  EXPECT_EQ(out[1].at(0), 6);
  EXPECT_EQ(out[2].to_doubles(), (std::vector<double>{1, 0, 0, 5}));
  EXPECT_EQ(out[3].to_doubles(), (std::vector<double>{1, 0, 0, 1}));
  const Build f = [](const Values& v) -> Values {
    return {ops::exp(ops::diagonal(v[0])),
            ops::exp(ops::trace(v[0])),
            ops::tril(v[0] * v[0], 1),
            ops::triu(v[0] * v[0]),
            ops::diag(ops::exp(v[0]))};
  };
  expect_grads(f, {random({2, 3, 4})});
}

TEST(Matrix, ProductsOfAllPairs) {
  const auto a = numbers({2}, {2, 3});
  const auto b = numbers({3}, {1, 10, 100});
  expect_value(
      [](const Values& x) -> Values { return {ops::outer(x[0], x[1])}; },
      {a, b},
      numbers({2, 3}, {2, 20, 200, 3, 30, 300}));
  const Build kron = [](const Values& x) -> Values {
    return {ops::kron(x[0], x[1])};
  };
  expect_value(kron,
               {numbers({1, 2}, {2, 3}), numbers({2, 2}, {1, 0, 5, 1})},
               numbers({2, 4}, {2, 0, 3, 0, 10, 2, 15, 3}));
  expect_grads(kron, {random({2, 3}), random({2, 2, 2})});
  expect_grads(
      [](const Values& x) -> Values { return {ops::outer(x[0], x[1])}; },
      {random({2, 3}), random({1, 4})});
}

TEST(Matrix, PowersMultiply) {
  const auto x = random({2, 3, 3});
  for (int64_t n = 0; n <= 7; ++n) {
    const Build f = [n](const Values& v) -> Values {
      Value y = ops::diag(ops::ones_like(ops::diagonal(v[0])));
      for (int64_t i = 0; i < n; ++i) y = ops::matmul(y, v[0]);
      return {(ops::matrix_power(v[0], n) - y) / (ops::max(ops::abs(y)) + 1.0)};
    };
    expect_zeros(f, {x});
  }
  expect_grads(
      [](const Values& v) -> Values { return {ops::matrix_power(v[0], 5)}; },
      {x});
}

}  // namespace
}  // namespace kexue::testing
