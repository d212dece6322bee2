// What the backward pass keeps, and that nothing merges it away.
#include <gtest/gtest.h>

#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/unroll.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using ops::RematPolicy;

HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF64, shape}, Key::from_seed(seed));
}
int count(const Graph& g, const OpDef& op) {
  int n = 0;
  for (const auto& node : g.nodes()) {
    n += node->op == &op;
    for (const auto& r : node->regions) n += count(*r, op);
  }
  return n;
}

Values block(const Values& v) {
  const Value h = ops::matmul(ops::sin(v[0]), v[1]);
  const Value a = ops::checkpoint_name(ops::exp(ops::tanh(h)), "a");
  return {ops::cos(a * a)};
}

std::vector<RematPolicy> policies() {
  return {RematPolicy::save_everything(),
          RematPolicy::save_nothing(),
          RematPolicy::save_products(),
          RematPolicy::save_named({"a"}),
          RematPolicy::save_named({"b", "a"}),
          RematPolicy::save_named({"aa"})};
}

const std::vector<HostArray> kAt = {normal({2, 3}, 1), normal({3, 3}, 2)};

TEST(Remat, ValuesAndDerivativesAreThoseOfTheFunction) {
  const auto plain = [](const Values& v) {
    return transforms::gradients(weighted_sum(block(v)), v);
  };
  const auto want = evaluate_at(plain, kAt);
  for (const auto& policy : policies()) {
    SCOPED_TRACE(policy.text);
    const auto f = [&](const Values& v) {
      return weighted_sum(ops::remat(block, v, policy));
    };
    const auto got = evaluate_at(transforms::grad(f), kAt);
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(got[i].identical(want[i]));
    }
    EXPECT_TRUE(check_grads(f, kAt, 2));
  }
}

// Ops of the program that is compiled: loops of one turn are no loops there.
std::unique_ptr<Graph> step(const RematPolicy& policy, bool unrolled) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (const auto& a : kAt) in.push_back(g.input(a.type()));
  const Value loss = weighted_sum(ops::remat(block, in, policy));
  Values outs = transforms::gradients(loss, in);
  outs.push_back(loss);
  g.set_outputs(outs);
  ir::verify(g);
  return transforms::simplify(unrolled ? *transforms::unroll(g, 4) : g);
}

TEST(Remat, ThePolicySaysWhatRunsTwice) {
  struct Case {
    RematPolicy policy;
    int products, sines, exps;
  };
  // Products: one forward, two for its gradient, and the one that is repeated.
  const std::vector<Case> cases = {{RematPolicy::save_everything(), 3, 2, 1},
                                   {RematPolicy::save_nothing(), 4, 3, 2},
                                   {RematPolicy::save_products(), 3, 3, 2},
                                   {RematPolicy::save_named({"a"}), 4, 3, 1},
                                   {RematPolicy::save_named({"aa"}), 4, 3, 2}};
  for (const auto& c : cases) {
    for (const bool unrolled : {false, true}) {
      SCOPED_TRACE(c.policy.text + (unrolled ? ", unrolled" : ""));
      const auto g = step(c.policy, unrolled);
      EXPECT_EQ(count(*g, ops::kMatmul), c.products);
      EXPECT_EQ(count(*g, ops::kExp), c.exps);
      // sin is repeated for the product's gradient; -sin belongs to cos.
      EXPECT_EQ(count(*g, ops::kSin), c.sines);
      EXPECT_EQ(count(*g, ops::kOptimizationBarrier),
                unrolled && c.policy.recomputes() ? 1 : 0);
      const auto want = ir::evaluate(*step({}, false), kAt);
      const auto got = ir::evaluate(*g, kAt);
      for (size_t i = 0; i < want.size(); ++i) {
        EXPECT_TRUE(got[i].identical(want[i]));
      }
    }
  }
}

TEST(Remat, WorksInsideALoopWithCaptures) {
  for (const auto& policy : policies()) {
    SCOPED_TRACE(policy.text);
    const auto f = [&](const Values& v) {
      const auto r = ops::scan(
          [&](const Values& c, const Values&) {
            const Values h = ops::remat(
                [&](const Values& x) {
                  return block({x[0], v[1]});
                },
                {c[0]},
                policy);
            return std::pair<Values, Values>({h[0] + c[0]}, {});
          },
          {v[0]},
          {},
          {.length = 3, .remat = policy});
      return weighted_sum(r.carry);
    };
    EXPECT_TRUE(check_grads(f, kAt, 2));
  }
}

TEST(Remat, UnrolledLoopsComputeAgainBehindABarrier) {
  const auto program = [](const RematPolicy& policy) {
    Graph g;
    const ir::Tracing tracing(g);
    Values in;
    for (const auto& a : kAt) in.push_back(g.input(a.type()));
    const auto r = ops::scan(
        [&](const Values& c, const Values&) {
          return std::pair<Values, Values>(block({c[0], in[1]}), {});
        },
        {in[0]},
        {},
        {.length = 3, .remat = policy});
    const Value loss = weighted_sum(r.carry);
    Values outs = transforms::gradients(loss, in);
    outs.push_back(loss);
    g.set_outputs(outs);
    return transforms::simplify(*transforms::unroll(g, 8));
  };
  const auto plain = program(RematPolicy::save_everything());
  const auto again = program(RematPolicy::save_nothing());
  EXPECT_EQ(count(*plain, ops::kExp), 3);
  EXPECT_EQ(count(*again, ops::kExp), 6);
  EXPECT_EQ(count(*again, ops::kOptimizationBarrier), 3);
  const auto want = ir::evaluate(*plain, kAt);
  const auto got = ir::evaluate(*again, kAt);
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(got[i].identical(want[i]));
  }
}

TEST(Remat, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {3}});
  EXPECT_ERROR(ops::remat(block, {}),
               Code::kInvalidArgument,
               "remat: wants at least one input");
  EXPECT_ERROR(ops::optimization_barrier(Values{}),
               Code::kInvalidArgument,
               "optimization_barrier: wants at least one input");
  for (const char* name : {"", "a,b"}) {
    EXPECT_ERROR(ops::checkpoint_name(x, name),
                 Code::kInvalidArgument,
                 "checkpoint_name: wants a name without commas");
  }
}

}  // namespace
}  // namespace kexue::testing
