// Every rule inside of a whole training step, on the host evaluator.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "kexue/train/step.h"
#include "tests/train/tiny_net.h"

namespace kexue::train {
namespace {

using State = std::vector<HostArray>;

struct Trainer {
  explicit Trainer(const optim::Optimizer& rule, const StepOptions& o = {})
      : layout(state_layout(model.parameters(), rule)),
        step(build_step(
            model.parameters(), model.loss(), rule, TinyNet::batch(), o)) {
    std::vector<HostArray> start =
        nn::initial_values(model.parameters(), Key::from_seed(0));
    state = initial_state(layout, std::move(start), o);
  }

  void run(float first) {
    State args = state;
    args.push_back(TinyNet::x(first));
    args.push_back(
        Hyper{.lr = 0.01, .warmup_steps = 0, .total_steps = 100}.array());
    state = ir::evaluate(*step.graph, args);
    state.pop_back();
  }

  TinyNet model;
  StateLayout layout;
  StepGraph step;
  State state;
};

optim::OptimizerPtr with_everything(const std::string& rule) {
  optim::OptionList options = {{"lookahead", 2.0},
                               {"ema", 0.9},
                               {"lazy_rows", optim::NameList{"weight"}},
                               {"rates", optim::NumberTable{{"bias", 2.0}}}};
  if (rule.starts_with("adafactor")) options.push_back({"min_factor", 2.0});
  return optim::make(rule, options);
}

TEST(OptimizerStep, SkippedStepsLeaveEverySlotBitForBit) {
  for (const auto& info : optim::rules()) {
    for (const auto& rule :
         {optim::make(info.name), with_everything(info.name)}) {
      Trainer t(*rule);
      t.run(0.3F);
      t.run(0.7F);
      const State before = t.state;
      for (const float bad : {std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        t.run(bad);
        for (size_t i = 0; i < before.size(); ++i) {
          EXPECT_TRUE(t.state[i].identical(before[i]))
              << info.name << " " << t.layout.names[i];
        }
      }
      t.run(0.3F);
      EXPECT_FALSE(t.state[0].identical(before[0])) << info.name;
    }
  }
}

TEST(OptimizerStep, SlotsStandByParameterWithTheirStarts) {
  const auto rule =
      optim::make("adafactor", {{"min_factor", 2.0}, {"lookahead", 5.0}});
  const Trainer t(*rule);
  const std::vector<std::string> slots = {"row/ffn.weight",
                                          "column/ffn.weight",
                                          "slow/ffn.weight",
                                          "v/ffn.bias",
                                          "slow/ffn.bias",
                                          "row/out.weight"};
  for (size_t i = 0; i < slots.size(); ++i) {
    EXPECT_EQ(t.layout.names[3 + i], slots[i]);
  }
  EXPECT_EQ(t.layout.types[3].str(), "f32[4]");
  EXPECT_EQ(t.layout.types[4].str(), "f32[6]");
  EXPECT_TRUE(t.state[5].identical(t.state[0]));  // slow: a copy
  EXPECT_EQ(t.state[6].at(0), 0);
  const auto adagrad = optim::make("adagrad", {{"start", 0.25}});
  EXPECT_EQ(Trainer(*adagrad).state[3].at(0), 0.25);
}

TEST(OptimizerStep, ClipAndScheduleOfTheOptionsAreUsed) {
  StepOptions o;
  o.clip = {.form = optim::ClipOptions::Form::kValue, .limit = 0.01};
  o.schedule.kind = optim::Schedule::Kind::kConstant;
  Trainer t(*optim::make("sgd"), o);
  const State before = t.state;
  t.run(0.3F);
  t.run(0.3F);
  // At most two steps of lr times the limit.
  for (int64_t i = 0; i < 18; ++i) {
    const double moved = t.state[2].at(i) - before[2].at(i);
    EXPECT_LE(std::fabs(moved), 2 * 0.01 * 0.01 + 1e-7);
  }
  EXPECT_FALSE(t.state[2].identical(before[2]));
}

TEST(OptimizerStep, EvaluationPointIsThatOfTheRule) {
  const auto rule = optim::make("sgd", {{"ema", 0.5}});
  Trainer t(*rule);
  const auto graph = build_evaluation(t.model.parameters(), *rule);
  EXPECT_TRUE(ir::evaluate(*graph, t.state)[0].identical(t.state[0]));
  State after;
  for (int i = 0; i < 2; ++i) {
    t.run(0.3F);
    after.push_back(t.state[0]);
  }
  // (0.25 w1 + 0.5 w2) / 0.75
  const auto got = ir::evaluate(*graph, t.state)[0];
  for (int64_t k = 0; k < 24; ++k) {
    EXPECT_NEAR(got.at(k), (after[0].at(k) + 2 * after[1].at(k)) / 3, 1e-6);
  }
}

}  // namespace
}  // namespace kexue::train
