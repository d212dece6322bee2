// Worked examples of derivatives: every number was computed by hand or with
// NumPy, outside of this project.
#include <gtest/gtest.h>

#include <functional>

#include <cmath>

#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using Doubles = std::vector<double>;

HostArray f64(const Shape& shape, const Doubles& v) {
  return HostArray::from_doubles({DType::kF64, shape}, v);
}

::testing::AssertionResult is(const HostArray& got, const Doubles& want) {
  return close(got, f64(got.shape(), want));
}

// x^2 y + y^3
Value cubic(const Values& v) {
  return v[0] * v[0] * v[1] + v[1] * v[1] * v[1];
}

const std::vector<HostArray> kAt12 = {f64({}, {1}), f64({}, {2})};

Value squared_length(const Values& g) {
  Value total;
  for (const Value& x : g) {
    const Value part = ops::sum(x * x);
    total = total ? total + part : part;
  }
  return total;
}

TEST(Gradient, OfACubic) {
  const auto g = evaluate_at(transforms::grad(cubic), kAt12);
  EXPECT_TRUE(is(g[0], {4}));
  EXPECT_TRUE(is(g[1], {13}));
}

TEST(Gradient, HessianVectorProduct) {
  const auto f = [](const Values& x) {
    return transforms::hvp(cubic)(
        x, {ops::ones_like(x[0]), ops::full_like(x[1], -1)});
  };
  const auto hv = evaluate_at(f, kAt12);
  EXPECT_TRUE(is(hv[0], {2}));
  EXPECT_TRUE(is(hv[1], {-10}));
}

TEST(Gradient, ThirdOrder) {
  // v' H v = 8 y - 4 x for v = (1, -1)
  const auto quadratic = [](const Values& x) {
    const auto hv = transforms::hvp(cubic)(
        x, {ops::ones_like(x[0]), ops::full_like(x[1], -1)});
    return hv[0] - hv[1];
  };
  const auto g = evaluate_at(transforms::grad(quadratic), kAt12);
  EXPECT_TRUE(is(g[0], {-4}));
  EXPECT_TRUE(is(g[1], {8}));
}

TEST(Gradient, ThroughASquaredGradientNorm) {
  const auto half = [](const Values& x) {
    return squared_length(transforms::grad(cubic)(x)) * 0.5;
  };
  const auto g = evaluate_at(transforms::grad(half), kAt12);
  EXPECT_TRUE(is(g[0], {42}));
  EXPECT_TRUE(is(g[1], {164}));
  const auto value =
      evaluate_at([&](const Values& x) { return Values{half(x)}; }, kAt12);
  EXPECT_TRUE(is(value[0], {185.0 / 2}));
}

Value gradient_length(const Values& x) {
  const Values g = transforms::grad(cubic)(x);
  return ops::norm(
      ops::concatenate({ops::reshape(g[0], {1}), ops::reshape(g[1], {1})}, 0));
}

TEST(Gradient, ThroughAGradientNorm) {
  const auto f = [](const Values& x) -> Values {
    const Value n = gradient_length(x);
    Values out = transforms::gradients(n, x);
    out.push_back(n);
    return out;
  };
  const auto y = evaluate_at(f, kAt12);
  EXPECT_TRUE(is(y[0], {3.087901412793993}));
  EXPECT_TRUE(is(y[1], {12.05751980233845}));
  EXPECT_TRUE(is(y[2], {13.601470508735444}));
}

TEST(Gradient, OfANormIsZeroAtAStationaryPoint) {
  const auto g = evaluate_at(transforms::grad(gradient_length),
                             {f64({}, {0}), f64({}, {0})});
  EXPECT_TRUE(is(g[0], {0}));
  EXPECT_TRUE(is(g[1], {0}));
}

TEST(Gradient, OfAnInputGradientPenalty) {
  const auto loss = [](const Values& v) {  // w, x
    const Value r = v[0] * v[1] - 4.0;
    return r * r * 0.5;
  };
  const std::vector<HostArray> at = {f64({}, {2}), f64({}, {3})};
  for (const size_t wrt : {1, 0}) {
    const auto penalty = [&](const Values& v) -> Values {
      const Value g = transforms::gradients(loss(v), {v[wrt]})[0];
      const Value p = g * g;
      return {p, transforms::gradients(p, {v[0]})[0]};
    };
    const auto y = evaluate_at(penalty, at);
    EXPECT_TRUE(is(y[0], {wrt == 1 ? 16.0 : 36.0}));
    EXPECT_TRUE(is(y[1], {wrt == 1 ? 64.0 : 108.0}));
  }
}

