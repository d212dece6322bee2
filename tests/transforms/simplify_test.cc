#include "kexue/transforms/simplify.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/print.h"
#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using transforms::simplify;
using Pair = std::pair<Values, Values>;

int count(const Graph& g, const OpDef& op) {
  int n = 0;
  for (const auto& node : g.nodes()) n += node->op == &op;
  return n;
}

HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF64, shape}, Key::from_seed(seed));
}

std::vector<int64_t> stacked(const Shape& one) {
  auto dims = one.dims();
  dims.insert(dims.begin(), 3);
  return dims;
}

class Simplify : public ::testing::Test {
 protected:
  // Simplifies and checks: legal, stable, same values on x.
  std::unique_ptr<Graph> run(const std::vector<HostArray>& x) {
    auto small = simplify(g_);
    ir::verify(*small);
    EXPECT_EQ(ir::print(*simplify(*small)), ir::print(*small));
    const auto before = ir::evaluate(g_, x);
    const auto after = ir::evaluate(*small, x);
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_TRUE(before[i].identical(after[i]));
    }
    return small;
  }

  Graph g_;
  ir::Tracing tracing_{g_};
  Value x_ = g_.input({DType::kF64, {3}}, "x");
  const std::vector<HostArray> at_ = {normal({3}, 1)};
};

TEST_F(Simplify, DropsWholeDeadChains) {
  ops::exp(ops::tanh(ops::sin(x_)) * 2.0);
  g_.set_outputs({x_ + x_});
  EXPECT_EQ(run(at_)->nodes().size(), 2u);
}

TEST_F(Simplify, MergesEqualNodesButNotDifferentAttributes) {
  g_.set_outputs({ops::sum(ops::tanh(x_) * 2.0),
                  ops::sum(ops::tanh(x_) * 2.0),
                  ops::sum(ops::tanh(x_) * 3.0)});
  const auto small = run(at_);
  EXPECT_EQ(count(*small, ops::kTanh), 1);
  EXPECT_EQ(count(*small, ops::kMultiply), 2);
  EXPECT_EQ(small->outputs()[0], small->outputs()[1]);
  EXPECT_NE(small->outputs()[0], small->outputs()[2]);
}

TEST_F(Simplify, MergesNoConstantsThatDifferInTheLastBit) {
  const int64_t big = (int64_t{1} << 53) + 1;
  g_.set_outputs({ops::constant(HostArray::scalar(big)),
                  ops::constant(HostArray::scalar(big - 1)),
                  ops::constant(HostArray::scalar(0.1)),
                  ops::constant(HostArray::scalar(std::nextafter(0.1, 1))),
                  ops::constant(HostArray::scalar(0.0)),
                  ops::constant(HostArray::scalar(-0.0)),
                  ops::constant(HostArray::of<float>({2}, {1, 2})),
                  ops::constant(HostArray::of<float>({2}, {1, 3})),
                  x_});
  EXPECT_EQ(count(*run(at_), ops::kConstant), 8);
}

TEST_F(Simplify, StopGradientSurvives) {
  g_.set_outputs(
      {ops::stop_gradient(x_) * 2.0, x_ * 2.0, ops::stop_gradient(x_)});
  const auto small = run(at_);
  EXPECT_EQ(count(*small, ops::kStopGradient), 1);
  EXPECT_EQ(count(*small, ops::kMultiply), 2);
}

TEST_F(Simplify, DropsIdentities) {
  g_.set_outputs(
      {g_.add(ops::kReshape, {x_}, {{"shape", std::vector<int64_t>{3}}}).out(),
       g_.add(ops::kConvert, {x_}, {{"to", DType::kF64}}).out()});
  const auto small = run(at_);
  EXPECT_EQ(small->nodes().size(), 1u);
  EXPECT_EQ(small->outputs()[0], small->inputs()[0]);
}

TEST_F(Simplify, KeepsInputsThatNobodyReads) {
  g_.input({DType::kF32, {7}});
  g_.set_outputs({x_});
  EXPECT_EQ(run({at_[0], HostArray(DType::kF32, {7})})->inputs().size(), 2u);
}

TEST_F(Simplify, DropsStackedOutputsThatNobodyReads) {
  const auto r = ops::scan(
      [](const Values& c, const Values&) {
        const Value big = ops::exp(c[0]);
        return Pair{{ops::tanh(c[0]), c[1]}, {big, c[0] * 2.0}};
      },
      {x_, x_},
      {},
      {.length = 4});
  g_.set_outputs({r.carry[0], r.ys[1]});
  const auto small = run(at_);
  ASSERT_EQ(count(*small, ops::kScan), 1);
  const Node& loop = *small->nodes().back();
  EXPECT_EQ(loop.types.size(), 2u);  // nor is carry 1 read
  EXPECT_EQ(count(*loop.regions[0], ops::kExp), 0);
}

