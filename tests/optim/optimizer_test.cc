#include "kexue/optim/optim.h"

#include <gtest/gtest.h>

#include "kexue/ir/evaluate.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "tests/support/error_matchers.h"

namespace kexue::optim {
namespace {

HostArray f64(std::vector<double> values) {
  const auto size = static_cast<int64_t>(values.size());
  return HostArray::from_doubles({DType::kF64, {size}}, values);
}
HostArray scalar(double x) {
  return HostArray::from_doubles({DType::kF64, {}}, std::vector<double>{x});
}

// One parameter w f64[1] through some updates; returns w after each.
std::vector<double> train(const AdamW& rule,
                          const std::string& name,
                          const std::vector<double>& grads,
                          double lr) {
  Graph g;
  const ir::Tracing tracing(g);
  const TensorType vector{DType::kF64, {1}};
  const Value w = g.input(vector), m = g.input(vector), v = g.input(vector);
  const Value grad = g.input(vector);
  const Value rate = g.input({DType::kF64, {}}),
              step = g.input({DType::kF64, {}});
  g.set_outputs(rule.apply({name, w, grad, {m, v}, rate, step}));
  std::vector<HostArray> state = {f64({1}), f64({0}), f64({0})};
  std::vector<double> out;
  for (size_t t = 0; t < grads.size(); ++t) {
    auto args = state;
    args.push_back(f64({grads[t]}));
    args.push_back(scalar(lr));
    args.push_back(scalar(static_cast<double>(t + 1)));
    state = ir::evaluate(g, args);
    out.push_back(state[0].at(0));
  }
  return out;
}

// w = 1, g = 0.5 then 0.3, lr 1e-3, decay 0.01: by hand.
TEST(AdamW, BiasCorrectedFormHasItsHandValues) {
  const auto w = train(AdamW({.eps = 1e-6}), "w", {0.5, 0.3}, 1e-3);
  EXPECT_NEAR(w[0], 0.998990002000, 1e-11);
  EXPECT_NEAR(w[1], 0.998022524246, 1e-11);
}

TEST(AdamW, GoogleFormHasItsHandValues) {
  const auto w = train(
      AdamW({.eps = 1e-6, .bias_correction = false}), "w", {0.5, 0.3}, 1e-3);
  EXPECT_NEAR(w[0], 0.996827922327, 1e-11);
  EXPECT_NEAR(w[1], 0.992749232493, 1e-11);
}

TEST(AdamW, FirstCorrectedUpdateIsTheRate) {
  // m / sqrt(v) = g / |g| whatever g is, as long as eps is small against it.
  const AdamW rule({.weight_decay = 0});
  for (const double g : {1e-3, 1.0, -40.0}) {
    const double sign = g > 0 ? 1 : -1;
    EXPECT_NEAR(train(rule, "w", {g}, 0.1)[0], 1 - 0.1 * sign, 2e-6);
  }
}

TEST(AdamW, ExcludedNamesDoNotDecay) {
  const AdamW rule({.weight_decay = 0.5});
  for (const char* name : {"ffn.bias", "encoder.ffn_norm.weight"}) {
    EXPECT_EQ(train(rule, name, {0}, 0.1)[0], 1) << name;
  }
  EXPECT_NEAR(train(rule, "ffn.weight", {0}, 0.1)[0], 0.95, 1e-15);
}

TEST(AdamW, OptionsOutsideTheirRangeAreErrors) {
  EXPECT_ERROR(AdamW({.beta1 = 1}),
               Code::kInvalidArgument,
               "wants beta1 in [0,1), got 1");
  EXPECT_ERROR(AdamW({.beta2 = -0.1}), Code::kInvalidArgument, "-0.1");
  EXPECT_ERROR(AdamW({.eps = 0}), Code::kInvalidArgument, "eps > 0");
  EXPECT_ERROR(AdamW({.weight_decay = -1}), Code::kInvalidArgument, "decay");
}

double rate_at(double peak, double warmup, double total, double s) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (int i = 0; i < 4; ++i) in.push_back(g.input({DType::kF64, {}}));
  g.set_outputs({linear_warmup_decay(in[0], in[1], in[2], in[3])});
  const std::vector<HostArray> args = {
      scalar(peak), scalar(warmup), scalar(total), scalar(s)};
  return ir::evaluate(g, args)[0].at(0);
}

TEST(LinearWarmupDecay, ReachesThePeakAndEndsAtZero) {
  EXPECT_EQ(rate_at(1e-3, 10, 100, 0), 0);
  EXPECT_NEAR(rate_at(1e-3, 10, 100, 9), 9e-4, 1e-15);
  EXPECT_NEAR(rate_at(1e-3, 10, 100, 10), 1e-3, 1e-15);
  EXPECT_NEAR(rate_at(1e-3, 10, 100, 55), 5e-4, 1e-15);
  EXPECT_NEAR(rate_at(1e-3, 10, 100, 99), 1e-3 / 90, 1e-15);
  EXPECT_EQ(rate_at(1e-3, 10, 100, 100), 0);
  EXPECT_EQ(rate_at(1e-3, 10, 100, 150), 0);
}

TEST(LinearWarmupDecay, WithoutWarmupStartsAtThePeak) {
  EXPECT_EQ(rate_at(2, 0, 4, 0), 2);
  EXPECT_EQ(rate_at(2, 0, 4, 1), 1.5);
  EXPECT_EQ(rate_at(2, 4, 4, 4), 0);  // nothing but warm-up: no division by 0
}

std::vector<HostArray> clip(double limit) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value a = g.input({DType::kF64, {2}}), b = g.input({DType::kF64, {1}});
  const Clipped c = clip_by_global_norm({a, b}, limit);
  g.set_outputs({c.grads[0], c.grads[1], c.norm});
  return ir::evaluate(g, std::vector<HostArray>{f64({2, 3}), f64({6})});
}

TEST(ClipByGlobalNorm, ScalesAllGradientsTogether) {
  const auto out = clip(3.5);
  EXPECT_EQ(out[2].at(0), 7);
  EXPECT_EQ(out[0].at(0), 1);
  EXPECT_EQ(out[0].at(1), 1.5);
  EXPECT_EQ(out[1].at(0), 3);
}

TEST(ClipByGlobalNorm, LeavesSmallGradientsAndUnlimitedOnesAlone) {
  for (const double limit : {7.0, 100.0, 0.0, -1.0, HUGE_VAL}) {
    const auto out = clip(limit);
    EXPECT_EQ(out[0].at(0), 2) << limit;
    EXPECT_EQ(out[1].at(0), 6) << limit;
    EXPECT_EQ(out[2].at(0), 7) << limit;
  }
}

TEST(ClipByGlobalNorm, NeedsGradients) {
  EXPECT_ERROR(
      clip_by_global_norm({}, 1), Code::kInvalidArgument, "no gradients");
}

}  // namespace
}  // namespace kexue::optim
