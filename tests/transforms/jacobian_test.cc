// Tangents, Hessian products and whole matrices, each in several ways.
#include "kexue/transforms/jacobian.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/transforms/batch.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"
#include "tests/support/tiny_functions.h"

namespace kexue::testing {
namespace {

using Arrays = std::vector<HostArray>;
using transforms::Hvp;
using transforms::Sweep;

Arrays directions(const Arrays& x, uint64_t seed) {
  Arrays v;
  for (size_t i = 0; i < x.size(); ++i) {
    v.push_back(normal(x[i].shape(), seed + i));
  }
  return v;
}

Values constants(const Arrays& v) {
  Values out;
  for (const auto& a : v) out.push_back(ops::constant(a));
  return out;
}

double inner(const Arrays& a, const Arrays& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (int64_t k = 0; k < a[i].size(); ++k) sum += a[i].at(k) * b[i].at(k);
  }
  return sum;
}

// tanh of two layers: f64[3,2], not a scalar.
Value layers(const Values& v) {
  const Value h = ops::tanh(ops::einsum("bd,de->be", v[0], v[1], v[2]));
  return ops::tanh(ops::einsum("bd,de->be", h, v[3], v[4]));
}

// A recurrence with a product in every turn: f64[2].
Value recurrence(const Values& v) {
  const auto r = ops::scan(
      [&](const Values& c, const Values& s) {
        const Value h = ops::tanh(ops::einsum("d,de->e", c[0], v[1]) + s[0]);
        return std::pair(Values{h}, Values{h * h});
      },
      {v[0]},
      {v[2]});
  return r.carry[0] + ops::sum(r.ys[0], {0});
}

const Arrays kRecurrence = {
    normal({2}, 1), normal({2, 2}, 2), normal({4, 2}, 3)};

TEST(Jvp, IsTheSlopeAlongADirection) {
  const auto check = [](Value (*f)(const Values&), const Arrays& x) {
    const Arrays v = directions(x, 40);
    const Arrays t = evaluate_at(
        [&](const Values& in) {
          return transforms::jvp(transforms::Map(
              [f](const Values& w) -> Values { return {f(w)}; }))(in,
                                                                  constants(v))
              .second;
        },
        x);
    const auto at = [&](double h) {
      Arrays moved;
      for (size_t i = 0; i < x.size(); ++i) {
        moved.push_back(x[i].clone());
        for (int64_t k = 0; k < x[i].size(); ++k) {
          moved[i].mutable_span<double>()[static_cast<size_t>(k)] +=
              h * v[i].at(k);
        }
      }
      return evaluate_at([f](const Values& w) { return Values{f(w)}; },
                         moved)[0];
    };
    const HostArray up = at(1e-5);
    const HostArray down = at(-1e-5);
    for (int64_t k = 0; k < up.size(); ++k) {
      EXPECT_NEAR(t[0].at(k), (up.at(k) - down.at(k)) / 2e-5, 2e-8);
    }
  };
  check(layers, kMlp);
  check(recurrence, kRecurrence);
}

TEST(Jvp, IsTheTransposeOfVjp) {
  // <u, J v> = <J' u, v>
  const HostArray u = normal({3, 2}, 9);
  const Arrays v = directions(kMlp, 60);
  const Arrays jv = evaluate_at(
      [&](const Values& x) {
        return transforms::jvp({layers(x)}, x, constants(v));
      },
      kMlp);
  const Arrays ju = evaluate_at(
      [&](const Values& x) {
        return transforms::vjp({layers(x)}, constants({u}), x);
      },
      kMlp);
  const double a = inner({u}, jv);
  EXPECT_NEAR(a, inner(ju, v), 1e-12 * std::fabs(a));
}

TEST(Jvp, EmptyTangentsAndIndependentResultsAreZero) {
  const auto y = evaluate_at(
      [](const Values& x) {
        return transforms::jvp({x[0] * x[1], x[1] * 2.0, ops::exp(x[2])},
                               {x[0], x[1]},
                               {x[2], Value{}});
      },
      {normal({2}, 1), normal({2}, 2), normal({2}, 3)});
  const auto b = normal({2}, 2);
  const auto t = normal({2}, 3);
  EXPECT_EQ(y[0].at(0), b.at(0) * t.at(0));
  EXPECT_EQ(y[1].to_doubles(), (std::vector<double>{0, 0}));
  EXPECT_EQ(y[2].to_doubles(), (std::vector<double>{0, 0}));
}

TEST(Jvp, RefusesTangentsThatDoNotFit) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2}});
  const Value i = g.input({DType::kI32, {2}});
  EXPECT_ERROR(transforms::jvp({x}, {x}, {}),
               Code::kInvalidArgument,
               "jvp: 1 inputs, 0 tangents");
  EXPECT_ERROR(transforms::jvp({x}, {x}, {ops::sum(x)}),
               Code::kInvalidArgument,
               "jvp: a tangent is f32[], its input f32[2]");
  EXPECT_ERROR(transforms::jvp({i}, {x}, {x}),
               Code::kInvalidArgument,
               "gradient: wants float or complex tensors, got x 0");
}

TEST(Linearize, GivesOneTangentAfterAnother) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        const auto push = transforms::linearize({ops::sin(x[0])}, {x[0]});
        return {push({x[1]})[0], push({x[1] * 3.0})[0]};
      },
      {HostArray::of<double>({2}, {0, 1}), HostArray::of<double>({2}, {1, 2})});
  EXPECT_TRUE(close(y[0], HostArray::of<double>({2}, {1, 2 * std::cos(1)})));
  EXPECT_TRUE(close(y[1], HostArray::of<double>({2}, {3, 6 * std::cos(1)})));
}