TEST(Gradient, OfATanhInputPenalty) {
  const auto f = [](const Values& v) -> Values {
    const Value y = ops::tanh(v[0] * v[1]);
    const Value g = transforms::gradients(y, {v[1]})[0];
    const Value p = g * g;
    Values out = transforms::gradients(p, v);
    out.push_back(p);
    return out;
  };
  const auto y = evaluate_at(f, {f64({}, {0.5}), f64({}, {0.8})});
  EXPECT_TRUE(is(y[2], {0.18302943306161784}));
  EXPECT_TRUE(is(y[0], {0.5095838341539151}));
  EXPECT_TRUE(is(y[1], {-0.1390836863078477}));
}

Value cross_entropy(const Value& logits, bool sparse) {
  const Value logp = ops::log_softmax(logits);
  if (!sparse) return -ops::sum(ops::slice(logp, {1}, {2}));
  const Value label = ops::constant(HostArray::of<int32_t>({1}, {1}));
  return -ops::sum(ops::take(logp, label));
}

TEST(Gradient, OfCrossEntropyInBothFormsToSecondOrder) {
  for (const bool sparse : {false, true}) {
    const auto f = [&](const Values& x) -> Values {
      const auto loss = [&](const Values& v) {
        return cross_entropy(v[0], sparse);
      };
      const Value y = loss(x);
      const Value g = transforms::gradients(y, x)[0];
      const Value v = ops::constant(f64({3}, {1, 0, -1}));
      const Value hv = transforms::hvp(loss)(x, {v})[0];
      const Value half = ops::sum(g * g) * 0.5;
      return {y, g, hv, transforms::gradients(half, x)[0]};
    };
    const auto y = evaluate_at(f, {f64({3}, {1, 2, 0})});
    EXPECT_TRUE(is(y[0], {0.40760596444438046}));
    EXPECT_TRUE(is(
        y[1], {0.2447284710547977, -0.3347590442251781, 0.09003057317038046}));
    EXPECT_TRUE(is(
        y[2], {0.2068694910301530, -0.1029113774449855, -0.1039581135851675}));
    EXPECT_TRUE(is(
        y[3], {0.09775100456946357, -0.1197840490896379, 0.02203304452017430}));
  }
}

TEST(StopGradient, CountsAsAConstantInEveryOrder) {
  const auto f = [](const Values& x) -> Values {
    const Value l = x[0] * x[0];
    const Value ratio = l / ops::stop_gradient(l);
    const Value d = transforms::gradients(ratio, x)[0];
    const Value product = ops::stop_gradient(l) * l;
    return {ratio,
            d,
            transforms::gradients(d, x)[0],
            transforms::gradients(product, x)[0],
            transforms::gradients(ops::stop_gradient(l), x)[0]};
  };
  const auto y = evaluate_at(f, {f64({}, {3})});
  EXPECT_TRUE(is(y[0], {1}));
  EXPECT_TRUE(is(y[1], {2.0 / 3}));
  EXPECT_TRUE(is(y[2], {2.0 / 9}));
  EXPECT_TRUE(is(y[3], {54}));
  EXPECT_TRUE(is(y[4], {0}));
}

TEST(Gradient, OfTwoTasksSharesOneForwardPass) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value theta = g.input({DType::kF64, {2}});
  const auto task = [&](const Doubles& center) {
    // A shared trunk, traced once for each task.
    const Value h = ops::tanh(ops::exp(theta) * 0.0) + theta;
    const Value r = h - ops::constant(f64({2}, center));
    return ops::sum(r * r) * 0.5;
  };
  const Value l1 = task({2, 0});
  const Value l2 = task({-1, 3});
  const Value g1 = transforms::gradients(l1, {theta})[0];
  const Value g2 = transforms::gradients(l2, {theta})[0];
  g.set_outputs({l1, l2, g1, g2});
  const auto small = transforms::simplify(g);
  int trunks = 0;
  for (const auto& n : small->nodes()) trunks += n->op->name == "tanh";
  EXPECT_EQ(trunks, 1);
  const auto y = ir::evaluate(*small, std::vector{f64({2}, {1, 1})});
  EXPECT_TRUE(is(y[0], {1}));
  EXPECT_TRUE(is(y[1], {4}));
  EXPECT_TRUE(is(y[2], {-1, 1}));
  EXPECT_TRUE(is(y[3], {2, -2}));
}

