#include "kexue/train/engine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/losses/losses.h"
#include "kexue/ops/ops.h"
#include "kexue/train/detail/bad_gradients.h"
#include "kexue/train/detail/support.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"
#include "tests/support/session_fixture.h"
#include "tests/support/tiny_bert.h"

namespace kexue::train {
namespace {

using testing::random_values;
using testing::tiny_batch;
using testing::tiny_config;

class EngineTest : public testing::SessionTest {
 protected:
  // eps keeps the first update smooth where a gradient is next to nothing.
  EngineTest()
      : optimizer_(
            std::make_shared<optim::AdamW>(optim::AdamWOptions{.eps = 0.01})) {}

  models::Bert& model() { return model_; }
  nn::ParamList params() { return model_.parameters(); }
  LossFunction loss() {
    return [this](const BatchValues& b) -> LossResult {
      const Value logits = model_.classify(detail::bert_inputs(b));
      return {losses::cross_entropy(logits, b.at("label"), b.at("weight")), {}};
    };
  }
  Engine engine(const EngineOptions& options) {
    return {session(), params(), loss(), optimizer_, options};
  }
  HostBatch batch() { return tiny_batch(model_.config(), 4, 16); }
  const optim::Optimizer& optimizer() { return *optimizer_; }

  const Hyper hyper_{.lr = 0.1, .warmup_steps = 0, .total_steps = 100};

 private:
  models::Bert model_{{.config = tiny_config({"no", "yes"})}};
  std::shared_ptr<const optim::Optimizer> optimizer_;
};

EngineOptions with_seed(uint64_t seed) {
  EngineOptions o;
  o.step.seed = seed;
  return o;
}

TEST_F(EngineTest, CompiledStepEqualsTheHostEvaluatorInF32) {
  const auto values = random_values(params(), 2);
  Engine e = engine(with_seed(3));
  e.start(values);
  const Metrics metrics = e.step(batch(), hyper_);
  const auto got = e.save();

  const StepGraph step = build_step(
      params(), loss(), optimizer(), types_of(batch()), with_seed(3).step);
  auto args = initial_state(e.layout(), values, with_seed(3).step);
  for (const auto& [_, array] : batch()) args.push_back(array);
  args.push_back(hyper_.array());
  const auto want = ir::evaluate(*step.graph, args);
  EXPECT_NEAR(metrics.at("loss"), want.back().at(0), 1e-5);
  EXPECT_NEAR(metrics.at("grad_norm") / want.back().at(1), 1, 1e-5);
  for (size_t i = 0; i < got.size(); ++i) {
    const auto g = got[i].to_doubles();
    const auto w = want[i].to_doubles();
    double largest = 1e-3;
    double difference = 0;
    for (size_t k = 0; k < w.size(); ++k) {
      largest = std::max(largest, std::fabs(w[k]));
      difference = std::max(difference, std::fabs(g[k] - w[k]));
    }
    EXPECT_LE(difference, 1e-5 * largest) << e.layout().names[i];
  }
}

TEST_F(EngineTest, SameSeedGivesTheSameBits) {
  for (const DType compute : {DType::kF32, DType::kBF16}) {
    EngineOptions o = with_seed(4);
    o.compute = compute;
    std::vector<std::vector<HostArray>> runs;
    for (int run = 0; run < 2; ++run) {
      Engine e = engine(o);
      e.start(random_values(params(), 2));
      for (int i = 0; i < 3; ++i) e.step(batch(), hyper_);
      runs.push_back(e.save());
    }
    for (size_t i = 0; i < runs[0].size(); ++i) {
      EXPECT_TRUE(runs[0][i].identical(runs[1][i])) << i;
    }
  }
}

TEST_F(EngineTest, RecomputedLayersGiveEqualSteps) {
  models::Bert again({.config = model().config(), .remat = true});
  const auto other = [&](const BatchValues& b) -> LossResult {
    const Value logits = again.classify(detail::bert_inputs(b));
    return {losses::cross_entropy(logits, b.at("label"), b.at("weight")), {}};
  };
  for (const int64_t unroll : {0, 16}) {
    EngineOptions o = with_seed(4);
    o.compile.unroll = unroll;
    Engine a = engine(o);
    Engine b(session(),
             again.parameters(),
             other,
             std::make_shared<optim::AdamW>(optim::AdamWOptions{.eps = 0.01}),
             o);
    for (Engine* e : {&a, &b}) e->start(random_values(params(), 2));
    const Metrics x = a.step(batch(), hyper_);
    const Metrics y = b.step(batch(), hyper_);
    EXPECT_NEAR(x.at("loss"), y.at("loss"), 1e-6);
    EXPECT_NEAR(x.at("grad_norm") / y.at("grad_norm"), 1, 1e-5);
    const auto p = a.save();
    const auto q = b.save();
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_TRUE(testing::close(p[i], q[i], {1e-5, 1e-5}))
          << a.layout().names[i];
    }
  }
}

TEST_F(EngineTest, AStepThatIsNotFiniteIsExplainedAndChangesNothing) {
  double shift = -1e3;
  int line = 0;
  const auto with_log = [&](const BatchValues& b) -> LossResult {
    const Value logits = model().classify(detail::bert_inputs(b));
    const Scope scope("penalty");
    const Value moved = logits + shift;
    line = __LINE__ + 1;
    const Value l = ops::log(moved);
    return {ops::mean(l), {}};
  };
  for (const DType compute : {DType::kF32, DType::kBF16}) {
    EngineOptions o = with_seed(4);
    o.compute = compute;
    Engine e(session(),
             params(),
             with_log,
             std::make_shared<optim::AdamW>(optim::AdamWOptions{}),
             o);
    e.start(random_values(params(), 2));
    const auto before = e.save();
    EXPECT_EQ(e.step(batch(), hyper_).at("finite"), 0);
    EXPECT_EQ(e.first_non_finite(batch(), hyper_),
              "log in penalty at engine_test.cc:" + std::to_string(line) +
                  " (forward)");
    const auto after = e.save();
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_TRUE(before[i].identical(after[i])) << e.layout().names[i];
    }
  }
  shift = 1e3;
  Engine sound(session(),
               params(),
               with_log,
               std::make_shared<optim::AdamW>(optim::AdamWOptions{}),
               with_seed(4));
  sound.start(random_values(params(), 2));
  EXPECT_EQ(sound.first_non_finite(batch(), hyper_), "");
}

