// Loops: what scan computes, and its derivatives.
#include <gtest/gtest.h>

#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using ops::scan;
using Pair = std::pair<Values, Values>;

HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF64, shape}, Key::from_seed(seed));
}

ops::RematPolicy remat_if(bool yes) {
  return yes ? ops::RematPolicy::save_nothing()
             : ops::RematPolicy::save_everything();
}

int count(const Graph& g, const OpDef& op) {
  int n = 0;
  for (const auto& node : g.nodes()) n += node->op == &op;
  return n;
}

TEST(Scan, AddsUpInBothDirections) {
  const auto f = [](bool reverse) {
    return [reverse](const Values& v) -> Values {
      const auto r = scan(
          [](const Values& c, const Values& x) {
            const Value s = c[0] + x[0];
            return Pair{{s}, {s}};
          },
          {v[0]},
          {v[1]},
          {.reverse = reverse});
      return {r.carry[0], r.ys[0]};
    };
  };
  const std::vector<HostArray> x = {HostArray::scalar(10.0),
                                    HostArray::of<double>({3}, {1, 2, 3})};
  const auto forward = evaluate_at(f(false), x);
  EXPECT_EQ(forward[0].at(0), 16);
  EXPECT_EQ(forward[1].to_doubles(), (std::vector<double>{11, 13, 16}));
  const auto backward = evaluate_at(f(true), x);
  EXPECT_EQ(backward[1].to_doubles(), (std::vector<double>{16, 15, 13}));
}

TEST(Scan, CarriesAnIntegerCounter) {
  const auto f = [](const Values& v) {
    const Value zero = ops::constant(HostArray::scalar(int32_t{0}));
    const auto r = scan(
        [&](const Values& c, const Values&) {
          const Value t = ops::convert(c[0], DType::kF64);
          return Pair{{c[0] + 1.0, c[1] * ops::tanh(v[0] + t)}, {c[0]}};
        },
        {zero, v[0]},
        {},
        {.length = 3});
    EXPECT_EQ(r.carry[0].dtype(), DType::kI32);
    EXPECT_EQ(r.ys[0].type().str(), "i32[3]");
    return ops::sum(r.carry[1]);
  };
  EXPECT_TRUE(check_grads(f, {normal({2}, 1)}, 3));
}

TEST(Scan, ReadsSlicesByADynamicIndex) {
  const auto f = [](const Values& v) {
    const Value zero = ops::constant(HostArray::scalar(int32_t{0}));
    const auto r = scan(
        [&](const Values& c, const Values&) {
          const Value row = ops::dynamic_slice(v[0], {c[0], zero}, {1, 2});
          return Pair{{c[0] + 1.0, c[1] * ops::reshape(row, {2})}, {}};
        },
        {zero, v[1]},
        {},
        {.length = 3});
    return ops::sum(r.carry[1]);
  };
  EXPECT_TRUE(check_grads(f, {normal({3, 2}, 1), normal({2}, 2)}, 2));
}

TEST(Scan, DerivativesOfADeepStack) {
  for (const bool remat : {false, true}) {
    const auto f = [remat](const Values& v) {
      const auto r = scan(
          [](const Values& c, const Values& w) {
            const Value h = ops::gelu(ops::matmul(c[0], w[0]));
            return Pair{{ops::layer_norm(h + c[0], w[1], w[1], 1e-2)}, {}};
          },
          {v[0]},
          {v[1], v[2]},
          {.remat = remat_if(remat)});
      return weighted_sum(r.carry);
    };
    EXPECT_TRUE(check_grads(
        f, {normal({2, 3}, 1), normal({4, 3, 3}, 2), normal({4, 3}, 3)}, 2));
  }
}

// y_t = tanh over an inner loop that uses the outer carry and a capture.
Value nested(const Values& v, bool inner_remat) {
  const auto r = scan(
      [&](const Values& c, const Values& x) {
        const auto inner = scan(
            [&](const Values& d, const Values& s) {
              const Value e = ops::tanh(d[0] * v[2] + s[0] * c[0]);
              return Pair{{e}, {e * x[0]}};
            },
            {c[0]},
            {v[1]},
            {.remat = remat_if(inner_remat)});
        return Pair{{inner.carry[0]}, {ops::sum(inner.ys[0], {0})}};
      },
      {v[0]},
      {v[3]});
  return weighted_sum({r.carry[0], r.ys[0]});
}

