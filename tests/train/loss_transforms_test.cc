#include "kexue/train/loss_transforms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "kexue/ir/evaluate.h"
#include "kexue/losses/losses.h"
#include "kexue/nn/layers.h"
#include "kexue/transforms/grad.h"
#include "tests/support/error_matchers.h"
#include "tests/train/tiny_net.h"

namespace kexue::train {
namespace {

// Loss and gradients of TinyNet at given parameters.
std::vector<HostArray> run(const LossTransform& t,
                           const std::vector<HostArray>& at) {
  const TinyNet net;
  ir::Graph g;
  const ir::Tracing tracing(g);
  const Values params = nn::bind_inputs(g, net.parameters());
  const Value x = g.input(TinyNet::batch().at("x"));
  const LossResult r = transformed(net.loss(), net.parameters(), t)({{"x", x}});
  Values out = transforms::gradients(r.loss, params);
  out.insert(out.begin(), r.loss);
  g.set_outputs(out);
  auto args = at;
  args.push_back(TinyNet::x(0.3F));
  return ir::evaluate(g, args);
}

std::vector<HostArray> start() {
  return nn::initial_values(TinyNet().parameters(), Key::from_seed(1));
}

HostArray moved(const HostArray& w, const HostArray& g, double size) {
  double squares = 0;
  for (const double x : g.to_doubles()) squares += x * x;
  auto values = w.to_doubles();
  const auto step = g.to_doubles();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] += size * step[i] / (std::sqrt(squares) + 1e-8);
  }
  return HostArray::from_doubles(w.type(), values);
}

TEST(LossTransform, FgmIsTheGradientOfTheNetMovedByHand) {
  const auto at = start();
  const auto clean = run({}, at);
  auto there = at;
  there[0] = moved(at[0], clean[1], 0.5);
  const auto want = run({}, there);
  const auto got = run({.table = "ffn.weight", .fgm = 0.5}, at);
  const auto both =
      run({.table = "ffn.weight", .fgm = 0.5, .fgm_add_clean = true}, at);
  for (size_t i = 0; i < want.size(); ++i) {
    for (int64_t k = 0; k < want[i].size(); ++k) {
      EXPECT_NEAR(got[i].at(k), want[i].at(k), 1e-6) << i;
      EXPECT_NEAR(both[i].at(k), want[i].at(k) + clean[i].at(k), 2e-6) << i;
    }
  }
  EXPECT_GT(want[0].at(0), clean[0].at(0));
}

TEST(LossTransform, PenaltyAddsHalfTheSquaredGradient) {
  const auto at = start();
  const auto clean = run({}, at);
  double squares = 0;
  for (const double x : clean[1].to_doubles()) squares += x * x;
  const auto got = run({.table = "ffn.weight", .gradient_penalty = 0.2}, at);
  EXPECT_NEAR(got[0].at(0), clean[0].at(0) + 0.1 * squares, 1e-6);
  EXPECT_FALSE(got[1].identical(clean[1]));
}

// The net as a choice between three classes, with a dropout mask of its own in
// each trace. The last row has no weight.
LossResult choice(const TinyNet& net, const Value& x, double rate) {
  const auto p = net.parameters();
  const Value h = ops::tanh(ops::matmul(x, p[0].param()) + p[1].param());
  const Value logits = ops::matmul(nn::dropout(h, rate), p[2].param());
  const Value labels = ops::constant(HostArray::of<int32_t>({4}, {0, 2, 1, 0}));
  const Value weights =
      ops::constant(HostArray::of<float>({4}, {1, 0.5F, 2, 0}));
  return {losses::cross_entropy(logits, labels, weights), {}, logits, weights};
}

// Loss and gradients of f, which is traced with random keys at hand.
using Traced = std::function<Value(const TinyNet& net, const Value& x)>;
std::vector<HostArray> run(const Traced& f, const HostArray& x) {
  const TinyNet net;
  ir::Graph g;
  const ir::Tracing tracing(g);
  const Values params = nn::bind_inputs(g, net.parameters());
  const Value in = g.input(TinyNet::batch().at("x"));
  const Value key = ops::constant(HostArray::of<uint32_t>({2}, {5, 6}));
  const nn::RandomScope random(g, key);
  const Value loss = f(net, in);
  Values out = transforms::gradients(loss, params);
  out.insert(out.begin(), loss);
  g.set_outputs(out);
  auto args = start();
  args.push_back(x);
  return ir::evaluate(g, args);
}

std::vector<HostArray> run_choice(const LossTransform& t,
                                  double rate,
                                  const HostArray& x = TinyNet::x(0.3F)) {
  return run(
      [&](const TinyNet& net, const Value& in) {
        const auto loss = [&](const BatchValues& b) {
          return choice(net, b.at("x"), rate);
        };
        return transformed(loss, net.parameters(), t)({{"x", in}}).loss;
      },
      x);
}

