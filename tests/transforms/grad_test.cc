// Whole models: the gradient API and the consistency of derivatives.
#include "kexue/transforms/grad.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/verify.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"
#include "tests/support/tiny_functions.h"

namespace kexue::testing {
namespace {

using Pair = std::pair<Values, Values>;

TEST(Grad, OfAnMlpMatchesDifferencesToThirdOrder) {
  EXPECT_TRUE(check_grads(mlp, kMlp, 3));
}

TEST(Grad, OfATransformerBlockMatchesDifferencesToSecondOrder) {
  EXPECT_TRUE(check_grads(block, kBlock, 2));
}

double dot(const std::vector<HostArray>& a, const std::vector<HostArray>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = a[i].to_doubles();
    const auto y = b[i].to_doubles();
    for (size_t k = 0; k < x.size(); ++k) sum += x[k] * y[k];
  }
  return sum;
}

TEST(Grad, HessianIsSymmetric) {
  std::vector<HostArray> u;
  std::vector<HostArray> v;
  for (size_t i = 0; i < kMlp.size(); ++i) {
    u.push_back(normal(kMlp[i].shape(), 100 + i));
    v.push_back(normal(kMlp[i].shape(), 200 + i));
  }
  const auto times = [&](const std::vector<HostArray>& w) {
    return evaluate_at(
        [&](const Values& x) {
          Values direction;
          for (const auto& a : w) direction.push_back(ops::constant(a));
          return transforms::hvp(mlp)(x, direction);
        },
        kMlp);
  };
  const double uhv = dot(u, times(v));
  EXPECT_NEAR(uhv, dot(v, times(u)), 1e-12 * std::fabs(uhv));
}

TEST(Grad, ValueAndGradAgreesWithBoth) {
  const auto y = evaluate_at(
      [](const Values& x) {
        auto [value, grads] = transforms::value_and_grad(mlp)(x);
        grads.push_back(value);
        return grads;
      },
      kMlp);
  const auto g = evaluate_at(transforms::grad(mlp), kMlp);
  for (size_t i = 0; i < g.size(); ++i) EXPECT_TRUE(y[i].identical(g[i]));
  EXPECT_GT(y.back().at(0), 0);
}

TEST(Grad, PenaltyTwoWays) {
  // d/dw of ||df/dx||^2 / 2, exactly and as a difference of gradients along
  // the gradient: [grad_w f(x + r g) - grad_w f(x - r g)] / 2r, g = df/dx.
  const double r = 1e-4;
  const auto exact = evaluate_at(
      [](const Values& v) {
        const Value g = transforms::gradients(mlp(v), {v[0]})[0];
        return transforms::gradients(ops::sum(g * g) * 0.5, {v[1]});
      },
      kMlp)[0];
  const auto approximate = evaluate_at(
      [r](const Values& v) -> Values {
        const Value g = transforms::gradients(mlp(v), {v[0]})[0];
        const auto at = [&](double step) {
          Values moved = v;
          moved[0] = ops::stop_gradient(v[0] + g * step);
          return transforms::gradients(mlp(moved), {v[1]})[0];
        };
        return {(at(r) - at(-r)) / (2 * r)};
      },
      kMlp)[0];
  double difference = 0;
  double size = 0;
  for (int64_t i = 0; i < exact.size(); ++i) {
    difference += std::pow(exact.at(i) - approximate.at(i), 2);
    size += std::pow(exact.at(i), 2);
  }
  EXPECT_LT(std::sqrt(difference), 1e-4 * std::sqrt(size));
}

TEST(Grad, OfManyTasksInOneStepEqualsSeparateSteps) {
  const auto task = [](const Values& x, double t) {
    return mlp(x) * t + ops::sum(ops::sin(x[1] * t));
  };
  const auto together = evaluate_at(
      [&](const Values& x) {
        Values out;
        for (const double t : {1.0, 2.0, 3.0}) {
          out.push_back(transforms::gradients(task(x, t), {x[1]})[0]);
        }
        return out;
      },
      kMlp);
  for (size_t i = 0; i < 3; ++i) {
    const auto alone = evaluate_at(
        [&](const Values& x) {
          return transforms::gradients(task(x, 1.0 + static_cast<double>(i)),
                                       {x[1]});
        },
        kMlp)[0];
    EXPECT_TRUE(close(together[i], alone));
  }
}

TEST(Grad, WithRespectToAnIntermediateValue) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        const Value h = ops::exp(x[0]);
        const Value l = ops::sum(h * h);
        return transforms::gradients(l, {h, x[0]});
      },
      {HostArray::of<double>({2}, {0, 1})});
  EXPECT_TRUE(close(y[0], HostArray::of<double>({2}, {2, 2 * std::exp(1)})));
  EXPECT_TRUE(close(y[1], HostArray::of<double>({2}, {2, 2 * std::exp(2)})));
}

TEST(Grad, InsideALoopOfACapturedValue) {
  // Each step differentiates with respect to a value of the outer trace.
  const auto y = evaluate_at(
      [](const Values& v) -> Values {
        const auto r = ops::scan(
            [&](const Values&, const Values& s) {
              return Pair{
                  {},
                  transforms::gradients(ops::sum(v[0] * v[0]) * s[0], {v[0]})};
            },
            {},
            {v[1]});
        return r.ys;
      },
      {HostArray::of<double>({2}, {3, 4}),
       HostArray::of<double>({3}, {1, 0, -1})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{6, 8, 0, 0, -6, -8}));
}

TEST(Vjp, RefusesCotangentsThatDoNotFit) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2}});
  EXPECT_ERROR(transforms::vjp({x}, {x, x}, {x}),
               Code::kInvalidArgument,
               "gradient: 1 values, 2 cotangents");
  EXPECT_ERROR(transforms::vjp({x}, {ops::sum(x)}, {x}),
               Code::kInvalidArgument,
               "gradient: a cotangent is f32[], its value f32[2]");
}

TEST(Vjp, CombinesSeveralOutputs) {
  const auto y = evaluate_at(
      [](const Values& x) {
        return transforms::vjp(
            {x[0] * 2.0, ops::sum(x[0]), x[0]},
            {x[0], ops::constant(HostArray::scalar(10.0)), Value{}},
            {x[0]});
      },
      {HostArray::of<double>({2}, {1, -1})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{12, 8}));
}

}  // namespace
}  // namespace kexue::testing
