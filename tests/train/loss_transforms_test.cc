#include "kexue/train/loss_transforms.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
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
}

}  // namespace
}  // namespace kexue::train