TEST(Gradient, OfSumOfLogLossesAndOfUnitGradients) {
  const auto f = [](const Values& x) -> Values {
    Values losses;
    for (const Doubles& c : {Doubles{2, 0}, Doubles{-1, 3}}) {
      const Value r = x[0] - ops::constant(f64({2}, c));
      losses.push_back(ops::sum(r * r) * 0.5);
    }
    const Value logs = ops::log(losses[0]) + ops::log(losses[1]);
    const Value g1 = transforms::gradients(losses[0], x)[0];
    const Value g2 = transforms::gradients(losses[1], x)[0];
    return {transforms::gradients(logs, x)[0],
            g1 / ops::norm(g1) + g2 / ops::norm(g2)};
  };
  const auto y = evaluate_at(f, {f64({2}, {1, 1})});
  EXPECT_TRUE(is(y[0], {-0.5, 0.5}));
  EXPECT_TRUE(is(y[1], {0, 0}));
}

const HostArray kX = f64({3, 2}, {1, 2, 3, 1, 0, 1});
const HostArray kW = f64({2}, {1, -1});
const HostArray kY = f64({3}, {0, 1, 2});

// 0.5 (x_b w - y_b)^2 for each sample
Value sample_losses(const Value& w, const Value& x, const Value& y) {
  const Value r = ops::einsum("bd,d->b", x, w) - y;
  return r * r * 0.5;
}

TEST(PerSample, GradientsNormsAndGramMatrix) {
  // Per-sample gradients as a loop over samples, all in one program.
  const auto f = [](const Values& v) -> Values {
    const auto r = ops::scan(
        [&](const Values&, const Values& s) {
          const Value e = ops::sum(s[0] * v[0]) - s[1];
          const Value l = e * e * 0.5;
          return std::pair(Values{}, transforms::gradients(l, {v[0]}));
        },
        {},
        {v[1], v[2]});
    const Value g = r.ys[0];
    const Value mean = ops::mean(g, {0});
    return {g,
            ops::einsum("ad,bd->ab", g, g),
            mean,
            ops::sum(mean * mean),
            ops::mean(ops::sum(g * g, {1}))};
  };
  const auto y = evaluate_at(f, {kW, kX, kY});
  EXPECT_TRUE(is(y[0], {-1, -2, 3, 1, 0, -3}));
  EXPECT_TRUE(is(y[1], {5, -5, 6, -5, 10, -3, 6, -3, 9}));
  EXPECT_TRUE(is(y[2], {2.0 / 3, -4.0 / 3}));
  EXPECT_TRUE(is(y[3], {20.0 / 9}));
  EXPECT_TRUE(is(y[4], {8}));
}

TEST(PerSample, NormsFromTheOutputsOfALinearLayer) {
  // ||dl_b/dW||^2 = ||dl_b/dz_b||^2 ||x_b||^2: the gradient of an
  // intermediate value is enough.
  const auto f = [](const Values& v) -> Values {
    const Value z = ops::einsum("bd,d->b", v[1], v[0]);
    const Value r = z - v[2];
    const Value delta = transforms::gradients(ops::sum(r * r) * 0.5, {z})[0];
    return {delta * delta * ops::sum(v[1] * v[1], {1})};
  };
  EXPECT_TRUE(is(evaluate_at(f, {kW, kX, kY})[0], {5, 10, 9}));
}

TEST(PerSample, InputGradientsOfTheMeanLoss) {
  const auto f = [](const Values& v) -> Values {
    return transforms::gradients(ops::mean(sample_losses(v[0], v[1], v[2])),
                                 {v[1]});
  };
  const double t = 1.0 / 3;
  EXPECT_TRUE(is(evaluate_at(f, {kW, kX, kY})[0], {-t, t, t, -t, -1, 1}));
}