TEST(Scan, DerivativesOfNestedLoops) {
  const std::vector<HostArray> x = {
      normal({2}, 1), normal({3, 2}, 2), normal({2}, 3), normal({4, 2}, 4)};
  for (const bool remat : {false, true}) {
    EXPECT_TRUE(
        check_grads([&](const Values& v) { return nested(v, remat); }, x, 2));
  }
}

TEST(Scan, AnInnerLoopMayStartFromOuterValuesOnly) {
  const auto f = [](const Values& v) {
    const auto r = scan(
        [&](const Values& c, const Values&) {
          const auto inner = scan(
              [&](const Values& d, const Values&) {
                return Pair{{ops::tanh(d[0] + c[0])}, {}};
              },
              {v[0]},  // of the outermost trace
              {},
              {.length = 2});
          return Pair{{c[0] * inner.carry[0]}, {}};
        },
        {v[0]},
        {},
        {.length = 3});
    return ops::sum(r.carry[0]);
  };
  EXPECT_TRUE(check_grads(f, {normal({2}, 1)}, 2));
}

TEST(Scan, DropoutInsideTheBodyFollowsTheStep) {
  const auto f = [](const Values& v) {
    const Value zero = ops::constant(HostArray::scalar(int32_t{0}));
    const auto r = scan(
        [&](const Values& c, const Values& x) {
          const Value key = ops::fold_in(v[2], c[0]);
          return Pair{{c[0] + 1.0, ops::dropout(c[1] * x[0], key, 0.5)},
                      {ops::keep_mask(key, {4}, 0.5)}};
        },
        {zero, v[0]},
        {v[1]});
    return ops::sum(r.carry[1]);
  };
  EXPECT_TRUE(check_grads(
      f,
      {normal({8}, 1), normal({2, 8}, 2), HostArray::of<uint32_t>({2}, {3, 4})},
      2));
}

TEST(Scan, SecondGradientOfTheSameLoopReusesItsResiduals) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {2}});
  const Value xs = g.input({DType::kF64, {3, 2}});
  const auto r = scan(
      [](const Values& c, const Values& s) {
        const Value h = ops::tanh(c[0] * s[0]);
        return Pair{{h}, {h * h}};
      },
      {x},
      {xs});
  Node& loop = *r.carry[0].node();
  const Value l1 = ops::sum(r.carry[0]);
  const Value l2 = ops::sum(r.ys[0]);
  const Value g1 = transforms::gradients(l1, {x})[0];
  const size_t outputs = loop.types.size();
  const Value again = transforms::gradients(l1, {x})[0];
  EXPECT_EQ(loop.types.size(), outputs);
  const Value g2 = transforms::gradients(l2, {x})[0];
  g.set_outputs({g1, again, g2, l1, l2});
  ir::verify(g);
  EXPECT_EQ(count(g, ops::kScan), 4);
  const auto small = transforms::simplify(g);
  EXPECT_EQ(count(*small, ops::kScan), 3);  // one forward, two backward
  const std::vector<HostArray> at = {normal({2}, 1), normal({3, 2}, 2)};
  const auto y = ir::evaluate(*small, at);
  EXPECT_TRUE(y[0].identical(y[1]));
  const auto both = [](const Values& v) {
    const auto q = scan(
        [](const Values& c, const Values& s) {
          const Value h = ops::tanh(c[0] * s[0]);
          return Pair{{h}, {h * h}};
        },
        {v[0]},
        {v[1]});
    return transforms::gradients(ops::sum(q.carry[0]) + ops::sum(q.ys[0]),
                                 {v[0]});
  };
  const auto sum = evaluate_at(both, at)[0];
  for (int64_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(y[0].at(i) + y[2].at(i), sum.at(i), 1e-14);
  }
}

