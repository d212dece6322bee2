// Mixed precision on a device: the numbers of the method's own notes, which
// were measured with NumPy and ml_dtypes.
#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/runtime/op_by_op.h"
#include "kexue/train/precision.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"
#include "tests/support/session_fixture.h"

namespace kexue::train {
namespace {

using testing::close;

// loss = c mean(relu(x w + b) v) for one batch of x.
class Net final {
 public:
  explicit Net(double c, float w, float v = 1)
      : c_(c), start_{full({8, 4}, w), full({4}, 0.5F), full({4, 1}, v)} {}
  nn::ParamList parameters() const {
    return {{"first.weight", w_}, {"first.bias", b_}, {"last.weight", v_}};
  }
  LossFunction loss() const {
    return [this](const BatchValues& b) -> LossResult {
      const Value h = ops::relu(ops::matmul(b.at("x"), w_()) + b_());
      return {ops::mean(ops::matmul(h, v_())) * c_, {}};
    };
  }
  const std::vector<HostArray>& start() const { return start_; }
  static HostBatch batch() { return {{"x", full({4, 8}, 0.5F)}}; }
  static HostArray full(const Shape& shape, float x) {
    return HostArray::full({DType::kF32, shape}, x);
  }

 private:
  double c_;
  nn::Param w_{Shape{8, 4}, nn::Init::zeros()};
  nn::Param b_{Shape{4}, nn::Init::zeros()};
  nn::Param v_{Shape{4, 1}, nn::Init::zeros()};
  std::vector<HostArray> start_;
};

class MixedPrecision : public testing::SessionTest {
 protected:
  struct Run {
    Metrics metrics;
    std::vector<HostArray> state;
  };
  // `steps` steps with a constant rate and neither clipping nor decay.
  Run train(const Net& net,
            const precision::Policy& policy,
            double eps,
            int steps,
            double lr = 0.5) {
    EngineOptions options = precision::with(policy);
    options.step.clip.limit = 0;
    options.step.group_metrics = true;
    Engine engine(session(),
                  net.parameters(),
                  net.loss(),
                  std::make_shared<optim::AdamW>(
                      optim::AdamWOptions{.eps = eps, .weight_decay = 0}),
                  options);
    engine.start(net.start());
    Run run;
    for (int i = 0; i < steps; ++i) {
      run.metrics =
          engine.step(Net::batch(), {.lr = lr, .total_steps = 0x1p40});
    }
    run.state = engine.save();
    return run;
  }
};

LossScale kept_scaled(double scale) {
  LossScale s = LossScale::fixed(scale);
  s.unscale = false;
  return s;
}

TEST_F(MixedPrecision, ScalingWithoutUnscalingIsASmallerEps) {
  const Net net(1e-3, 0.25F);
  const auto scaled = train(net, {.loss_scale = kept_scaled(1024)}, 0x1p-14, 5);
  const auto smaller = train(net, precision::f32(), 0x1p-24, 5);
  const auto plain = train(net, precision::f32(), 0x1p-14, 5);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(scaled.state[i].identical(smaller.state[i])) << i;
    EXPECT_FALSE(scaled.state[i].identical(plain.state[i])) << i;
  }
}

// A gradient of 1e-8 moves a weight by lr g / (g + eps).
TEST_F(MixedPrecision, EpsHoldsBackTheFirstUpdateOfSmallGradients) {
  // d loss / d last.weight = c h, h = 8 * 0.5 * w + 0.5 = 1 for w = 1/8.
  const Net net(1e-8, 0.125F, 0);
  const auto moved = [&](const Run& run) { return -run.state[2].at(0) / 0.5; };
  EXPECT_NEAR(moved(train(net, precision::f32(), 1e-6, 1)), 0.009901, 1e-6);
  EXPECT_NEAR(moved(train(net, {.loss_scale = kept_scaled(1000)}, 1e-6, 1)),
              0.909091,
              1e-5);
  // Unscaled in f32 the scale changes nothing.
  EXPECT_NEAR(
      moved(train(net, {.loss_scale = LossScale::fixed(1024)}, 1e-6, 1)),
      0.009901,
      1e-6);
}

TEST_F(MixedPrecision, FlushedGradientsAreCountedByGroup) {
  const Net net(1e-8, 0.125F);
  const auto none = LossScale::none();
  const auto flushed = train(net, precision::fp16(none), 1e-8, 1);
  EXPECT_EQ(flushed.metrics.at("zero_gradients/first"), 1);
  EXPECT_EQ(flushed.metrics.at("moved/first"), 0);
  for (const auto& policy : {precision::fp16(LossScale::fixed(0x1p16)),
                             precision::fp16(),
                             precision::bf16(),
                             precision::f32()}) {
    const auto kept = train(net, policy, 1e-8, 1);
    EXPECT_EQ(kept.metrics.at("zero_gradients/first"), 0);
    EXPECT_EQ(kept.metrics.at("moved/first"), 1);
    EXPECT_GT(kept.metrics.at("grad_norm/first"), 0);
  }
}

// 1e-3 is less than half of bf16's spacing at 1: masters move, and what
// products see of them does not.
TEST_F(MixedPrecision, MastersMoveWhereTheComputeTypeStandsStill) {
  const Net net(1, 1);
  const auto one = train(net, precision::bf16(), 1e-8, 1, 1e-3);
  EXPECT_EQ(one.metrics.at("moved/first"), 1);
  // But the 4 biases at 0.5, below which the spacing is half as wide.
  EXPECT_NEAR(one.metrics.at("moved_low/first"), 4.0 / 36, 1e-6);
  EXPECT_NEAR(one.state[0].at(0), 0.999, 1e-6);
  const auto far = train(net, precision::bf16(), 1e-8, 1, 0.125);
  EXPECT_EQ(far.metrics.at("moved_low/first"), 1);
  const auto wide = train(net, precision::f32(), 1e-8, 1, 1e-3);
  EXPECT_EQ(wide.metrics.count("moved_low/first"), 0U);
}

TEST_F(MixedPrecision, APowerOfTwoChangesNoBitInHalves) {
  const Net net(1, 0.125F);
  const auto plain = train(net, precision::fp16(LossScale::none()), 1e-8, 4);
  const auto scaled =
      train(net, precision::fp16(LossScale::fixed(256)), 1e-8, 4);
  for (size_t i = 0; i < 9; ++i) {  // parameters and slots
    EXPECT_TRUE(plain.state[i].identical(scaled.state[i])) << i;
  }
}

TEST_F(MixedPrecision, ThePolicyOfF32ChangesNoBit) {
  const Net net(1, 0.125F);
  EngineOptions bare;
  bare.step.clip.limit = 0;
  Engine engine(session(),
                net.parameters(),
                net.loss(),
                std::make_shared<optim::AdamW>(
                    optim::AdamWOptions{.eps = 1e-8, .weight_decay = 0}),
                bare);
  engine.start(net.start());
  for (int i = 0; i < 3; ++i) {
    engine.step(Net::batch(), {.lr = 0.5, .total_steps = 0x1p40});
  }
  const auto want = train(net, precision::f32(), 1e-8, 3).state;
  const auto got = engine.save();
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(got[i].identical(want[i])) << engine.layout().names[i];
  }
}

