// Branches, open loops and the loops made of them: values, derivatives, and
// what every pass over the graph makes of their regions.
#include <gtest/gtest.h>

#include "kexue/ir/print.h"
#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/precision.h"
#include "kexue/transforms/unroll.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using Pair = std::pair<Values, Values>;

HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF64, shape}, Key::from_seed(seed));
}
HostArray number(double x) {
  return HostArray::scalar(x);
}
Value positive(const Value& x) {
  return ops::greater(x, ops::zeros_like(x));
}
double at(const std::function<Values(const Values&)>& f, double x) {
  return evaluate_at(f, {number(x)})[0].at(0);
}
int count(const Graph& g, const OpDef& op) {
  int n = 0;
  for (const auto& node : g.nodes()) {
    n += node->op == &op;
    for (const auto& r : node->regions) n += count(*r, op);
  }
  return n;
}

// sqrt where it has a slope, 0 elsewhere; x is captured, not passed.
Value safe_sqrt(const Value& x) {
  return ops::cond(
      positive(x),
      [&](const Values&) { return Values{ops::sqrt(x)}; },
      [&](const Values&) { return Values{ops::zeros_like(x)}; })[0];
}

TEST(Cond, TheBranchThatIsNotTakenNeverRuns) {
  const auto f = [](const Values& v) { return safe_sqrt(v[0]); };
  const auto slope = transforms::grad(f);
  EXPECT_EQ(at([&](const Values& v) { return Values{f(v)}; }, 4), 2);
  EXPECT_EQ(at([&](const Values& v) { return Values{f(v)}; }, -4), 0);
  EXPECT_EQ(at(slope, 4), 0.25);
  EXPECT_EQ(at(slope, 0), 0);   // sqrt alone: 0 * inf
  EXPECT_EQ(at(slope, -4), 0);  // sqrt alone: NaN
}

TEST(Cond, DerivativesOfAnyOrderWithCapturesAndSharedOperands) {
  const auto f = [](const Values& v) {
    const auto y = ops::cond(
        positive(ops::sum(v[2])),
        [&](const Values& o) {
          return Values{ops::tanh(o[0] * v[1]) * o[1], o[0]};
        },
        [&](const Values& o) {
          return Values{o[1] * o[1] * v[0], v[1] * 2.0};
        },
        {v[0], v[0]});
    return weighted_sum(y);
  };
  for (const uint64_t seed : {1, 2, 3, 4}) {
    EXPECT_TRUE(check_grads(
        f, {normal({3}, seed), normal({3}, seed + 9), normal({2}, seed)}, 3));
  }
}

TEST(Cond, NestsWithLoopsInBothDirections) {
  const auto f = [](const Values& v) {
    const auto r = ops::scan(
        [&](const Values& c, const Values& x) {
          const Value h = ops::cond(
              positive(ops::sum(c[0] * x[0])),
              [&](const Values& o) {
                return ops::scan(
                           [&](const Values& d, const Values&) {
                             return Pair{{ops::tanh(d[0] * v[1] + x[0])}, {}};
                           },
                           o,
                           {},
                           {.length = 2})
                    .carry;
              },
              [&](const Values& o) { return Values{o[0] * x[0] - v[1]}; },
              {c[0]})[0];
          return Pair{{h}, {h * h}};
        },
        {v[0]},
        {v[2]});
    return weighted_sum({r.carry[0], r.ys[0]});
  };
  EXPECT_TRUE(
      check_grads(f, {normal({2}, 1), normal({2}, 2), normal({5, 2}, 3)}, 2));
}

TEST(Cond, GradientInsideABranch) {
  const auto f = [](const Values& v) {
    return ops::sum(ops::cond(
        positive(ops::sum(v[0] * v[0])),
        [&](const Values& o) {
          const Value l = ops::sum(ops::tanh(o[0]) * v[1]);
          return Values{transforms::gradients(l, {o[0]})[0] +
                        transforms::gradients(l, {v[1]})[0]};
        },
        [](const Values& o) { return o; },
        {v[0]})[0]);
  };
  EXPECT_TRUE(check_grads(f, {normal({3}, 1), normal({3}, 2)}, 2));
}

TEST(Cond, SurvivesEveryPass) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 2}});
  const Value w = g.input({DType::kF32, {2, 2}});
  const auto y = ops::cond(
      positive(ops::sum(x)),
      [&](const Values&) {
        const Value h = ops::matmul(x, w);
        const Value twice = ops::matmul(x, w);  // merged by simplify
        return Values{h + twice, ops::exp(x)};
      },
      [&](const Values&) {
        return Values{x, w};
      });
  const Value d = transforms::gradients(ops::sum(y[0]), {w})[0];
  g.set_outputs({y[0], d});
  ir::verify(g);
  EXPECT_NE(ir::print(g).find("= case("), std::string::npos);
  const auto small = transforms::simplify(g);
  // The second output, the exponential and the double product are gone.
  EXPECT_EQ(count(*small, ops::kExp), 0);
  EXPECT_LT(count(*small, ops::kMatmul), count(g, ops::kMatmul));
  const auto low = transforms::apply_precision(*transforms::unroll(*small, 8),
                                               {.compute = DType::kBF16});
  const std::vector<HostArray> at = {
      HostArray::of<float>({2, 2}, {1, 2, 3, 4}),
      HostArray::of<float>({2, 2}, {1, 0, 2, 1})};
  const auto want = ir::evaluate(g, at);
  const auto got = ir::evaluate(*low, at);
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(close(got[i], want[i], {1e-2, 1e-2}));
  }
}