TEST_F(Simplify, DropsCarriesAndInputsOfLoopsThatNothingLiveReads) {
  const auto r = ops::scan(
      [&](const Values& c, const Values& s) {
        // c[0] is read through c[1]; c[2], s[1] and the captured exp are not.
        return Pair{{c[0] + s[0], c[1] * c[0], c[2] * s[1] + ops::exp(x_)},
                    {c[2]}};
      },
      {x_, x_, x_},
      {ops::broadcast_to(x_, Shape(stacked(x_.shape()))),
       ops::tanh(ops::broadcast_to(x_, Shape(stacked(x_.shape()))))});
  g_.set_outputs({r.carry[1]});
  const auto small = run(at_);
  ASSERT_EQ(count(*small, ops::kScan), 1);
  const Node& loop = *small->nodes().back();
  EXPECT_EQ(loop.types.size(), 2u);
  EXPECT_EQ(loop.inputs.size(), 3u);
  EXPECT_EQ(count(*small, ops::kTanh), 0);
  EXPECT_EQ(count(*small, ops::kExp), 0);
}

TEST_F(Simplify, MergesLoopsWithAnUnreadCarry) {
  for (int i = 0; i < 2; ++i) {
    const auto r = ops::scan(
        [](const Values& c, const Values&) {
          return Pair{{ops::tanh(c[0]) + ops::tanh(c[0]), c[1] + 1.0}, {}};
        },
        {x_, x_},
        {},
        {.length = 2});
    Values outs = g_.outputs();
    outs.push_back(r.carry[0]);
    g_.set_outputs(outs);
  }
  const auto small = run(at_);
  ASSERT_EQ(count(*small, ops::kScan), 1);
  for (const auto& n : small->nodes()) {
    if (n->op != &ops::kScan) continue;
    EXPECT_EQ(count(*n->regions[0], ops::kTanh), 1);
  }
}

TEST_F(Simplify, KeepsTheScopesOfNodes) {
  {
    const Scope scope("block");
    g_.set_outputs({ops::tanh(x_)});
  }
  EXPECT_NE(ir::print(*run(at_)).find("# block"), std::string::npos);
}

TEST_F(Simplify, NeverChangesATrainingStep) {
  const Value w = g_.input({DType::kF64, {3, 3}});
  const auto r = ops::scan(
      [&](const Values& c, const Values&) {
        const Value h = ops::matmul(ops::reshape(c[0], {1, 3}), w);
        return Pair{{ops::gelu(ops::reshape(h, {3}))}, {}};
      },
      {x_},
      {},
      {.length = 3});
  const Value loss = ops::sum(ops::log_softmax(r.carry[0]) * x_);
  Values outs = transforms::gradients(loss, {x_, w});
  outs.push_back(loss);
  g_.set_outputs(outs);
  const auto small = run({normal({3}, 1), normal({3, 3}, 2)});
  EXPECT_LT(small->nodes().size(), g_.nodes().size());
}

TEST(ExpandFused, ReplacesWhatHasNoKernelAlsoInLoops) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 4}});
  const Value w = g.input({DType::kF32, {4}});
  const auto r = ops::scan(
      [&](const Values& c, const Values&) {
        return Pair{{ops::layer_norm(ops::gelu(c[0]), w, w, 1e-5)}, {}};
      },
      {x},
      {},
      {.length = 2});
  const Value loss = ops::sum(ops::gelu(r.carry[0]));
  Values outs = transforms::gradients(loss, {x, w});
  outs.push_back(loss);
  g.set_outputs(outs);

  const std::function<int(const Graph&)> fused = [&](const Graph& graph) {
    int n = 0;
    for (const auto& node : graph.nodes()) {
      n += node->op->compose != nullptr;
      for (const auto& region : node->regions) n += fused(*region);
    }
    return n;
  };
  const auto plain = transforms::expand_fused(g, {});
  ir::verify(*plain);
  EXPECT_GT(fused(g), 3);
  EXPECT_EQ(fused(*plain), 0);
  const auto partly =
      transforms::expand_fused(g, {"kexue_gelu", "kexue_gelu_grad"});
  EXPECT_GT(fused(*partly), 0);
  EXPECT_LT(fused(*partly), fused(g));
  EXPECT_EQ(ir::print(*transforms::expand_fused(*plain, {})),
            ir::print(*plain));

  const std::vector<HostArray> at = {normal({2, 4}, 1).cast(DType::kF32),
                                     normal({4}, 2).cast(DType::kF32)};
  const auto a = ir::evaluate(g, at);
  const auto b = ir::evaluate(*plain, at);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].identical(b[i]));
}

}  // namespace
}  // namespace kexue::testing
