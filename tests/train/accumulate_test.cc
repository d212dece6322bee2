// An update from several batches.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "kexue/train/step.h"
#include "tests/support/error_matchers.h"

namespace kexue::train {
namespace {

using State = std::vector<HostArray>;

// loss = mean((x w - y)^2), x f32[B,1]: dloss/dw = mean(2 x (x w - y)).
class Fit final {
 public:
  explicit Fit(const StepOptions& options, int64_t rows)
      : options_(options),
        rows_(rows),
        layout_(state_layout(params(), rule_, options.accumulate)) {
    state_ = initial_state(
        layout_, {HostArray::of<float>({1}, std::vector<float>{3})}, options);
  }

  // Metrics by name.
  std::map<std::string, double> run(Phase phase,
                                    const std::vector<float>& x,
                                    const std::vector<float>& y) {
    const BatchTypes types = {{"x", {DType::kF32, {rows_, 1}}},
                              {"y", {DType::kF32, {rows_}}}};
    const StepGraph step =
        build_step(params(), loss(), rule_, types, options_, phase);
    State args = state_;
    args.push_back(HostArray::of<float>({rows_, 1}, x));
    args.push_back(HostArray::of<float>({rows_}, y));
    args.push_back(
        Hyper{.lr = 0.1, .warmup_steps = 0, .total_steps = 10}.array());
    const State out = ir::evaluate(*step.graph, args);
    EXPECT_EQ(out.size(), step.changes.size() + 1);
    for (size_t i = 0; i < step.changes.size(); ++i) {
      state_[step.changes[i]] = out[i];
      EXPECT_EQ(step.alias[step.changes[i]], static_cast<int64_t>(i));
    }
    std::map<std::string, double> metrics;
    for (size_t i = 0; i < step.metric_names.size(); ++i) {
      metrics[step.metric_names[i]] = out.back().at(static_cast<int64_t>(i));
    }
    return metrics;
  }

  double value(const std::string& name) const {
    return state_[layout_.index(name)].at(0);
  }

 private:
  nn::ParamList params() const { return {{"w", w_}}; }
  LossFunction loss() const {
    return [this](const BatchValues& b) -> LossResult {
      const Value e = ops::einsum("bi,i->b", b.at("x"), w_()) - b.at("y");
      return {ops::mean(e * e), {{"rows", ops::sum(e * 0.0 + 1.0)}}};
    };
  }

  nn::Param w_{Shape{1}, nn::Init::zeros()};
  optim::AdamW rule_{optim::AdamWOptions{.weight_decay = 0}};
  StepOptions options_;
  int64_t rows_;
  StateLayout layout_;
  State state_;
};

StepOptions of_two() {
  StepOptions o;
  o.clip.limit = 0;
  o.accumulate = 2;
  return o;
}

// w = 3. x = 1, y = 1: loss 4, gradient 4. x = 2, y = 0: loss 36, gradient 24.
// Their means: 20 and 14; after Adam's first step m = 1.4, v = 0.196.
TEST(Accumulate, HandNumbers) {
  Fit fit(of_two(), 1);
  auto m = fit.run(Phase::kAdd, {1}, {1});
  EXPECT_EQ(m.at("loss"), 4);
  EXPECT_EQ(m.at("rows"), 1);
  EXPECT_EQ(m.size(), 2u);
  EXPECT_EQ(fit.value("sum/w"), 4);
  EXPECT_EQ(fit.value("loss_sum"), 4);
  EXPECT_EQ(fit.value("micro"), 1);
  EXPECT_EQ(fit.value("step"), 0);
  EXPECT_EQ(fit.value("w"), 3);
  EXPECT_EQ(fit.value("m/w"), 0);

  m = fit.run(Phase::kUpdate, {2}, {0});
  EXPECT_EQ(m.at("loss"), 20);
  EXPECT_EQ(m.at("grad_norm"), 14);
  EXPECT_FLOAT_EQ(static_cast<float>(m.at("lr")), 0.1F);
  EXPECT_EQ(fit.value("step"), 1);
  EXPECT_NEAR(fit.value("m/w"), 1.4, 1e-6);
  EXPECT_NEAR(fit.value("v/w"), 0.196, 1e-6);
  EXPECT_NEAR(fit.value("w"), 2.9, 1e-6);
  EXPECT_EQ(fit.value("sum/w"), 0);
  EXPECT_EQ(fit.value("loss_sum"), 0);
  EXPECT_EQ(fit.value("micro"), 0);

  // The schedule counts updates: 0.1 (10 - 1) / 10 at the second.
  fit.run(Phase::kAdd, {1}, {1});
  m = fit.run(Phase::kUpdate, {1}, {1});
  EXPECT_NEAR(m.at("lr"), 0.09, 1e-7);
  EXPECT_EQ(fit.value("step"), 2);
}

TEST(Accumulate, TwoHalvesEqualOneBatch) {
  StepOptions whole = of_two();
  whole.accumulate = 1;
  Fit a(of_two(), 2);
  Fit b(whole, 4);
  for (int i = 0; i < 3; ++i) {
    const auto f = static_cast<float>(i);
    a.run(Phase::kAdd, {0.3F, f}, {1, 2});
    const auto x = a.run(Phase::kUpdate, {-1, 0.5F}, {0, -f});
    const auto y = b.run(Phase::kUpdate, {0.3F, f, -1, 0.5F}, {1, 2, 0, -f});
    EXPECT_NEAR(x.at("loss") / y.at("loss"), 1, 1e-6);
    EXPECT_NEAR(x.at("grad_norm") / y.at("grad_norm"), 1, 1e-5);
    EXPECT_NEAR(a.value("w"), b.value("w"), 1e-5);
  }
}

// One bad batch of two: the update is skipped once, and the next is clean.
TEST(Accumulate, BadBatchSpoilsItsUpdateOnly) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  StepOptions o = of_two();
  o.loss_scale = LossScale::dynamic();
  Fit fit(o, 1);
  fit.run(Phase::kAdd, {kInf}, {1});
  EXPECT_EQ(fit.value("scale"), 65536);
  EXPECT_EQ(fit.run(Phase::kUpdate, {1}, {1}).at("finite"), 0);
  EXPECT_EQ(fit.value("scale"), 32768);
  EXPECT_EQ(fit.value("skipped"), 1);
  EXPECT_EQ(fit.value("step"), 0);
  EXPECT_EQ(fit.value("w"), 3);
  EXPECT_EQ(fit.value("sum/w"), 0);
  fit.run(Phase::kAdd, {1}, {1});
  EXPECT_EQ(fit.run(Phase::kUpdate, {2}, {0}).at("finite"), 1);
  EXPECT_EQ(fit.value("step"), 1);
  EXPECT_NEAR(fit.value("m/w"), 1.4, 1e-6);
}

TEST(Accumulate, OfOneBatchThereIsNothingToAdd) {
  StepOptions o;
  Fit fit(o, 1);
  EXPECT_ERROR(fit.run(Phase::kAdd, {1}, {1}),
               Code::kInvalidArgument,
               "an update from 1 batches");
}

}  // namespace
}  // namespace kexue::train