TEST(Hvp, BothFormsAgreeWithDifferencesOfGradients) {
  for (const auto& [f, x] :
       {std::pair<Value (*)(const Values&), Arrays>{mlp, kMlp},
        {[](const Values& v) { return ops::sum(recurrence(v)); },
         kRecurrence}}) {
    const Arrays v = directions(x, 80);
    const auto times = [&](Hvp form) {
      return evaluate_at(
          [&](const Values& in) {
            return transforms::hvp(f, form)(in, constants(v));
          },
          x);
    };
    const auto slope = [&](double h) {
      Arrays moved;
      for (size_t i = 0; i < x.size(); ++i) {
        moved.push_back(x[i].clone());
        for (int64_t k = 0; k < x[i].size(); ++k) {
          moved[i].mutable_span<double>()[static_cast<size_t>(k)] +=
              h * v[i].at(k);
        }
      }
      return evaluate_at(transforms::grad(f), moved);
    };
    const Arrays a = times(Hvp::kReverseOverReverse);
    const Arrays b = times(Hvp::kForwardOverReverse);
    const Arrays up = slope(1e-5);
    const Arrays down = slope(-1e-5);
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(close(a[i], b[i], {1e-11, 1e-12}));
      for (int64_t k = 0; k < a[i].size(); ++k) {
        const double want = (up[i].at(k) - down[i].at(k)) / 2e-5;
        EXPECT_NEAR(a[i].at(k), want, 1e-7 * (1 + std::fabs(want)));
      }
    }
  }
}

TEST(Hvp, OfATransformerBlockIsSymmetricInBothForms) {
  const auto f = [](const Values& p) {
    Values all = constants(kBlock);
    all[0] = p[0];
    all[2] = p[1];
    return block(all);
  };
  const Arrays x = {kBlock[0], kBlock[2]};
  const Arrays u = directions(x, 100);
  const Arrays v = directions(x, 200);
  for (const Hvp form : {Hvp::kReverseOverReverse, Hvp::kForwardOverReverse}) {
    const auto times = [&](const Arrays& w) {
      return evaluate_at(
          [&](const Values& in) {
            return transforms::hvp(f, form)(in, constants(w));
          },
          x);
    };
    const double uhv = inner(u, times(v));
    EXPECT_NEAR(uhv, inner(v, times(u)), 1e-11 * std::fabs(uhv));
    EXPECT_GT(std::fabs(uhv), 1e-3);
  }
}

TEST(Jacobian, BothSweepsAgreeAndHoldTheProducts) {
  const Arrays v = directions(kMlp, 300);
  const auto y = evaluate_at(
      [&](const Values& x) {
        Values out = transforms::jacobian(layers, Sweep::kReverse)(x);
        const Values cols = transforms::jacobian(layers, Sweep::kForward)(x);
        out.insert(out.end(), cols.begin(), cols.end());
        Values one(x.size());
        one[1] = ops::constant(v[1]);
        out.push_back(transforms::jvp({layers(x)}, x, one)[0]);
        out.push_back(ops::einsum("bode,de->bo", out[1], one[1]));
        return out;
      },
      kMlp);
  EXPECT_EQ(y[1].shape(), (Shape{3, 2, 4, 5}));
  for (size_t i = 0; i < 5; ++i) EXPECT_TRUE(close(y[i], y[5 + i]));
  EXPECT_TRUE(close(y[10], y[11]));
}

TEST(Jacobian, OfALoopAgreesInBothSweeps) {
  const auto y = evaluate_at(
      [](const Values& x) {
        Values out = transforms::jacobian(recurrence, Sweep::kReverse)(x);
        const Values b = transforms::jacobian(recurrence, Sweep::kForward)(x);
        out.insert(out.end(), b.begin(), b.end());
        return out;
      },
      kRecurrence);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(close(y[i], y[3 + i]));
}

TEST(Jacobian, OfAScalarIsItsGradient) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        return {transforms::jacobian(mlp)(x)[1],
                transforms::grad(mlp)(x)[1],
                transforms::jacobian(mlp, Sweep::kForward)(x)[1]};
      },
      kMlp);
  EXPECT_TRUE(close(y[0], y[1]));
  EXPECT_TRUE(close(y[2], y[1]));
}

TEST(Hessian, OfACubicAndOfAnMlp) {
  // f = x^2 y + y^3 at (1, 2): [[4, 2], [2, 12]].
  const auto h = evaluate_at(
      [](const Values& v) {
        const Value f = v[0] * v[0] * v[1] + v[1] * v[1] * v[1];
        const auto rows = transforms::hessian(f, v);
        return Values{rows[0][0], rows[0][1], rows[1][0], rows[1][1]};
      },
      {HostArray::scalar(1.0), HostArray::scalar(2.0)});
  EXPECT_EQ(h[0].at(0), 4);
  EXPECT_EQ(h[1].at(0), 2);
  EXPECT_EQ(h[2].at(0), 2);
  EXPECT_EQ(h[3].at(0), 12);
  const Arrays v = directions(kMlp, 400);
  const auto y = evaluate_at(
      [&](const Values& x) -> Values {
        const auto rows = transforms::hessian(mlp(x), {x[1], x[3]});
        const Value one = ops::constant(v[1]);
        const Value two = ops::constant(v[3]);
        Values direction = constants(kMlp);
        for (Value& d : direction) d = ops::zeros_like(d);
        direction[1] = one;
        direction[3] = two;
        return {ops::einsum("abcd,cd->ab", rows[0][0], one) +
                    ops::einsum("abcd,cd->ab", rows[0][1], two),
                transforms::hvp(mlp)(x, direction)[1]};
      },
      kMlp);
  EXPECT_TRUE(close(y[0], y[1], {1e-11, 1e-12}));
}

}  // namespace
}  // namespace kexue::testing
