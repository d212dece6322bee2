// Hand values, and what holds for every rule.
#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/optim/optim.h"
#include "tests/support/error_matchers.h"

namespace kexue::optim {
namespace {

using Arrays = std::vector<HostArray>;
using Numbers = std::vector<double>;

HostArray f64(const Shape& shape, const Numbers& values) {
  return HostArray::from_doubles({DType::kF64, shape}, values);
}

// One parameter going through updates; state is it and its slots.
class Path final {
 public:
  Path(OptimizerPtr rule,
       HostArray start,
       std::string name = "w",
       int64_t stack = 0)
      : rule_(std::move(rule)),
        target_{std::move(name), start.type(), stack},
        state_{std::move(start)} {
    for (const auto& slot : rule_->slots(target_)) {
      state_.push_back(initial(slot, state_[0]));
    }
  }

  HostArray step(const HostArray& grad, double lr) {
    return run(grad, lr, ++count_, [&](const Update& u) {
      state_next_ = true;
      return rule_->apply(u);
    });
  }
  HostArray evaluated() {
    return run(state_[0], 0, count_, [&](const Update& u) -> Values {
      state_next_ = false;
      return {rule_->evaluation(u)};
    });
  }
  const Arrays& state() const { return state_; }

 private:
  template <class F>
  HostArray run(const HostArray& grad, double lr, int64_t count, const F& f) {
    Graph g;
    const ir::Tracing tracing(g);
    Values in;
    for (const auto& a : state_) in.push_back(g.input(a.type()));
    const Value dy = g.input(grad.type());
    const Value rate = g.input({DType::kF64, {}});
    const Value step = g.input({DType::kF64, {}});
    Update u{target_.name, in[0], dy, {in.begin() + 1, in.end()}, rate, step};
    u.stack = target_.stack;
    g.set_outputs(f(u));
    Arrays args = state_;
    args.push_back(grad);
    args.push_back(HostArray::scalar(lr));
    args.push_back(HostArray::scalar(static_cast<double>(count)));
    auto out = ir::evaluate(g, args);
    if (state_next_) state_ = out;
    return out[0];
  }

