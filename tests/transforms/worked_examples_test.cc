// Worked examples with values from elsewhere, and checks of derivatives
// against each other; tests/ops/derivative_test.cc holds the single-function
// examples.
#include <gtest/gtest.h>

#include <cmath>

#include "kexue/optim/statistics.h"
#include "kexue/transforms/batch.h"
#include "kexue/transforms/per_sample.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"
#include "tests/support/tiny_functions.h"

namespace kexue::testing {
namespace {

using Arrays = std::vector<HostArray>;
using Doubles = std::vector<double>;

HostArray f64(const Shape& shape, const Doubles& v) {
  return HostArray::from_doubles({DType::kF64, shape}, v);
}

::testing::AssertionResult is(const HostArray& got, const Doubles& want) {
  return close(got, f64(got.shape(), want));
}

double length(const HostArray& a) {
  double s = 0;
  for (const double x : a.to_doubles()) s += x * x;
  return std::sqrt(s);
}

double distance(const HostArray& a, const HostArray& b) {
  double s = 0;
  for (int64_t i = 0; i < a.size(); ++i) s += std::pow(a.at(i) - b.at(i), 2);
  return std::sqrt(s);
}

// x^2 y + y^3
Value cubic(const Values& v) {
  return v[0] * v[0] * v[1] + v[1] * v[1] * v[1];
}

TEST(WorkedExample, HessianTimesAVectorInBothForms) {
  for (const auto form : {transforms::Hvp::kReverseOverReverse,
                          transforms::Hvp::kForwardOverReverse}) {
    const auto f = [&](const Values& x) {
      Values hv = transforms::hvp(cubic, form)(
          x, {ops::ones_like(x[0]), ops::full_like(x[1], -1)});
      const Values third = transforms::gradients(hv[0] - hv[1], x);
      hv.insert(hv.end(), third.begin(), third.end());
      return hv;
    };
    const auto y = evaluate_at(f, {f64({}, {1}), f64({}, {2})});
    EXPECT_EQ(y[0].at(0), 2);
    EXPECT_EQ(y[1].at(0), -10);
    EXPECT_EQ(y[2].at(0), -4);
    EXPECT_EQ(y[3].at(0), 8);
  }
}

TEST(WorkedExample, CrossEntropyHessianByForwardOverReverse) {
  const auto loss = [](const Values& x) {
    const Value label = ops::constant(HostArray::of<int32_t>({1}, {1}));
    return -ops::sum(ops::take(ops::log_softmax(x[0]), label));
  };
  const auto y = evaluate_at(
      [&](const Values& x) {
        const Value v = ops::constant(f64({3}, {1, 0, -1}));
        return transforms::hvp(loss, transforms::Hvp::kForwardOverReverse)(x,
                                                                           {v});
      },
      {f64({3}, {1, 2, 0})});
  EXPECT_TRUE(
      is(y[0], {0.2068694910301530, -0.1029113774449855, -0.1039581135851675}));
}

TEST(WorkedExample, TwoTasksAreParetoStationary) {
  const auto f = [](const Values& x) -> Values {
    const auto task = [&](const Doubles& center) {
      const Value r = x[0] - ops::constant(f64({2}, center));
      return ops::sum(r * r) * 0.5;
    };
    const Value l1 = task({2, 0});
    const Value l2 = task({-1, 3});
    const Value g1 = transforms::gradients(l1, x)[0];
    const Value g2 = transforms::gradients(l2, x)[0];
    // argmin over w in [0, 1] of ||w g1 + (1 - w) g2||^2
    const Value apart = g2 - g1;
    const Value free =
        optim::dot({apart}, {g2}) / optim::sum_of_squares({apart});
    const Value w = ops::minimum(ops::maximum(free, ops::zeros_like(free)),
                                 ops::ones_like(free));
    return {l1, l2, g1, g2, w, g1 * w + g2 * (1.0 - w)};
  };
  const auto y = evaluate_at(f, {f64({2}, {1, 1})});
  EXPECT_TRUE(is(y[0], {1}));
  EXPECT_TRUE(is(y[1], {4}));
  EXPECT_TRUE(is(y[2], {-1, 1}));
  EXPECT_TRUE(is(y[3], {2, -2}));
  EXPECT_TRUE(is(y[4], {2.0 / 3}));
  EXPECT_NEAR(length(y[5]), 0, 1e-15);
}

TEST(WorkedExample, PerSampleGradientsByBatch) {
  const auto loss = [](const Values& w, const Values& b) {
    const Value r = ops::sum(b[0] * w[0]) - b[1];
    return r * r * 0.5;
  };
  const auto f = [&](const Values& v) -> Values {
    const Value g =
        transforms::per_sample_gradients(loss, {v[0]}, {v[1], v[2]})[0];
    const Value mean = ops::mean(g, {0});
    return {g,
            ops::sum(g * g, {1}),
            ops::einsum("ad,bd->ab", g, g),
            mean,
            ops::sum(mean * mean),
            ops::mean(ops::sum(g * g, {1}))};
  };
  const auto y = evaluate_at(f,
                             {f64({2}, {1, -1}),
                              f64({3, 2}, {1, 2, 3, 1, 0, 1}),
                              f64({3}, {0, 1, 2})});
  EXPECT_TRUE(is(y[0], {-1, -2, 3, 1, 0, -3}));
  EXPECT_TRUE(is(y[1], {5, 10, 9}));
  EXPECT_TRUE(is(y[2], {5, -5, 6, -5, 10, -3, 6, -3, 9}));
  EXPECT_TRUE(is(y[3], {2.0 / 3, -4.0 / 3}));
  EXPECT_TRUE(is(y[4], {20.0 / 9}));
  EXPECT_TRUE(is(y[5], {8}));
}

TEST(WorkedExample, GradientNormsOfALinearLayerWithoutItsGradients) {
  // One position a sample, then three.
  for (const Shape& lead : {Shape{4}, Shape{4, 3}, Shape{4, 3, 2}}) {
    auto xs = lead.dims();
    auto zs = lead.dims();
    xs.push_back(5);
    zs.push_back(2);
    const auto layer = [](const Values& p, const Value& x) {
      return ops::matmul(x, p[0]) + p[1];
    };
    const auto f = [&](const Values& v) -> Values {
      const auto loss = [&](const Values& p, const Values& b) {
        const Value z = layer(p, ops::reshape(b[0], {-1, 5}));
        return ops::sum(ops::tanh(z) * z);
      };
      const Values g =
          transforms::per_sample_gradients(loss, {v[0], v[1]}, {v[2]});
      const Value z = layer({v[0], v[1]}, v[2]);
      const Value total = ops::sum(ops::tanh(z) * z);
      const auto fast = transforms::linear_gradient_squares(
          v[2], transforms::gradients(total, {z})[0]);
      return {ops::sum(g[0] * g[0], {1, 2}),
              fast.weight,
              ops::sum(g[1] * g[1], {1}),
              fast.bias};
    };
    const auto y = evaluate_at(
        f, {normal({5, 2}, 1), normal({2}, 2), normal(Shape(xs), 3)});
    EXPECT_TRUE(close(y[1], y[0]));
    EXPECT_TRUE(close(y[3], y[2]));
  }
}

TEST(WorkedExample, LinearLayerRefusesInputsOfOtherSamples) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {4, 3, 5}});
  const Value z = g.input({DType::kF32, {4, 2, 5}});
  EXPECT_ERROR(transforms::linear_gradient_squares(x, z),
               Code::kInvalidArgument,
               "got f32[4,3,5] and f32[4,2,5]");
}