TEST_F(MixedPrecision, TheCompiledStepEqualsTheStepOpByOp) {
  const Net net(1, 0.125F);
  const optim::AdamW optimizer{optim::AdamWOptions{}};
  StepOptions options;
  options.group_metrics = true;
  const auto step = build_step(
      net.parameters(), net.loss(), optimizer, types_of(Net::batch()), options);
  auto args =
      initial_state(state_layout(net.parameters(), optimizer), net.start(), {});
  args.push_back(Net::batch().at("x"));
  args.push_back(Hyper{.lr = 0.1, .total_steps = 10}.array());
  const auto whole = session().run(session().compile(*step.graph), args);
  const runtime::OpByOp ops(session(), *step.graph);
  std::vector<runtime::DeviceArray> arrays;
  for (const auto& a : args) arrays.push_back(session().to_device(a));
  std::vector<const runtime::DeviceArray*> pointers;
  for (const auto& a : arrays) pointers.push_back(&a);
  const auto single = ops.run(pointers);
  ASSERT_EQ(single.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    const auto got = single[i].to_host().to_doubles();
    const auto want = whole[i].to_doubles();
    double largest = 0;
    for (const double v : want) largest = std::max(largest, std::fabs(v));
    for (size_t k = 0; k < want.size(); ++k) {
      EXPECT_NEAR(got[k], want[k], 1e-5 * largest) << "output " << i;
    }
  }
}

// ---- sums ------------------------------------------------------------------

class Sums : public testing::SessionTest {
 protected:
  double compiled(const std::function<Value(const Values&)>& f,
                  const std::vector<HostArray>& args,
                  DType compute = DType::kF32) {
    std::vector<TensorType> types;
    for (const auto& a : args) types.push_back(a.type());
    const auto graph = runtime::trace(
        [&](const Values& in) -> Values { return {f(in)}; }, types);
    runtime::CompileOptions options;
    options.compute = compute;
    return session().run(session().compile(*graph, options), args).at(0).at(0);
  }
};