void expect_near(const std::vector<HostArray>& got,
                 const std::vector<HostArray>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    for (int64_t k = 0; k < want[i].size(); ++k) {
      EXPECT_NEAR(got[i].at(k), want[i].at(k), 1e-6) << i << " " << k;
    }
  }
}

TEST(LossTransform, RDropIsThatOfTwoPredictionsByHand) {
  const auto by_hand = [](const TinyNet& net, const Value& x) {
    const LossResult a = choice(net, x, 0.5);
    const LossResult b = choice(net, x, 0.5);
    const Value labels =
        ops::constant(HostArray::of<int32_t>({4}, {0, 2, 1, 0}));
    return losses::r_drop(a.logits, b.logits, labels, a.weights, 3);
  };
  const auto got = run_choice({.r_drop = 3}, 0.5);
  expect_near(got, run(by_hand, TinyNet::x(0.3F)));
  EXPECT_GT(got[0].at(0), run_choice({.r_drop = 1}, 0.5)[0].at(0));
  // Without dropout both predictions are one.
  expect_near(run_choice({.r_drop = 3}, 0), run_choice({}, 0));
}

TEST(LossTransform, VatAddsTheDivergenceByHand) {
  const auto by_hand = [](const TinyNet& net, const Value& x) {
    const nn::Param table = net.parameters()[0].param;
    const LossResult clean = choice(net, x, 0);
    const Value key = nn::RandomScope::next_key();
    const auto at = [&](const Value& w) {
      ir::Graph& graph = ir::Tracing::current();
      const Value own = table();
      graph.bind(table.id(), w);
      const Value logits = choice(net, x, 0).logits;
      graph.bind(table.id(), own);
      return logits;
    };
    return clean.loss + losses::vat(at,
                                    table(),
                                    key,
                                    {.step = {.size = 0.8},
                                     .xi = 2,
                                     .iterations = 2,
                                     .weights = clean.weights}) *
                            0.5;
  };
  const LossTransform t = {.table = "ffn.weight",
                           .vat = 0.5,
                           .vat_size = 0.8,
                           .vat_xi = 2,
                           .vat_iterations = 2};
  const auto got = run_choice(t, 0);
  expect_near(got, run(by_hand, TinyNet::x(0.3F)));
  EXPECT_GT(got[0].at(0), run_choice({}, 0)[0].at(0) + 0.01);
}

TEST(LossTransform, RowsWithoutWeightDoNotCount) {
  const LossTransform t = {.table = "ffn.weight", .r_drop = 2, .vat = 1};
  HostArray other = TinyNet::x(0.3F);
  for (size_t i = 12; i < 16; ++i) other.mutable_span<float>()[i] = 9;
  expect_near(run_choice(t, 0, other), run_choice(t, 0));
}

TEST(LossTransform, AllTogetherIsEachOnTopOfTheOther) {
  const auto parts = [](double r_drop, double penalty, double vat) {
    return LossTransform{.table = "ffn.weight",
                         .gradient_penalty = penalty,
                         .r_drop = r_drop,
                         .vat = vat};
  };
  // Without dropout r_drop adds nothing, and the others add up.
  const double plain = run_choice({}, 0)[0].at(0);
  const double penalty = run_choice(parts(0, 0.3, 0), 0)[0].at(0) - plain;
  const double vat = run_choice(parts(0, 0, 1), 0)[0].at(0) - plain;
  EXPECT_GT(penalty, 0);
  EXPECT_GT(vat, 0);
  EXPECT_NEAR(
      run_choice(parts(4, 0.3, 1), 0)[0].at(0), plain + penalty + vat, 1e-6);
}

TEST(LossTransform, NothingActiveIsTheLossItself) {
  const auto at = start();
  const auto clean = run({}, at);
  const auto same = run({.table = "no such name"}, at);
  for (size_t i = 0; i < clean.size(); ++i) {
    EXPECT_TRUE(same[i].identical(clean[i]));
  }
}

TEST(LossTransform, TableMustBeOneParameter) {
  const TinyNet net;
  const auto make = [&](const LossTransform& t) {
    transformed(net.loss(), net.parameters(), t);
  };
  EXPECT_ERROR(make({.table = "weight", .fgm = 1}),
               Code::kInvalidArgument,
               "2 parameters have \"weight\"",
               "has ffn.weight, out.weight");
  EXPECT_ERROR(make({.table = "word", .fgm = 1}),
               Code::kInvalidArgument,
               "0 parameters have \"word\"");
  EXPECT_ERROR(
      make({.fgm = -1}), Code::kInvalidArgument, "must be at least 0, got -1");
  make({.table = "weight", .r_drop = 1});  // needs none
}

TEST(LossTransform, ComparingWantsLogits) {
  const auto run_net = [](const LossTransform& t) { run(t, start()); };
  for (const auto& t : {LossTransform{.r_drop = 1},
                        LossTransform{.table = "ffn.weight", .vat = 1}}) {
    EXPECT_ERROR(run_net(t),
                 Code::kInvalidArgument,
                 "r_drop and vat compare logits, and this loss has none");
  }
}

}  // namespace
}  // namespace kexue::train