TEST(Scan, GradientsOfStackedOutputsAloneFlow) {
  const auto f = [](const Values& v) {
    const auto r = scan(
        [&](const Values& c, const Values& x) {
          return Pair{{c[0] * v[2] + x[0]}, {c[0] * x[0]}};
        },
        {v[0]},
        {v[1]},
        {.reverse = true});
    return weighted_sum({r.ys[0]});  // the last carry is not used
  };
  EXPECT_TRUE(
      check_grads(f, {normal({2}, 1), normal({3, 2}, 2), normal({2}, 3)}, 3));
}

TEST(Scan, RematKeepsOnlyTheCarries) {
  for (const bool remat : {false, true}) {
    Graph g;
    const ir::Tracing tracing(g);
    const Value x = g.input({DType::kF64, {2}});
    const auto r = scan(
        [](const Values& c, const Values&) {
          return Pair{{ops::sin(ops::tanh(ops::exp(c[0])))}, {}};
        },
        {x},
        {},
        {.length = 5, .remat = remat_if(remat)});
    transforms::gradients(ops::sum(r.carry[0]), {x});
    const size_t stacked = r.carry[0].node()->types.size() - 1;
    if (remat) {
      EXPECT_EQ(stacked, 1u);
    } else {
      EXPECT_GE(stacked, 2u);
    }
  }
}

TEST(Scan, GradientInsideTheBody) {
  // Three steps of gradient descent, then the gradient through them.
  const auto f = [](const Values& v) {
    const auto r = scan(
        [&](const Values& c, const Values&) {
          const Value l = ops::sum(ops::tanh(c[0] * v[1]) * c[0]);
          return Pair{{c[0] - transforms::gradients(l, {c[0]})[0] * 0.1},
                      {transforms::gradients(l, {v[1]})[0]}};
        },
        {v[0]},
        {},
        {.length = 3});
    return weighted_sum({r.carry[0], r.ys[0]});
  };
  EXPECT_TRUE(check_grads(f, {normal({3}, 1), normal({3}, 2)}, 2));
}

TEST(Scan, GradientInsideTheBodyOfWhatStandsOutside) {
  // gelu and layer_norm here need outer values only, so tracing puts them in
  // the outer graph; the body's gradient must still go through them.
  const auto f = [](const Values& v) {
    const auto r = scan(
        [&](const Values& c, const Values&) {
          const Value out =
              ops::layer_norm(ops::gelu(v[1] * v[1]), v[1], v[1], 1e-1);
          const Value l = ops::sum(ops::tanh(out * c[0]));
          const Values g = transforms::gradients(l, {c[0], v[1]});
          return Pair{{c[0] - g[0] * 0.1}, {g[1]}};
        },
        {v[0]},
        {},
        {.length = 3});
    return weighted_sum({r.carry[0], r.ys[0]});
  };
  EXPECT_TRUE(check_grads(f, {normal({3}, 1), normal({3}, 2)}, 2));
}

TEST(Scan, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {3, 2}});
  const Value y = g.input({DType::kF32, {4, 2}});
  const Value c = g.input({DType::kF32, {2}});
  const auto keep = [](const Values& carry, const Values&) {
    return Pair{carry, {}};
  };
  EXPECT_ERROR(scan(keep, {c}, {x, y}),
               Code::kInvalidArgument,
               "xs want 3 slices, got f32[4,2]");
  EXPECT_ERROR(scan(keep, {c}, {}), Code::kInvalidArgument, "`length`");
  EXPECT_ERROR(
      scan([](const Values&, const Values&) { return Pair{}; }, {c}, {x}),
      Code::kInvalidArgument,
      "body returned 0 carries, wanted 1");
  EXPECT_ERROR(scan(
                   [](const Values& carry, const Values&) {
                     return Pair{{ops::convert(carry[0], DType::kF64)}, {}};
                   },
                   {c},
                   {x}),
               Code::kInvalidArgument,
               "carry 0 enters as f32[2] and leaves as f64[2]");
}

}  // namespace
}  // namespace kexue::testing