  OptimizerPtr rule_;
  Target target_;
  Arrays state_;
  int64_t count_ = 0;
  bool state_next_ = true;
};

double one_step(const std::string& rule,
                const OptionList& options,
                double w,
                double g,
                double lr) {
  Path path(make(rule, options), f64({1}, {w}));
  return path.step(f64({1}, {g}), lr).at(0);
}

TEST(Lamb, HasItsHandValues) {
  Path path(make("lamb", {{"bias_correction", false}}), f64({2}, {3, 4}));
  const auto w = path.step(f64({2}, {0.1, -0.2}), 0.01);
  EXPECT_NEAR(w.at(0), 2.9642576010, 1e-10);
  EXPECT_NEAR(w.at(1), 4.0349639945, 1e-10);
}

TEST(LayerAdaptation, HasRatioOneForExcludedNamesAndZeroNorms) {
  const auto rule =
      std::make_shared<LayerAdaptation>(std::make_shared<Sgd>(SgdOptions{}));
  const auto g = f64({2}, {0.3, 0.4});
  Path adapted(rule, f64({2}, {3, 4}));
  EXPECT_NEAR(adapted.step(g, 0.1).at(0), 3 - 0.1 * 0.3 * 5 / 0.5, 1e-15);
  Path excluded(rule, f64({2}, {3, 4}), "ffn.bias");
  EXPECT_NEAR(excluded.step(g, 0.1).at(0), 3 - 0.1 * 0.3, 1e-15);
  Path zero(rule, f64({2}, {0, 0}));
  EXPECT_NEAR(zero.step(g, 0.1).at(0), -0.1 * 0.3, 1e-15);
  Path still(rule, f64({2}, {3, 4}));
  EXPECT_EQ(still.step(f64({2}, {0, 0}), 0.1).at(0), 3);
}

TEST(Sgd, NesterovHasItsHandValues) {
  // b = 0.5, then 0.9 * 0.5 + 0.2 = 0.65; d = g + 0.9 b.
  Path path(make("sgd", {{"momentum", 0.9}, {"nesterov", true}}),
            f64({1}, {1}));
  EXPECT_NEAR(path.step(f64({1}, {0.5}), 0.1).at(0), 0.905, 1e-15);
  EXPECT_NEAR(path.step(f64({1}, {0.2}), 0.1).at(0), 0.905 - 0.0785, 1e-15);
}

TEST(Signs, LionAndTigerStepByTheirRates) {
  const OptionList none = {{"weight_decay", 0.0}};
  EXPECT_NEAR(one_step("lion", none, 2, -3, 0.01), 2.01, 1e-15);
  EXPECT_NEAR(one_step("tiger", none, 2, -3, 0.01), 2.02, 1e-15);  // RMS 2
  Path bias(make("tiger"), f64({1}, {2}), "ffn.bias");
  EXPECT_NEAR(bias.step(f64({1}, {-3}), 0.01).at(0), 2.005, 1e-15);
}

TEST(AdaFactor, FirstStepHasItsHandValues) {
  // t = 1: b2 = 0, so v = q exactly for one row: u = sign(g), RMS 1; d = u RMS.
  const OptionList options = {{"min_factor", 1.0}};
  Path path(make("adafactor", options), f64({1, 2}, {3, 4}));
  const auto w = path.step(f64({1, 2}, {0.1, -0.2}), 0.01);
  const double rms = std::sqrt(12.5);
  EXPECT_NEAR(w.at(0), 3 - 0.01 * rms, 1e-14);
  EXPECT_NEAR(w.at(1), 4 + 0.01 * rms, 1e-14);
  // The paper's rate is at most 1 / sqrt(t).
  Path slow(make("adafactor_v1", options), f64({1, 2}, {3, 4}));
  EXPECT_NEAR(slow.step(f64({1, 2}, {1, 1}), 7).at(0), 3 - rms, 1e-14);
  EXPECT_EQ(slow.step(f64({1, 2}, {1, 1}), 0).at(0), slow.state()[0].at(0));
}

TEST(AdaFactor, KeepsRowsAndColumnsOfLargeMatricesOnly) {
  const AdaFactor rule({.min_factor = 4});
  const auto shapes = [&](const Target& target) {
    std::vector<std::string> out;
    for (const auto& s : rule.slots(target)) out.push_back(s.type.str());
    return out;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(shapes({"w", {DType::kF32, {4, 5}}}), (Names{"f32[4]", "f32[5]"}));
  EXPECT_EQ(shapes({"w", {DType::kF32, {3, 5}}}), (Names{"f32[3,5]"}));
  EXPECT_EQ(shapes({"w", {DType::kF32, {4}}}), (Names{"f32[4]"}));
  EXPECT_EQ(shapes({"w", {DType::kF32, {7, 4, 5}}, 1}),
            (Names{"f32[7,4]", "f32[7,5]"}));
  EXPECT_EQ(shapes({"w", {DType::kF32, {7, 5}}, 1}), (Names{"f32[7,5]"}));
}

TEST(Muon, BringsSingularValuesNearOne) {
  for (const Shape& shape : {Shape{3, 5}, Shape{5, 3}}) {
    Graph g;
    const ir::Tracing tracing(g);
    const Value x = g.input({DType::kF64, shape});
    const Value y = newton_schulz(x, 5, 1e-7);
    const bool tall = shape[0] > shape[1];
    const Value yt = ops::matrix_transpose(y);
    g.set_outputs({tall ? ops::matmul(yt, y) : ops::matmul(y, yt)});
    Numbers values;
    for (int i = 0; i < 15; ++i) values.push_back(std::cos(3.0 * i * i));
    const auto gram = ir::evaluate(g, Arrays{f64(shape, values)})[0];
    double trace = 0;
    for (int64_t i = 0; i < 3; ++i) trace += gram.at(4 * i);
    EXPECT_GT(trace, 3 * 0.6 * 0.6);
    EXPECT_LT(trace, 3 * 1.25 * 1.25);
    for (const int64_t i : {1, 2, 5}) EXPECT_NEAR(gram.at(i), 0, 0.4);
  }
}

TEST(Muon, LeavesVectorsTablesAndHeadsToAdamW) {
  const auto rule = make("muon");
  const auto first = [&](const Target& target) {
    return rule->slots(target).at(0).name;
  };
  const TensorType matrix{DType::kF32, {4, 4}};
  EXPECT_EQ(first({"encoder.ffn.weight", matrix}), "momentum");
  EXPECT_EQ(first({"embeddings.word.weight", matrix}), "m");
  EXPECT_EQ(first({"classifier.weight", matrix}), "m");
  EXPECT_EQ(first({"encoder.ffn.bias", matrix, 1}), "m");
  EXPECT_EQ(first({"encoder.ffn.weight", {DType::kF32, {2, 4, 4}}, 1}),
            "momentum");
  EXPECT_ERROR(Muon({}).slots({"b", {DType::kF32, {4}}}),
               Code::kInvalidArgument,
               "muon: parameter \"b\" f32[4] is no matrix");
}

TEST(Lookahead, StartsAtTheWeightsAndSyncsEveryKSteps) {
  // w falls by 1 a step; after two, slow = 10 + 0.5 (8 - 10) = 9.
  Path path(make("sgd", {{"lookahead", 2.0}}), f64({1}, {10}));
  const auto g = f64({1}, {1});
  const double want[] = {9, 9, 8, 8};
  for (const double w : want) EXPECT_EQ(path.step(g, 1).at(0), w);
}

TEST(MovingAverage, HasItsHandValues) {
  // Parameters 1, 2, 3 after each step: raw 0.005996001.
  Path path(make("sgd", {{"ema", 0.999}}), f64({1}, {0}));
  EXPECT_EQ(path.evaluated().at(0), 0);
  for (int i = 0; i < 3; ++i) path.step(f64({1}, {-1}), 1);
  EXPECT_NEAR(path.state().back().at(0), 0.005996001, 1e-15);
  EXPECT_NEAR(path.evaluated().at(0), 2.0006670001, 1e-10);
}

TEST(ScheduleFree, EvaluatesTheMeanOfItsStepsForAConstantRate) {
  const auto sgd = std::make_shared<Sgd>(SgdOptions{});
  const auto rule =
      std::make_shared<ScheduleFree>(sgd, ScheduleFreeOptions{.beta = 0.9});
  Path path(rule, f64({1}, {0}));
  EXPECT_EQ(path.evaluated().at(0), 0);
  // z = -1, -2, -3; x their mean; nothing happens while the rate is 0.
  path.step(f64({1}, {1}), 0);
  EXPECT_EQ(path.evaluated().at(0), 0);
  const double want[] = {-1, -1.5, -2};
  for (const double x : want) {
    path.step(f64({1}, {1}), 1);
    EXPECT_NEAR(path.evaluated().at(0), x, 1e-14);
  }
}

TEST(LazyRows, LeaveRowsWithoutGradientAlone) {
  Path path(
      make("adamw", {{"lazy_rows", NameList{"word"}}, {"weight_decay", 0.1}}),
      f64({2, 2}, {1, 2, 3, 4}),
      "embeddings.word.weight");
  path.step(f64({2, 2}, {1, 1, 1, 1}), 0.1);
  const Arrays before = path.state();
  path.step(f64({2, 2}, {0, 0, 0, 1}), 0.1);
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(path.state()[k].at(0), before[k].at(0)) << k;
    EXPECT_EQ(path.state()[k].at(1), before[k].at(1)) << k;
    EXPECT_NE(path.state()[k].at(2), before[k].at(2)) << k;
  }
  Path other(make("adamw", {{"lazy_rows", NameList{"position"}}}),
             f64({2, 1}, {1, 1}),
             "embeddings.word.weight");
  EXPECT_NE(other.step(f64({2, 1}, {0, 1}), 0.1).at(0), 1);
}

TEST(Rates, FirstPartOfTheNameDecides) {
  const auto rule =
      make("sgd", {{"rates", NumberTable{{"word", 0.5}, {"embeddings", 0.0}}}});
  const auto after = [&](const char* name) {
    return Path(rule, f64({1}, {1}), name).step(f64({1}, {1}), 0.1).at(0);
  };
  EXPECT_NEAR(after("embeddings.word"), 0.95, 1e-15);
  EXPECT_EQ(after("embeddings.type"), 1);
  EXPECT_NEAR(after("head"), 0.9, 1e-15);
}

TEST(Decay, HasThreeForms) {
  const OptionList options = {{"weight_decay", 0.5}, {"no_decay", NameList{}}};
  EXPECT_NEAR(one_step("sgd", options, 2, 1, 0.1), 2 - 0.1 * (1 + 1), 1e-15);
  EXPECT_NEAR(one_step("lion", options, 2, 1, 0.1), 2 - 0.1 * (1 + 1), 1e-15);
  EXPECT_NEAR(one_step("adan", options, 2, 1, 0.1), 1.9 / 1.05, 1e-8);
}

TEST(AdamW, IsAdamWithDecoupledDecay) {
  for (const bool eps_hat : {false, true}) {
    const auto plain = std::make_shared<DecoupledDecay>(
        std::make_shared<Adam>(AdamOptions{.eps = 0.01, .eps_hat = eps_hat}),
        DecayOptions{.weight_decay = 0.1});
    const auto fused = std::make_shared<AdamW>(
        AdamWOptions{.eps = 0.01, .weight_decay = 0.1, .eps_hat = eps_hat});
    Path a(plain, f64({2}, {1, -2}));
    Path b(fused, f64({2}, {1, -2}));
    for (const double g : {0.5, -0.1, 3.0}) {
      const auto x = a.step(f64({2}, {g, 1}), 0.1);
      const auto y = b.step(f64({2}, {g, 1}), 0.1);
      EXPECT_NEAR(x.at(0), y.at(0), 1e-14);
      EXPECT_NEAR(x.at(1), y.at(1), 1e-14);
    }
  }
}

// Layer `i` of a stack of two.
HostArray slice(const HostArray& stacked, int64_t i, const Shape& shape) {
  const auto all = stacked.to_doubles();
  const auto size = static_cast<long>(all.size() / 2);
  return f64(shape, {all.begin() + i * size, all.begin() + (i + 1) * size});
}

TEST(EveryRule, TreatsAStackAsItsLayers) {
  Numbers w;
  Numbers g;
  for (int i = 0; i < 24; ++i) {
    w.push_back(std::sin(1.0 + i) * (i < 12 ? 1 : 5));
    g.push_back(std::cos(2.0 * i) * (i < 12 ? 1 : 0.1));
  }
  for (const auto& info : rules()) {
    OptionList options;
    if (info.name.starts_with("adafactor")) options = {{"min_factor", 1.0}};
    const auto rule = make(info.name, options);
    for (const Shape& shape : {Shape{4, 3}, Shape{12}}) {
      auto dims = shape.dims();
      dims.insert(dims.begin(), 2);
      Path stack(rule, f64(Shape(dims), w), "encoder.ffn.weight", 1);
      Path layers[] = {
          Path(
              rule, slice(f64(Shape(dims), w), 0, shape), "encoder.ffn.weight"),
          Path(rule,
               slice(f64(Shape(dims), w), 1, shape),
               "encoder.ffn.weight")};
      for (int step = 0; step < 3; ++step) {
        for (double& x : g) x = 0.5 - 0.7 * x;
        const auto grad = f64(Shape(dims), g);
        const auto both = stack.step(grad, 0.01);
        for (int64_t i = 0; i < 2; ++i) {
          const auto want = layers[i].step(slice(grad, i, shape), 0.01);
          const auto got = slice(both, i, shape);
          for (int64_t k = 0; k < 12; ++k) {
            EXPECT_NEAR(got.at(k), want.at(k), 1e-13) << info.name;
          }
        }
      }
    }
  }
}

TEST(EveryRule, SlotsComeBackInTheirTypes) {
  const OptionList around = {{"lookahead", 3.0},
                             {"ema", 0.9},
                             {"lazy_rows", NameList{"word"}},
                             {"rates", NumberTable{{"w", 2.0}}}};
  for (const auto& info : rules()) {
    OptionList options = around;
    if (info.name.starts_with("adafactor")) {
      options.push_back({"min_factor", 2.0});
    }
    const auto rule = make(info.name, options);
    for (const Shape& shape : {Shape{3, 4}, Shape{3}, Shape{}}) {
      Graph g;
      const ir::Tracing tracing(g);
      const TensorType type{DType::kF32, shape};
      const Target target{"word.weight", type};
      Update u;
      u.name = target.name;
      u.param = g.input(type);
      u.grad = g.input(type);
      u.lr = g.input({DType::kF32, {}});
      u.step = g.input({DType::kF32, {}});
      const auto slots = rule->slots(target);
      for (const auto& s : slots) u.slots.push_back(g.input(s.type));
      const Values out = rule->apply(u);
      ASSERT_EQ(out.size(), slots.size() + 1) << info.name;
      EXPECT_EQ(out[0].type(), type) << info.name;
      for (size_t k = 0; k < slots.size(); ++k) {
        EXPECT_EQ(out[k + 1].type(), slots[k].type)
            << info.name << " " << slots[k].name;
      }
      EXPECT_EQ(rule->evaluation(u).type(), type) << info.name;
    }
  }
}

TEST(EveryRule, RefusesOptionsOutOfRangeByName) {
  const auto refuses = [](const char* rule,
                          const char* key,
                          OptionValue value,
                          const char* text) {
    EXPECT_ERROR(
        make(rule, {{key, std::move(value)}}), Code::kInvalidArgument, text);
  };
  refuses("sgd", "momentum", 1.0, "sgd: wants momentum in [0,1), got 1");
  refuses("sgd", "nesterov", true, "sgd: Nesterov needs a momentum");
  refuses("adam", "eps", 0.0, "adam: wants eps > 0, got 0");
  refuses(
      "adamw", "form", std::string("jax"), "optimizer.form must be pytorch");
  refuses("rmsprop", "alpha", -1.0, "rmsprop: wants alpha in [0,1)");
  refuses("adagrad", "start", -1.0, "adagrad: wants start >= 0");
  refuses("adafactor", "min_factor", 0.0, "adafactor: wants min_factor > 0");
  refuses("lars", "trust", 0.0, "lars: wants trust > 0");
  refuses("adan", "beta3", 1.0, "adan: wants beta3 in [0,1)");
  refuses("tiger", "beta", 2.0, "tiger: wants beta in [0,1), got 2");
  refuses("muon", "steps", 100.0, "muon: wants fewer than 100 steps, got 100");
  refuses(
      "muon", "scale", std::string("x"), "optimizer.scale must be original");
  refuses("schedule_free_adamw", "beta1", 0.0, "wants beta > 0, got 0");
  refuses("sgd", "lookahead", -1.0, "lookahead: wants steps > 0, got -1");
  refuses("sgd", "lookahead_rate", std::string("x"), "must be a number");
  refuses("sgd", "ema", 1.0, "moving average: wants decay in [0,1), got 1");
  refuses("sgd", "rates", NumberTable{{"w", -1.0}}, "rates: wants w >= 0");
  refuses("lion", "weight_decay", -1.0, "weight_decay >= 0, got -1");
  EXPECT_ERROR(make("adamm"),
               Code::kInvalidArgument,
               "unknown optimizer \"adamm\"",
               "one of adafactor, adafactor_v1, adagrad");
}

}  // namespace
}  // namespace kexue::optim
