// Derivative rules written by a user.
#include <gtest/gtest.h>

#include "kexue/ops/ops.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using ops::custom_vjp;

HostArray number(double x) {
  return HostArray::scalar(x);
}
double at(const std::function<Values(const Values&)>& f, double x) {
  return evaluate_at(f, {number(x)})[0].at(0);
}

// x, with `factor` times its gradient.
Value gradient_scale(const Value& x, double factor) {
  return custom_vjp([](const Values& v) { return v; },
                    [=](const Values&, const Values&, const Values& dy) {
                      return Values{dy[0] * factor};
                    },
                    {x})[0];
}
// As adversarial training wants it: whoever is behind x climbs.
Value reverse_gradient(const Value& x) {
  return gradient_scale(x, -1);
}

TEST(CustomVjp, ScalesAndReversesGradients) {
  const auto scaled = transforms::grad([](const Values& v) {
    const Value y = gradient_scale(v[0], 10);
    return y * y;
  });
  EXPECT_EQ(at(scaled, 3), 60);
  const auto reversed = transforms::grad([](const Values& v) {
    const Value y = reverse_gradient(v[0] * 2.0);
    return y * y;
  });
  EXPECT_EQ(at(reversed, 3), -24);
}

Value cube(const Value& x, bool first_order_only) {
  return custom_vjp([](const Values& v) { return Values{v[0] * v[0] * v[0]}; },
                    [](const Values& v, const Values&, const Values& dy) {
                      return Values{dy[0] * v[0] * v[0] * 3.0};
                    },
                    {x},
                    {.name = "cube", .first_order_only = first_order_only})[0];
}

TEST(CustomVjp, ARuleOfOpsIsDifferentiatedAgain) {
  EXPECT_TRUE(
      check_grads([](const Values& v) { return cube(ops::tanh(v[0]), false); },
                  {number(0.7)},
                  3));
  // Where the rule is not the derivative, order 2 is that of the rule.
  const auto second = transforms::grad([](const Values& v) {
    const auto f = [](const Values& w) {
      const Value y = gradient_scale(w[0], 10);
      return y * y;
    };
    return transforms::grad(f)(v)[0];  // 10 * 2 y(x): again times 10
  });
  EXPECT_EQ(at(second, 3), 200);
}

TEST(CustomVjp, FirstOrderOnlyRefusesTheSecond) {
  EXPECT_EQ(
      at(transforms::grad([](const Values& v) { return cube(v[0], true); }), 2),
      12);
  const auto twice = transforms::grad([](const Values& v) {
    return transforms::grad([](const Values& w) { return cube(w[0], true); })(
        v)[0];
  });
  EXPECT_ERROR(at(twice, 2),
               Code::kUnsupported,
               "cube: its rule covers the first derivative only, order 2 is "
               "missing");
}

TEST(CustomVjp, WorksInLoopsAndBranches) {
  EXPECT_TRUE(check_grads(
      [](const Values& v) {
        const auto r = ops::scan(
            [&](const Values& c, const Values&) {
              const Value h = cube(ops::sin(c[0] * v[1]), false);
              return std::pair<Values, Values>({h + c[0]}, {});
            },
            {v[0]},
            {},
            {.length = 3});
        const Value zero = ops::zeros_like(r.carry[0]);
        return ops::cond(
            ops::greater(r.carry[0], zero),
            [](const Values& o) { return Values{cube(o[0], false)}; },
            [](const Values& o) { return Values{cube(o[0] * 2.0, false)}; },
            r.carry)[0];
      },
      {number(0.4), number(1.3)},
      2));
}

TEST(CustomVjp, SeveralValuesAndOnesWithoutAGradient) {
  const auto f = [](const Values& v) {
    const Values y = custom_vjp(
        [](const Values& x) {
          return Values{x[0] * ops::convert(x[1], DType::kF64), x[2] * x[0]};
        },
        [](const Values& x, const Values&, const Values& dy) {
          const Value n = ops::convert(x[1], DType::kF64);
          return Values{dy[0] * n + dy[1] * x[2], Value{}, dy[1] * x[0]};
        },
        {v[0], ops::constant(HostArray::scalar(int32_t{4})), v[1]});
    return y[0] * y[0] + y[1];
  };
  EXPECT_TRUE(check_grads(f, {number(0.4), number(1.3)}, 2));
}

TEST(CustomVjp, OuterValuesMayBeUsedButNotDifferentiated) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {}});
  const Value w = g.input({DType::kF64, {}});
  const Value y =
      custom_vjp([&](const Values& v) { return Values{v[0] * w}; },
                 [&](const Values&, const Values&, const Values& dy) {
                   return Values{dy[0] * w};
                 },
                 {x})[0];
  g.set_outputs(transforms::gradients(y, {x}));
  const std::vector<HostArray> args = {number(2), number(5)};
  EXPECT_EQ(ir::evaluate(g, args)[0].at(0), 5);
  EXPECT_ERROR(transforms::gradients(y, {w}),
               Code::kInvalidArgument,
               "custom_vjp: a gradient is wanted for a value that its function "
               "uses but does not take as an input");
}

TEST(CustomVjp, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {2}});
  const auto same = [](const Values& v) { return v; };
  EXPECT_ERROR(custom_vjp(same, {}, {}),
               Code::kInvalidArgument,
               "custom_vjp: wants at least one input");
  EXPECT_ERROR(custom_vjp(same,
                          [](const Values&, const Values&, const Values&) {
                            return Values{};
                          },
                          {x}),
               Code::kInvalidArgument,
               "backward returned 0 cotangents for 1 inputs");
  EXPECT_ERROR(custom_vjp(same,
                          [](const Values&, const Values&, const Values& dy) {
                            return Values{ops::sum(dy[0])};
                          },
                          {x}),
               Code::kInvalidArgument,
               "the cotangent of input 0 must be f64[2], got f64[]");
}

}  // namespace
}  // namespace kexue::testing