constexpr int64_t kTerms = 4096;

// Sixteen rows and columns of the same: a product of vectors is no product to
// the compiler, which may then drop the rounding.
constexpr int64_t kRows = 16;

std::vector<HostArray> sines() {
  std::vector<float> x;
  std::vector<float> y;
  for (int64_t row = 0; row < kRows; ++row) {
    for (int i = 1; i <= kTerms; ++i) {
      x.push_back(static_cast<float>(std::sin(i)));
      y.push_back(static_cast<float>(std::cos(3 * i) + std::sin(i) / 2));
    }
  }
  return {HostArray::of<float>({kRows, kTerms}, x),
          HostArray::of<float>({kRows, kTerms}, y)};
}

Value rounded(const Value& x) {
  return ops::reduce_precision(x, 8, 7);
}

TEST_F(Sums, ProductsOf16BitsAreAddedUpInF32) {
  const auto dot = [](const Values& in) {
    return ops::einsum("ik,jk->ij", in[0], in[1]);
  };
  EXPECT_NEAR(compiled(dot, sines()), 1023.9415, 0.01);
  EXPECT_NEAR(compiled(dot, sines(), DType::kBF16), 1024.120, 0.01);
}

TEST_F(Sums, ARunningSumIn16BitsStalls) {
  const auto running = [](const Values& in) {
    const auto add = [](const Values& carry, const Values& x) {
      return std::pair<Values, Values>{
          {rounded(carry[0] + rounded(x[0] * x[1]))}, {}};
    };
    const Value x = rounded(ops::max(in[0], {0}));
    const Value y = rounded(ops::max(in[1], {0}));
    return ops::scan(add, {ops::scalar_like(x, 0)}, {x, y}).carry[0];
  };
  EXPECT_EQ(compiled(running, sines()), 512);
}

// The last of n sums of `step`, each rounded to so many bits.
Value stalled(const Value& start,
              double step,
              int64_t n,
              int64_t exponent,
              int64_t mantissa) {
  const auto add = [=](const Values& carry, const Values&) {
    return std::pair<Values, Values>{
        {ops::reduce_precision(carry[0] + step, exponent, mantissa)}, {}};
  };
  return ops::scan(add, {start}, {}, {.length = n}).carry[0];
}

TEST_F(Sums, OnesStopCountingWhereTheSpacingIsTwo) {
  const auto zero = HostArray::scalar(0.0F);
  EXPECT_EQ(
      compiled([](const Values& v) { return stalled(v[0], 1, 4096, 8, 7); },
               {zero}),
      256);
  EXPECT_EQ(
      compiled([](const Values& v) { return stalled(v[0], 1, 4096, 5, 10); },
               {zero}),
      2048);
  EXPECT_EQ(compiled([](const Values& v) { return ops::sum(v[0]); },
                     {HostArray::full({DType::kBF16, {kTerms}}, 1)}),
            4096);
}

TEST_F(Sums, WeightsIn16BitsNeverMoveWhereMastersDo) {
  const auto one = HostArray::scalar(1.0F);
  EXPECT_EQ(
      compiled([](const Values& v) { return stalled(v[0], 1e-3, 1000, 8, 7); },
               {one}),
      1.0);
  EXPECT_NEAR(
      compiled([](const Values& v) { return stalled(v[0], 1e-3, 1000, 8, 23); },
               {one}),
      2.0000467,
      1e-6);
}

TEST(AllFinite, LooksAtEveryElement) {
  ir::Graph graph;
  const ir::Tracing tracing(graph);
  const Value a = graph.input({DType::kF32, {2}});
  const Value b = graph.input({DType::kF32, {}});
  graph.set_outputs({precision::all_finite({a, b})});
  const auto finite = [&](float x, float y) {
    return ir::evaluate(
               graph,
               std::vector{HostArray::of<float>({2}, std::vector<float>{1, x}),
                           HostArray::scalar(y)})[0]
               .at(0) != 0;
  };
  EXPECT_TRUE(finite(3e38F, -3e38F));
  EXPECT_FALSE(finite(NAN, 1));
  EXPECT_FALSE(finite(1, INFINITY));
  EXPECT_FALSE(finite(-INFINITY, 1));
  EXPECT_ERROR(
      precision::all_finite({}), Code::kInvalidArgument, "nothing to look at");
}

}  // namespace
}  // namespace kexue::train
