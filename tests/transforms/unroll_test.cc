#include "kexue/transforms/unroll.h"

#include <gtest/gtest.h>

#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using Pair = std::pair<Values, Values>;

HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF64, shape}, Key::from_seed(seed));
}

int count(const Graph& g, const OpDef& op) {
  int n = 0;
  for (const auto& node : g.nodes()) n += node->op == &op;
  return n;
}

// A loop, its gradients and its second gradients.
Values program(const Values& v, bool reverse) {
  const auto r = ops::scan(
      [&](const Values& c, const Values& x) {
        const Value h = ops::tanh(c[0] * v[2] + x[0]);
        return Pair{{h}, {h * x[0]}};
      },
      {v[0]},
      {v[1]},
      {.reverse = reverse});
  const Value loss = weighted_sum({r.carry[0], r.ys[0]});
  Values out = transforms::gradients(loss, v);
  const Values second = transforms::gradients(weighted_sum(out, 5), v);
  out.insert(out.end(), second.begin(), second.end());
  out.insert(out.end(), {loss, r.carry[0], r.ys[0]});
  return out;
}

TEST(Unroll, EqualsTheLoopWithItsGradients) {
  const std::vector<HostArray> x = {
      normal({2}, 1), normal({4, 2}, 2), normal({2}, 3)};
  for (const bool reverse : {false, true}) {
    Graph g;
    const ir::Tracing tracing(g);
    Values in;
    for (const auto& a : x) in.push_back(g.input(a.type()));
    g.set_outputs(program(in, reverse));
    const auto flat = transforms::unroll(g, 4);
    ir::verify(*flat);
    EXPECT_EQ(count(*flat, ops::kScan), 0);
    const auto same = transforms::unroll(g, 3);
    EXPECT_EQ(count(*same, ops::kScan), count(g, ops::kScan));
    const auto want = ir::evaluate(g, x);
    const auto got = ir::evaluate(*flat, x);
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(close(got[i], want[i], {1e-13, 1e-14}));
    }
  }
}

TEST(Unroll, TakesSlicesOfStacksDirectly) {
  // Residuals go from the forward to the backward loop without a stack.
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {2}});
  const auto r = ops::scan(
      [](const Values& c, const Values&) {
        return Pair{{ops::tanh(c[0])}, {}};
      },
      {x},
      {},
      {.length = 3});
  g.set_outputs(transforms::gradients(ops::sum(r.carry[0]), {x}));
  const auto flat = transforms::simplify(*transforms::unroll(g, 3));
  EXPECT_EQ(count(*flat, ops::kConcatenate), 0);
  EXPECT_EQ(count(*flat, ops::kSlice), 0);
}

TEST(Unroll, DoesNotMistakeOtherConcatenationsForStacks) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {6}});
  // Parts are reshapes, but of a vector, not of rows.
  const Value stack = ops::concatenate(
      {ops::reshape(x, {1, 2, 3}), ops::reshape(x * 2.0, {1, 2, 3})}, 0);
  const auto r = ops::scan(
      [](const Values& c, const Values& s) {
        return Pair{{c[0] + ops::sum(s[0], {0})}, {}};
      },
      {ops::slice(x, {0}, {3})},
      {stack});
  g.set_outputs(r.carry);
  const std::vector<HostArray> at = {normal({6}, 1)};
  const auto flat = transforms::unroll(g, 2);
  ir::verify(*flat);
  EXPECT_TRUE(close(ir::evaluate(*flat, at)[0], ir::evaluate(g, at)[0]));
}

TEST(Unroll, ReachesLoopsInsideLoops) {
  const auto build = [](Graph& g, int64_t outer) {
    const ir::Tracing tracing(g);
    const Value x = g.input({DType::kF64, {2}});
    const auto r = ops::scan(
        [](const Values& c, const Values&) {
          const auto inner = ops::scan(
              [](const Values& d, const Values&) {
                return Pair{{ops::tanh(d[0])}, {d[0]}};
              },
              {c[0]},
              {},
              {.length = 2});
          return Pair{{inner.carry[0] + ops::sum(inner.ys[0])}, {}};
        },
        {x},
        {},
        {.length = outer});
    g.set_outputs(r.carry);
  };
  for (const int64_t outer : {2, 9}) {
    Graph g;
    build(g, outer);
    const auto flat = transforms::unroll(g, 2);
    ir::verify(*flat);
    EXPECT_EQ(count(*flat, ops::kScan), outer == 2 ? 0 : 1);
    for (const auto& n : flat->nodes()) {
      for (const auto& r : n->regions) EXPECT_EQ(count(*r, ops::kScan), 0);
    }
    const std::vector<HostArray> at = {normal({2}, 1)};
    EXPECT_TRUE(close(ir::evaluate(*flat, at)[0], ir::evaluate(g, at)[0]));
  }
}

}  // namespace
}  // namespace kexue::testing