// ---- derivatives against each other ---------------------------------------

// ||reverse mode - central differences|| / ||reverse mode||, all elements.
double relative_error(const transforms::Function& f, const Arrays& x) {
  const Arrays g = evaluate_at(
      [&](const Values& v) {
        return transforms::gradients(f(v), float_values(v));
      },
      x);
  const auto value = [&](const Arrays& at) {
    return evaluate_at([&](const Values& v) { return Values{f(v)}; }, at)[0].at(
        0);
  };
  constexpr double kStep = 1e-5;
  double error = 0;
  double size = 0;
  size_t k = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!is_float(x[i].dtype())) continue;
    for (size_t e = 0; e < static_cast<size_t>(x[i].size()); ++e) {
      Arrays up = x;
      Arrays down = x;
      up[i] = x[i].clone();
      down[i] = x[i].clone();
      up[i].mutable_span<double>()[e] += kStep;
      down[i].mutable_span<double>()[e] -= kStep;
      const double slope = (value(up) - value(down)) / (2 * kStep);
      const double exact = g[k].at(static_cast<int64_t>(e));
      error += std::pow(slope - exact, 2);
      size += exact * exact;
    }
    ++k;
  }
  return std::sqrt(error / size);
}

TEST(Consistency, GradientsEqualCentralDifferences) {
  EXPECT_LT(relative_error(mlp, kMlp), 1e-8);
  EXPECT_LT(relative_error(block, kBlock), 1e-8);
  const auto lookup = [](const Values& v) {
    const Value rows = ops::tanh(ops::take(v[0], v[1]));
    return ops::sum(rows * rows * rows);
  };
  EXPECT_LT(relative_error(
                lookup,
                {normal({5, 3}, 1), HostArray::of<int32_t>({4}, {4, 0, 4, 2})}),
            1e-8);
}

TEST(Consistency, PenaltyGradientsEqualDifferencesOfGradients) {
  constexpr double r = 1e-3;
  // Of the input: grad_W ||grad_x f||^2 / 2; of the parameters: H g.
  for (const size_t wrt : {0, 1}) {
    const auto y = evaluate_at(
        [&](const Values& v) -> Values {
          const Value g = transforms::gradients(mlp(v), {v[wrt]})[0];
          const auto at = [&](double step) {
            Values moved = v;
            moved[wrt] = v[wrt] + ops::stop_gradient(g) * step;
            return transforms::gradients(mlp(moved), {v[1]})[0];
          };
          const Value exact =
              transforms::gradients(ops::sum(g * g) * 0.5, {v[1]})[0];
          return {exact, (at(r) - at(-r)) / (2 * r)};
        },
        kMlp);
    EXPECT_LT(distance(y[0], y[1]), 1e-4 * length(y[0]));
  }
}

}  // namespace
}  // namespace kexue::testing
