// Rules through the plugin.
#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/train/engine.h"
#include "tests/support/check_close.h"
#include "tests/support/session_fixture.h"
#include "tests/train/tiny_net.h"

namespace kexue::train {
namespace {

class OptimizerDeviceTest : public testing::SessionTest {
 protected:
  Engine engine(const optim::OptimizerPtr& rule, DType compute) {
    EngineOptions o;
    o.compute = compute;
    o.step = options_;
    Engine e(session(), net_.parameters(), net_.loss(), rule, o);
    e.start(start());
    return e;
  }
  std::vector<HostArray> start() {
    return nn::initial_values(net_.parameters(), Key::from_seed(4));
  }
  static optim::OptimizerPtr make(const std::string& name) {
    if (!name.starts_with("adafactor")) return optim::make(name);
    return optim::make(name, {{"min_factor", 3.0}});
  }

  const TinyNet net_;
  const StepOptions options_;
  const Hyper hyper_{.lr = 0.01, .warmup_steps = 0, .total_steps = 100};
};

TEST_F(OptimizerDeviceTest, EveryRuleEqualsTheHostEvaluatorInF32) {
  for (const auto& info : optim::rules()) {
    const auto rule = make(info.name);
    Engine e = engine(rule, DType::kF32);
    const StepGraph step = build_step(
        net_.parameters(), net_.loss(), *rule, TinyNet::batch(), options_);
    auto want = initial_state(e.layout(), start(), options_);
    for (int i = 0; i < 3; ++i) {
      e.step({{"x", TinyNet::x(0.3F)}}, hyper_);
      want.push_back(TinyNet::x(0.3F));
      want.push_back(hyper_.array());
      want = ir::evaluate(*step.graph, want);
      want.pop_back();
    }
    const auto got = e.save();
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_TRUE(testing::close(got[i], want[i], {1e-4, 1e-5}))
          << info.name << " " << e.layout().names[i];
    }
  }
}

TEST_F(OptimizerDeviceTest, SkippedStepsLeaveEverySlotBitForBit) {
  for (const char* name : {"adafactor", "muon", "schedule_free_adamw"}) {
    for (const DType compute : {DType::kF32, DType::kBF16}) {
      Engine e = engine(make(name), compute);
      for (int i = 0; i < 2; ++i) e.step({{"x", TinyNet::x(0.3F)}}, hyper_);
      const auto before = e.save();
      EXPECT_EQ(e.step({{"x", TinyNet::x(NAN)}}, hyper_).at("finite"), 0);
      const auto after = e.save();
      for (size_t i = 0; i < before.size(); ++i) {
        EXPECT_TRUE(before[i].identical(after[i]))
            << name << " " << e.layout().names[i];
      }
    }
  }
}

TEST_F(OptimizerDeviceTest, MastersAndSlotsStayF32UnderBf16AndLearn) {
  for (const char* name : {"lamb", "muon", "lion", "adafactor"}) {
    Engine e = engine(make(name), DType::kBF16);
    const Metrics first = e.step({{"x", TinyNet::x(0.3F)}}, hyper_);
    Metrics last;
    for (int i = 0; i < 20; ++i) {
      last = e.step({{"x", TinyNet::x(0.3F)}}, hyper_);
    }
    EXPECT_LT(last.at("loss"), first.at("loss")) << name;
    const auto state = e.save();
    for (size_t i = 0; i < state.size(); ++i) {
      EXPECT_EQ(state[i].type(), e.layout().types[i]) << name;
    }
  }
}

TEST_F(OptimizerDeviceTest, EvaluationAndSavedModelAreAtTheAverage) {
  Engine e = engine(optim::make("sgd", {{"ema", 0.5}}), DType::kF32);
  const auto weights = [&](const BatchValues&) {
    return Values{net_.parameters()[1].param()};
  };
  const HostBatch batch = {{"x", TinyNet::x(0.3F)}};
  EXPECT_TRUE(e.save_params()[1].identical(start()[1]));
  std::vector<HostArray> path;
  for (int i = 0; i < 2; ++i) {
    e.step(batch, {.lr = 1, .warmup_steps = 0, .total_steps = 100});
    path.push_back(e.save()[1]);
    const auto seen = e.forward("bias", weights, batch)[0];
    EXPECT_TRUE(seen.identical(e.save_params()[1]));
    EXPECT_EQ(seen.identical(path[0]), i == 0);  // one step: its own average
  }
  const auto got = e.save_params()[1];
  for (int64_t k = 0; k < 6; ++k) {
    EXPECT_NEAR(got.at(k), (path[0].at(k) + 2 * path[1].at(k)) / 3, 1e-6);
  }
}

}  // namespace
}  // namespace kexue::train