TEST_F(EngineTest, ABackwardPassThatIsNotFiniteIsExplained) {
  // sqrt(0) is fine and its derivative is not.
  const auto with_root = [&](const BatchValues& b) -> LossResult {
    const Value logits = model().classify(detail::bert_inputs(b));
    const Scope scope("length");
    return {ops::sqrt(ops::mean(logits * 0.0)), {}};
  };
  Engine e(session(),
           params(),
           with_root,
           std::make_shared<optim::AdamW>(optim::AdamWOptions{}),
           with_seed(4));
  e.start(random_values(params(), 2));
  EXPECT_EQ(e.step(batch(), hyper_).at("loss"), 0);
  const std::string found = e.first_non_finite(batch(), hyper_);
  EXPECT_NE(found.find(" in length at engine_test.cc:"), std::string::npos)
      << found;
  EXPECT_NE(found.find(" (backward)"), std::string::npos) << found;
}

TEST_F(EngineTest, SeedDecidesTheDropout) {
  std::vector<double> first_losses;
  for (const uint64_t seed : {1, 2}) {
    Engine e = engine(with_seed(seed));
    e.start(random_values(params(), 2));
    first_losses.push_back(e.step(batch(), hyper_).at("loss"));
  }
  EXPECT_NE(first_losses[0], first_losses[1]);
}

TEST_F(EngineTest, RestoredStateGoesOnExactly) {
  Engine a = engine(with_seed(5));
  a.start(random_values(params(), 2));
  for (int i = 0; i < 2; ++i) a.step(batch(), hyper_);
  Engine b = engine(with_seed(99));
  b.restore(a.save());
  a.step(batch(), hyper_);
  b.step(batch(), hyper_);
  const auto x = a.save();
  const auto y = b.save();
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_TRUE(x[i].identical(y[i])) << a.layout().names[i];
  }
}

TEST_F(EngineTest, StepTakesOverTheBuffersOfItsState) {
  const StepGraph step =
      build_step(params(), loss(), optimizer(), types_of(batch()), {});
  runtime::CompileOptions options;
  options.alias = step.alias;
  const auto program = session().compile(*step.graph, options);
  const auto layout = state_layout(params(), optimizer());
  std::vector<runtime::DeviceArray> buffers;
  for (const auto& a : initial_state(layout, random_values(params(), 1), {})) {
    buffers.push_back(session().to_device(a));
  }
  for (const auto& [_, array] : batch()) {
    buffers.push_back(session().to_device(array));
  }
  buffers.push_back(session().to_device(hyper_.array()));
  std::vector<const runtime::DeviceArray*> args;
  for (const auto& b : buffers) args.push_back(&b);
  const auto out = program.run(args);
  EXPECT_EQ(out.size(), layout.size() + 1);
  for (size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_EQ(buffers[i].is_deleted(), i < layout.size()) << i;
  }
}

TEST_F(EngineTest, HalfPrecisionStaysCloseToF32) {
  std::map<DType, double> losses;
  for (const DType compute : {DType::kF32, DType::kBF16, DType::kF16}) {
    EngineOptions o = with_seed(6);
    o.compute = compute;
    if (compute == DType::kF16) o.step.loss_scale = LossScale::fixed(128);
    Engine e = engine(o);
    e.start(random_values(params(), 2));
    Metrics m;
    for (int i = 0; i < 5; ++i) m = e.step(batch(), hyper_);
    losses[compute] = m.at("loss");
  }
  const double want = losses[DType::kF32];
  EXPECT_NEAR(losses[DType::kBF16], want, 0.05 * want + 0.02);
  EXPECT_NEAR(losses[DType::kF16], want, 0.02 * want + 0.01);
}

TEST_F(EngineTest, UnknownStateIsRefused) {
  Engine e = engine({});
  EXPECT_ERROR(e.restore({HostArray::scalar(1.0F)}),
               Code::kInvalidArgument,
               "training state has",
               "got 1");
  auto values = random_values(params(), 1);
  values[0] = HostArray::scalar(1.0F);
  EXPECT_ERROR(e.start(values),
               Code::kInvalidArgument,
               "\"embeddings.word.weight\" must be f32[57,16], got f32[]");
}

TEST_F(EngineTest, FirstBadGradientIsNamed) {
  Engine e = engine({});
  auto values = random_values(params(), 2);
  e.start(values);
  const auto bad = [&] {
    return detail::first_bad_gradient(e, params(), loss(), batch());
  };
  EXPECT_EQ(bad(), "");
  values[0].mutable_span<float>()[0] = NAN;
  HostBatch b = batch();
  e.start(values);
  b["ids"] = HostArray(b["ids"].type());
  EXPECT_EQ(detail::first_bad_gradient(e, params(), loss(), b), "the loss");
}

TEST_F(EngineTest, OtherCompileErrorsAreNotBlamedOnTheType) {
  EXPECT_ERROR(detail::explain_dtype(
                   session(),
                   DType::kBF16,
                   [] { throw Error(Code::kDevice, "out of memory"); }),
               Code::kDevice,
               "out of memory");
}

}  // namespace
}  // namespace kexue::train