TEST(Cond, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2}});
  const Value p = g.input({DType::kBool, {}});
  const Value i = g.input({DType::kI32, {}});
  const auto same = [](const Values& v) { return v; };
  const auto none = [](const Values&) { return Values{}; };
  const auto sum = [](const Values& v) { return Values{ops::sum(v[0])}; };
  EXPECT_ERROR(ops::cond(x, same, same, {x}),
               Code::kInvalidArgument,
               "cond: wants a predicate bool[], got f32[2]",
               "control_test.cc");
  EXPECT_ERROR(ops::cond(p, same, none, {x}),
               Code::kInvalidArgument,
               "branch 0 returns 0 values, branch 1 returns 1");
  EXPECT_ERROR(ops::cond(p, same, sum, {x}),
               Code::kInvalidArgument,
               "output 0 is f32[] in branch 0 and f32[2] in branch 1");
  EXPECT_ERROR(ops::switch_case(p, {same}, {x}),
               Code::kInvalidArgument,
               "switch_case: wants an index i32[], got bool[]");
  EXPECT_ERROR(ops::switch_case(i, {}, {x}),
               Code::kInvalidArgument,
               "switch_case: no branches");
}

// x <- (x + a / x) / 2 until it stands still: the square root of a.
Value newton(const Value& a, int64_t max_trips) {
  return ops::while_loop(
      [&](const Values& c) {
        const Value off = ops::abs(c[0] * c[0] - a);
        return ops::greater(off, ops::full_like(off, 1e-9));
      },
      [&](const Values& c) { return Values{(c[0] + a / c[0]) * 0.5}; },
      {a},
      max_trips)[0];
}

TEST(While, RunsUntilTheConditionFails) {
  for (const int64_t bound : {-1, 40}) {
    const auto f = [=](const Values& v) { return Values{newton(v[0], bound)}; };
    EXPECT_NEAR(at(f, 9), 3, 1e-9);
    EXPECT_EQ(at(f, 1), 1);  // no turn
  }
}

TEST(While, TheBoundedFormHasDerivatives) {
  const auto f = [](const Values& v) { return newton(v[0], 40); };
  EXPECT_NEAR(at(transforms::grad(f), 9), 1. / 6, 1e-9);
  EXPECT_TRUE(check_grads(f, {number(7)}, 2));
}

TEST(While, TheBoundStopsIt) {
  const auto f = [](const Values& v) {
    return ops::while_loop([](const Values& c) { return positive(c[0]); },
                           [](const Values& c) { return Values{c[0] + 1.0}; },
                           {v[0]},
                           5);
  };
  EXPECT_EQ(at(f, 1), 6);
  EXPECT_EQ(at(f, -1), -1);
}

TEST(While, TheOpenFormHasNoDerivativeAndSaysWhatDoes) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {}});
  const Value y = newton(x, -1);
  EXPECT_ERROR(transforms::gradients(y, {x}),
               Code::kUnsupported,
               "while_loop: no derivative (order 1)",
               "use scan, or give while_loop a bound (max_trips)");
}

TEST(While, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2}});
  const auto yes = [](const Values& v) { return positive(ops::sum(v[0])); };
  const auto same = [](const Values& v) { return v; };
  for (const int64_t bound : {-1, 3}) {
    EXPECT_ERROR(
        ops::while_loop([](const Values& v) { return v[0]; }, same, {x}, bound),
        Code::kInvalidArgument,
        "while_loop: cond must return one bool[], got f32[2]");
    EXPECT_ERROR(ops::while_loop(
                     yes, [](const Values&) { return Values{}; }, {x}, bound),
                 Code::kInvalidArgument,
                 "while_loop: body returned 0 carries, wanted 1");
  }
  EXPECT_ERROR(
      ops::while_loop(
          yes, [](const Values& v) { return Values{ops::sum(v[0])}; }, {x}),
      Code::kInvalidArgument,
      "carry 0 enters as f32[2] and leaves as f32[]");
  EXPECT_ERROR(ops::while_loop(yes, same, {}),
               Code::kInvalidArgument,
               "while_loop: a carry is needed");
}

