#include "kexue/train/step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "tests/support/error_matchers.h"
#include "tests/support/tiny_bert.h"

namespace kexue::train {
namespace {

// loss = mean((x w - y)^2) with w f32[3].
class Line final {
 public:
  Line() : w_(Shape{3}, nn::Init::zeros()) {}
  nn::ParamList parameters() const { return {{"w", w_}}; }
  LossFunction loss() const {
    return [this](const BatchValues& b) -> LossResult {
      const Value e = ops::einsum("bi,i->b", b.at("x"), w_()) - b.at("y");
      return {ops::mean(e * e), {{"count", ops::sum(e * 0.0 + 1.0)}}};
    };
  }

 private:
  nn::Param w_;
};

using State = std::vector<HostArray>;

// Runs steps of Line on the host evaluator.
class Trainer final {
 public:
  explicit Trainer(const StepOptions& options)
      : optimizer_(optim::AdamWOptions{}),
        layout_(state_layout(line_.parameters(), optimizer_)),
        step_(build_step(
            line_.parameters(),
            line_.loss(),
            optimizer_,
            {{"x", {DType::kF32, {2, 3}}}, {"y", {DType::kF32, {2}}}},
            options)) {
    const auto start =
        HostArray::of<float>({3}, std::vector<float>{0.5F, -1, 2});
    state_ = initial_state(layout_, {start}, options);
  }

  void step(bool bad) {
    const float first = bad ? std::numeric_limits<float>::infinity() : 0.3F;
    State args = state_;
    args.push_back(HostArray::of<float>(
        {2, 3}, std::vector<float>{first, 1, -2, 0.7F, -0.1F, 1.3F}));
    args.push_back(HostArray::of<float>({2}, std::vector<float>{1, -1}));
    args.push_back(
        Hyper{.lr = 0.1, .warmup_steps = 0, .total_steps = 100}.array());
    auto out = ir::evaluate(*step_.graph, args);
    metrics_ = out.back();
    out.pop_back();
    state_ = out;
  }

  const State& state() const { return state_; }
  double value(const std::string& name) const {
    return state_[layout_.index(name)].at(0);
  }
  double metric(const std::string& name) const {
    for (size_t i = 0; i < step_.metric_names.size(); ++i) {
      if (step_.metric_names[i] == name) {
        return metrics_.at(static_cast<int64_t>(i));
      }
    }
    return std::nan("");
  }
  const StateLayout& layout() const { return layout_; }
  const StepGraph& graph() const { return step_; }

 private:
  Line line_;
  optim::AdamW optimizer_;
  StateLayout layout_;
  StepGraph step_;
  State state_;
  HostArray metrics_;
};

StepOptions dynamic(int interval) {
  StepOptions o;
  o.loss_scale = LossScale::dynamic();
  o.loss_scale.interval = interval;
  return o;
}

TEST(Step, DynamicScaleHalvesOnBadAndDoublesAfterCleanSteps) {
  Trainer t(dynamic(3));
  EXPECT_EQ(t.value("scale"), 65536);
  const bool bad[] = {
      true, true, false, false, false, true, false, false, false, false};
  const double scales[] = {
      32768, 16384, 16384, 16384, 32768, 16384, 16384, 16384, 32768, 32768};
  for (int i = 0; i < 10; ++i) {
    t.step(bad[i]);
    EXPECT_EQ(t.value("scale"), scales[i]) << "step " << i;
    EXPECT_EQ(t.metric("finite"), bad[i] ? 0 : 1);
  }
  EXPECT_EQ(t.value("step"), 7);
  EXPECT_EQ(t.value("skipped"), 3);
}

TEST(Step, BadStepChangesNothingButScaleAndCounters) {
  for (const bool is_dynamic : {true, false}) {
    StepOptions o = dynamic(2000);
    if (!is_dynamic) o.loss_scale = LossScale::fixed(1024);
    Trainer t(o);
    t.step(false);
    t.step(false);
    const State before = t.state();
    t.step(true);
    for (size_t i = 0; i < before.size(); ++i) {
      const std::string& name = t.layout().names[i];
      if (name == "scale" || name == "skipped" || name == "clean") continue;
      EXPECT_TRUE(t.state()[i].identical(before[i])) << name;
    }
    EXPECT_EQ(t.value("step"), 2);
    EXPECT_EQ(t.value("skipped"), 1);
    EXPECT_EQ(t.value("scale"), is_dynamic ? 32768 : 1024);
  }
}

TEST(Step, BadStepWithoutScalingChangesNothingAtAll) {
  Trainer t({});
  t.step(false);
  const State before = t.state();
  t.step(true);
  EXPECT_EQ(t.metric("finite"), 0);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(t.state()[i].identical(before[i])) << t.layout().names[i];
  }
  EXPECT_EQ(t.value("step"), 1);
}

TEST(Step, ScaleNeverFallsBelowItsFloor) {
  Trainer t(dynamic(2000));
  for (int i = 0; i < 40; ++i) t.step(true);
  EXPECT_EQ(t.value("scale"), 0x1p-14);
}

TEST(Step, StaticPowerOfTwoGivesTheSameBits) {
  StepOptions scaled;
  scaled.loss_scale = LossScale::fixed(0x1p16);
  Trainer a{StepOptions{}};
  Trainer b{scaled};
  for (int i = 0; i < 5; ++i) {
    a.step(false);
    b.step(false);
  }
  for (size_t i = 0; i < a.state().size(); ++i) {
    if (a.layout().names[i] == "scale" || a.layout().names[i] == "clean") {
      continue;
    }
    EXPECT_TRUE(a.state()[i].identical(b.state()[i])) << a.layout().names[i];
  }
  EXPECT_EQ(a.metric("grad_norm"), b.metric("grad_norm"));
}

TEST(Step, ReportsItsMetricsByName) {
  Trainer t{StepOptions{}};
  t.step(false);
  EXPECT_EQ(t.graph().metric_names,
            (std::vector<std::string>{
                "loss", "grad_norm", "lr", "finite", "scale", "count"}));
  EXPECT_EQ(t.metric("count"), 2);
  EXPECT_NEAR(t.metric("lr"), 0.1, 1e-7);
  EXPECT_GT(t.metric("grad_norm"), 0);
  EXPECT_EQ(t.metric("scale"), 1);
}

TEST(Step, EveryStateInputIsDonated) {
  const Trainer t{StepOptions{}};
  ASSERT_EQ(t.graph().alias.size(), t.layout().size());
  for (size_t i = 0; i < t.graph().alias.size(); ++i) {
    EXPECT_EQ(t.graph().alias[i], static_cast<int64_t>(i));
  }
}

TEST(Step, ScaleMustBePositiveAndFinite) {
  for (const double bad : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    StepOptions o;
    o.loss_scale = LossScale::fixed(bad);
    EXPECT_ERROR(Trainer{o}, Code::kInvalidArgument, "loss scale must be");
  }
}

TEST(Step, LossMustBeAScalar) {
  const Line line;
  const optim::AdamW adamw{optim::AdamWOptions{}};
  const LossFunction vector_loss = [&](const BatchValues& b) -> LossResult {
    return {b.at("x"), {}};
  };
  EXPECT_ERROR(build_step(line.parameters(),
                          vector_loss,
                          adamw,
                          {{"x", {DType::kF32, {2}}}},
                          {}),
               Code::kInvalidArgument,
               "the loss must be f32[], got f32[2]");
}

}  // namespace
}  // namespace kexue::train
