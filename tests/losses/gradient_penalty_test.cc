#include "kexue/losses/gradient_penalty.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::losses {
namespace {

using Form = GradientPenalty::Form;
using Reduction = GradientPenalty::Reduction;
using testing::evaluate_at;

HostArray f64(const Shape& shape, const std::vector<double>& values) {
  return HostArray::from_doubles({DType::kF64, shape}, values);
}

// 0.5 (w x - y)^2 with w = 2, x = 3, y = 4: what the penalty adds, and its
// derivative by w.
TEST(GradientPenalty, HasItsHandValues) {
  const auto f = [](const Values& v) {
    const Value e = v[0] * v[1] - 4.0;
    const Value loss = e * e * 0.5;
    const GradientPenalty o{.reduction = Reduction::kBatchMean, .weight = 2};
    const Value by_input = gradient_penalty(loss, v[1], o) - loss;
    const Value by_param = gradient_penalty(loss, v[0], o) - loss;
    return Values{by_input,
                  transforms::gradients(by_input, {v[0]})[0],
                  by_param,
                  transforms::gradients(by_param, {v[0]})[0]};
  };
  const auto out = evaluate_at(f, {f64({}, {2}), f64({}, {3})});
  const double want[] = {16, 64, 36, 108};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(out[i].at(0), want[i], 1e-12);
}

TEST(GradientPenalty, OfTanhHasItsHandValues) {
  const auto out = evaluate_at(
      [](const Values& v) {
        const Value loss = ops::tanh(v[0] * v[1]);
        const Value p =
            gradient_penalty(
                loss, v[1], {.reduction = Reduction::kBatchMean, .weight = 2}) -
            loss;
        return Values{p, transforms::gradients(p, {v[0]})[0]};
      },
      {f64({}, {0.5}), f64({}, {0.8})});
  EXPECT_NEAR(out[0].at(0), 0.18302943306161784, 1e-15);
  EXPECT_NEAR(out[1].at(0), 0.5095838341539151, 1e-14);
}

// A mean over rows of a nonlinear loss.
Value mean_loss(const Value& w, const Value& x) {
  const Value y = ops::tanh(ops::matmul(x, w));
  return ops::mean(ops::sum(y * y, {1}));
}

const HostArray kW = f64({2, 2}, {0.5, -1, 0.25, 0.8});
const HostArray kX = f64({3, 2}, {0.3, 0.7, -1, 0.2, 0.4, -0.6});

TEST(GradientPenalty, DoesNotChangeWhenTheBatchIsDoubled) {
  for (const Form form : {Form::kSquared, Form::kNorm, Form::kWgan}) {
    const auto out = evaluate_at(
        [&](const Values& v) {
          const GradientPenalty o{.form = form};
          const Value twice = ops::concatenate({v[1], v[1]}, 0);
          return Values{gradient_penalty(mean_loss(v[0], v[1]), v[1], o),
                        gradient_penalty(mean_loss(v[0], twice), twice, o)};
        },
        {kW, kX});
    EXPECT_NEAR(out[0].at(0), out[1].at(0), 1e-14);
  }
}

TEST(GradientPenalty, BatchMeanIsHalvedByDoubling) {
  const auto out = evaluate_at(
      [](const Values& v) {
        const GradientPenalty o{.reduction = Reduction::kBatchMean};
        const Value one = mean_loss(v[0], v[1]);
        const Value twice = ops::concatenate({v[1], v[1]}, 0);
        const Value two = mean_loss(v[0], twice);
        return Values{gradient_penalty(one, v[1], o) - one,
                      gradient_penalty(two, twice, o) - two};
      },
      {kW, kX});
  EXPECT_NEAR(out[0].at(0), 2 * out[1].at(0), 1e-15);
}

TEST(GradientPenalty, GradientsMatchDifferences) {
  for (const Form form : {Form::kSquared, Form::kNorm, Form::kWgan}) {
    EXPECT_TRUE(testing::check_grads(
        [&](const Values& v) {
          return gradient_penalty(mean_loss(v[0], v[1]), v[1], {.form = form});
        },
        {kW, kX},
        1));
    EXPECT_TRUE(testing::check_grads(
        [&](const Values& v) {
          return gradient_penalty(
              mean_loss(v[0], v[1]), Values{v[0], v[1]}, {.form = form});
        },
        {kW, kX},
        1));
  }
}

TEST(GradientPenalty, NormHasSlopeZeroAtZero) {
  const auto out = evaluate_at(
      [](const Values& v) {
        const Value l = gradient_penalty(
            ops::mean(v[0] * v[0]), v[0], {.form = Form::kNorm});
        return Values{transforms::gradients(l, {v[0]})[0]};
      },
      {f64({1, 2}, {0, 0})});
  for (const double g : out[0].to_doubles()) EXPECT_EQ(g, 0);
}

TEST(GradientPenalty, BadInputIsRefused) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 2}});
  const Value ids = g.input({DType::kI32, {2}});
  const Value scalar = g.input({DType::kF32, {}});
  const Value loss = ops::mean(x * x) + scalar;
  EXPECT_ERROR(gradient_penalty(loss, x, {.weight = -1}),
               Code::kInvalidArgument,
               "weight >= 0, got -1");
  EXPECT_ERROR(gradient_penalty(loss, ids),
               Code::kInvalidArgument,
               "wants a float x, got i32[2]",
               "embedding's output");
  EXPECT_ERROR(gradient_penalty(loss, scalar),
               Code::kInvalidArgument,
               "per_sample wants x f[B,...], got f32[]");
  EXPECT_ERROR(gradient_penalty(loss, Values{}, {}),
               Code::kInvalidArgument,
               "at least one");
  const Value other = g.input({DType::kF32, {2, 2}}, "other");
  EXPECT_ERROR(gradient_penalty(loss, other), Code::kInvalidArgument, "depend");
}

}  // namespace
}  // namespace kexue::losses