TEST(Fori, CountsAndHasDerivatives) {
  const auto f = [](const Values& v) {
    return ops::fori(
        4,
        [&](const Value& i, const Values& c) {
          return Values{c[0] * v[1] + ops::convert(i, DType::kF64)};
        },
        {v[0]})[0];
  };
  const auto y = evaluate_at([&](const Values& v) { return Values{f(v)}; },
                             {number(3), number(2)});
  EXPECT_EQ(y[0].at(0), 3 * 16 + 4 + 4 + 3);  // 0 1 2 3 at 8 4 2 1
  EXPECT_TRUE(check_grads(f, {number(3), number(2)}, 3));
  EXPECT_ERROR(
      evaluate_at(
          [](const Values& v) {
            return ops::fori(
                -1, [](const Value&, const Values& c) { return c; }, v);
          },
          {number(1)}),
      Code::kInvalidArgument,
      "fori: wants a carry and turns >= 0, got -1");
}

TEST(Map, StacksResultsAndHasDerivatives) {
  const auto f = [](const Values& v) {
    return ops::map(
        [&](const Values& x) {
          return Values{ops::sum(x[0] * v[2]), x[1] * x[1]};
        },
        {v[0], v[1]});
  };
  const auto y = evaluate_at(f,
                             {HostArray::of<double>({2, 2}, {1, 2, 3, 4}),
                              HostArray::of<double>({2}, {5, 6}),
                              HostArray::of<double>({2}, {1, 10})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{21, 43}));
  EXPECT_EQ(y[1].to_doubles(), (std::vector<double>{25, 36}));
  EXPECT_TRUE(check_grads([&](const Values& v) { return weighted_sum(f(v)); },
                          {normal({3, 2}, 1), normal({3}, 2), normal({2}, 3)},
                          3));
  EXPECT_ERROR(ops::map([](const Values& v) { return v; }, {}),
               Code::kInvalidArgument,
               "map: wants at least one input");
}

// h[t] = a[t] h[t-1] + b[t]: the pair (a, b) composes.
Values recurrence(const Values& l, const Values& r) {
  return {l[0] * r[0], r[0] * l[1] + r[1]};
}

TEST(AssociativeScan, EqualsTheLoopForEveryLength) {
  for (int64_t n = 0; n <= 19; ++n) {
    for (const bool reversed : {false, true}) {
      const std::vector<HostArray> x = {normal({n, 2}, 1), normal({n, 2}, 2)};
      const auto y = evaluate_at(
          [=](const Values& v) {
            return ops::associative_scan(recurrence, v, 0, reversed);
          },
          x);
      std::vector<double> h(2, 0);
      for (int64_t k = 0; k < n; ++k) {
        const int64_t t = reversed ? n - 1 - k : k;
        for (int64_t j = 0; j < 2; ++j) {
          const int64_t i = t * 2 + j;
          double& s = h[static_cast<size_t>(j)];
          s = x[0].at(i) * s + x[1].at(i);
          EXPECT_NEAR(y[1].at(i), s, 1e-12) << n << " " << t;
        }
      }
    }
  }
}

TEST(AssociativeScan, WorksAlongAnyAxis) {
  const HostArray x = normal({2, 5, 3}, 1);
  const auto y = evaluate_at(
      [](const Values& v) {
        return ops::associative_scan(
            [](const Values& a, const Values& b) {
              return Values{a[0] + b[0]};
            },
            v,
            1);
      },
      {x});
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t k = 0; k < 3; ++k) {
      double s = 0;
      for (int64_t t = 0; t < 5; ++t) {
        const int64_t at_t = (i * 5 + t) * 3 + k;
        s += x.at(at_t);
        EXPECT_NEAR(y[0].at(at_t), s, 1e-12);
      }
    }
  }
}

TEST(AssociativeScan, DerivativesAndDepth) {
  for (const int64_t n : {1, 2, 7, 8}) {
    EXPECT_TRUE(check_grads(
        [](const Values& v) {
          return weighted_sum(ops::associative_scan(recurrence, v, 0, true));
        },
        {normal({n, 2}, 1), normal({n, 2}, 2)},
        2));
  }
  int calls = 0;
  evaluate_at(
      [&](const Values& v) {
        return ops::associative_scan(
            [&](const Values& a, const Values& b) {
              ++calls;
              return Values{a[0] + b[0]};
            },
            v);
      },
      {normal({1000}, 1)});
  EXPECT_LE(calls, 20);
}

TEST(AssociativeScan, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {3}});
  const Value y = g.input({DType::kF32, {4}});
  EXPECT_ERROR(ops::associative_scan(recurrence, {}),
               Code::kInvalidArgument,
               "wants at least one input");
  EXPECT_ERROR(ops::associative_scan(recurrence, {x, y}),
               Code::kInvalidArgument,
               "axis 0 of f32[3] and f32[4]");
  EXPECT_ERROR(ops::associative_scan(recurrence, {x, x}, 1),
               Code::kInvalidArgument,
               "axis 1 of f32[3]");
  EXPECT_ERROR(
      ops::associative_scan(
          [](const Values& a, const Values&) { return Values{ops::sum(a[0])}; },
          {x}),
      Code::kInvalidArgument,
      "combine must return values of the types");
}

}  // namespace
}  // namespace kexue::testing