TEST(Norm, OfSixteenBitsDoesNotOverflow) {
  for (const DType d : {DType::kF16, DType::kBF16}) {
    const auto x = HostArray::full({d, {1}}, 300);
    const auto y = evaluate_at(
        [](const Values& v) { return Values{ops::norm(v[0])}; }, {x});
    EXPECT_EQ(y[0].dtype(), d);
    EXPECT_EQ(y[0].at(0), 300);
  }
}

TEST(Norm, OfGroupsAndOfAll) {
  const auto f = [](const Values& x) -> Values {
    const Value a = ops::norm(x[0]);
    const Value b = ops::norm(x[1]);
    return {a, b, ops::sqrt(a * a + b * b)};
  };
  const auto y = evaluate_at(f, {f64({2}, {3, 4}), f64({1, 2}, {0, 12})});
  EXPECT_TRUE(is(y[0], {5}));
  EXPECT_TRUE(is(y[1], {12}));
  EXPECT_TRUE(is(y[2], {13}));
}

TEST(Kink, DerivativesAreZeroAndNeverNan) {
  const auto slope = [](const std::function<Value(const Value&)>& f,
                        double at) {
    return evaluate_at(transforms::grad(
                           [f](const Values& x) { return ops::sum(f(x[0])); }),
                       {f64({1}, {at})})[0]
        .at(0);
  };
  EXPECT_EQ(slope(ops::abs, 0), 0);
  EXPECT_EQ(slope(ops::relu, 0), 0);
  const auto norm = [](const Value& x) { return ops::norm(x); };
  EXPECT_EQ(slope(norm, 0), 0);
  EXPECT_EQ(slope([](const Arg& l) { return ops::abs(l - 0.7) + 0.7; }, 0.7),
            0);
  EXPECT_EQ(slope(ops::cbrt, 0), 0);
  const auto clamp = [](const Arg& x) { return ops::clamp(x, -1, 1); };
  EXPECT_EQ(slope(clamp, -1), 0);
  EXPECT_EQ(slope(clamp, 0.5), 1);
  EXPECT_EQ(slope(clamp, 1), 0);
  EXPECT_EQ(slope(clamp, 2), 0);
  EXPECT_EQ(slope(ops::softplus, 0), 0.5);
  // At a tie, maximum shares the slope.
  EXPECT_EQ(slope([](const Arg& x) { return ops::maximum(x, x * 1.0); }, 2), 1);
  EXPECT_EQ(
      slope([](const Arg& x) { return ops::pow(x, ops::zeros_like(x)); }, 0),
      0);
}

TEST(Kink, SecondDerivativesArePlainToo) {
  const auto second = [](const std::function<Value(const Value&)>& f,
                         double at) {
    const auto g = transforms::grad(transforms::Function([f](const Values& x) {
      return ops::sum(transforms::grad(
          [f](const Values& v) { return ops::sum(f(v[0])); })(x)[0]);
    }));
    return evaluate_at(g, {f64({1}, {at})})[0].at(0);
  };
  EXPECT_EQ(second(ops::abs, 0), 0);
  EXPECT_EQ(second(ops::relu, 0), 0);
  EXPECT_EQ(second(ops::cbrt, 0), 0);
  EXPECT_EQ(second(ops::softplus, 0), 0.25);
  EXPECT_EQ(second(ops::log_sigmoid, 0), -0.25);
  const auto norm = [](const Value& x) { return ops::norm(x); };
  EXPECT_TRUE(std::isfinite(second(norm, 0)));
  EXPECT_EQ(
      second([](const Arg& x) { return ops::pow(x, ops::full_like(x, 2)); }, 0),
      2);
  EXPECT_EQ(
      second([](const Arg& x) { return ops::pow(x, ops::ones_like(x)); }, 0),
      0);
}

TEST(Kink, GuardedQuotientOfAZeroVector) {
  // relu(-<a, b>) / ||b||^2, 0 where b = 0.
  const auto f = [](const Values& v) -> Values {
    const Value dot = ops::sum(v[0] * v[1]);
    const Value length = ops::sum(v[1] * v[1]);
    const Value some = ops::greater(length, ops::zeros_like(length));
    const Value safe = ops::select(some, length, ops::ones_like(length));
    return {ops::relu(-dot) / safe};
  };
  const auto y = evaluate_at(f, {f64({2}, {1, 2}), f64({2}, {0, 0})});
  EXPECT_TRUE(is(y[0], {0}));
}

}  // namespace
}  // namespace kexue::testing
