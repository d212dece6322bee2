// Programs of several derivatives share one forward pass: products counted
// after simplify.
#include <gtest/gtest.h>

#include "kexue/ops/op_table.h"
#include "kexue/transforms/batch.h"
#include "kexue/transforms/jacobian.h"
#include "tests/support/check_close.h"
#include "tests/support/tiny_functions.h"

namespace kexue::testing {
namespace {

using Arrays = std::vector<HostArray>;

struct Counts {
  int products = 0;
  int tanhs = 0;
  int loops = 0;
};

void count(const Graph& g, Counts& c) {
  for (const auto& n : g.nodes()) {
    c.products += n->op == &ops::kMatmul;
    c.tanhs += n->op == &ops::kTanh;
    c.loops += n->op == &ops::kScan;
    for (const auto& r : n->regions) count(*r, c);
  }
}

Counts counts(const std::function<Values(const Values&)>& f, const Arrays& x) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (const auto& a : x) in.push_back(g.input(a.type()));
  g.set_outputs(f(in));
  Counts c;
  count(*transforms::simplify(g), c);
  return c;
}

// mlp has two products forward; backward with respect to x and both weights
// takes two more for each.
constexpr int kForward = 2;

Values weights(const Values& v) {
  return {v[1], v[3]};
}

TEST(ForwardPass, IsSharedByTheGradientsOfSeveralLosses) {
  // A trunk that each loss traces anew, and a head of each.
  const auto trunk = [](const Values& v) {
    return ops::tanh(
        ops::einsum("bd,de->be",
                    ops::tanh(ops::einsum("bd,de->be", v[0], v[1], v[2])),
                    v[3],
                    v[4]));
  };
  const auto losses = [&](int n) {
    return [&trunk, n](const Values& v) {
      Values out;
      for (int k = 1; k <= n; ++k) {
        const Value y = trunk(v);
        const Value loss = ops::sum(ops::exp(y * static_cast<double>(k)));
        const Values g = transforms::gradients(loss, weights(v));
        out.push_back(loss);
        out.insert(out.end(), g.begin(), g.end());
      }
      return out;
    };
  };
  // Backward: dW2, dh, dW1 for each loss.
  for (const int n : {1, 2, 4}) {
    const Counts c = counts(losses(n), kMlp);
    EXPECT_EQ(c.products, kForward + 3 * n);
    EXPECT_EQ(c.tanhs, 2);
  }
}

TEST(ForwardPass, OfATangentIsTheOnlyOne) {
  const auto f = [](const Values& v) {
    return transforms::jvp({mlp(v)}, weights(v), weights(v));
  };
  // dh = x dW1, then dy = dh W2 + h dW2.
  const Counts c = counts(f, kMlp);
  EXPECT_EQ(c.products, kForward + 3);
  EXPECT_EQ(c.tanhs, 2);
}

TEST(ForwardPass, OfAHessianProductIsTheOnlyOne) {
  for (const auto form : {transforms::Hvp::kReverseOverReverse,
                          transforms::Hvp::kForwardOverReverse}) {
    const auto f = [&](const Values& v) {
      Values at = v;
      const auto loss = [&](const Values& w) {
        at[1] = w[0];
        at[3] = w[1];
        return mlp(at);
      };
      Values out =
          transforms::hvp(loss, form)(weights(v), {v[1] * 2.0, v[3] * 2.0});
      const Values g = transforms::gradients(mlp(v), weights(v));
      out.insert(out.end(), g.begin(), g.end());
      return out;
    };
    // Gradient: 3. Tangents of h, y (3), of dW2 (2), dh (2), dW1 (1).
    const Counts c = counts(f, kMlp);
    EXPECT_EQ(c.tanhs, 2);
    EXPECT_EQ(c.products, kForward + 3 + 8);
  }
}

TEST(ForwardPass, OfAGradientPenaltyIsTheOnlyOne) {
  const auto f = [](const Values& v) {
    const Value loss = mlp(v);
    const Value g = transforms::gradients(loss, {v[0]})[0];
    const Value all = loss + ops::sum(g * g) * 0.5;
    Values out = transforms::gradients(all, weights(v));
    out.push_back(all);
    return out;
  };
  const Counts c = counts(f, kMlp);
  EXPECT_EQ(c.tanhs, 2);
  // Forward 2, backward to x 2; backward through both: at most twice that
  // plus one product for each weight's two uses.
  EXPECT_LE(c.products, kForward + 2 + 8);
}

TEST(ForwardPass, OfAJacobianIsTheOnlyOne) {
  for (const auto sweep :
       {transforms::Sweep::kReverse, transforms::Sweep::kForward}) {
    const auto f = [&](const Values& v) {
      const Value h = ops::tanh(ops::einsum("bd,de->be", v[0], v[1], v[2]));
      const Value y = ops::tanh(ops::einsum("bd,de->be", h, v[3], v[4]));
      Values out = transforms::jacobian(y, {v[0]}, sweep);
      out.push_back(y);
      return out;
    };
    const Counts c = counts(f, kMlp);
    EXPECT_EQ(c.tanhs, 2);
    EXPECT_EQ(c.products, kForward + 2);
    EXPECT_EQ(c.loops, 0);
  }
}

TEST(ForwardPass, OfALoopsTangentRunsNoBackwardLoop) {
  const Arrays x = {normal({3}, 1), normal({3, 3}, 2), normal({4, 3}, 3)};
  const auto f = [](const Values& v) {
    const auto r = ops::scan(
        [&](const Values& c, const Values& s) {
          const Value h = ops::einsum("d,de->e", c[0], v[1]) + s[0];
          return std::pair(Values{ops::tanh(h)}, Values{});
        },
        {v[0]},
        {v[2]});
    return transforms::jvp({r.carry[0]}, {v[0]}, {v[0]});
  };
  // One product forward and one for the tangent; none for a cotangent.
  const Counts c = counts(f, x);
  EXPECT_EQ(c.products, 2);
  EXPECT_EQ(c.tanhs, 1);
}

TEST(ForwardPass, SharedGradientsEqualSeparateOnes) {
  const auto task = [](const Values& v, double t) {
    return ops::sum(ops::exp(ops::sin(mlp(v) * t)));
  };
  const auto together = evaluate_at(
      [&](const Values& v) {
        Values out;
        for (const double t : {1.0, 2.0, 3.0}) {
          out.push_back(transforms::gradients(task(v, t), {v[1]})[0]);
        }
        return out;
      },
      kMlp);
  for (size_t k = 0; k < 3; ++k) {
    const auto alone = evaluate_at(
        [&](const Values& v) {
          return transforms::gradients(task(v, 1.0 + static_cast<double>(k)),
                                       {v[1]});
        },
        kMlp);
    EXPECT_TRUE(close(together[k], alone[0], {1e-12, 1e-12}));
  }
}

}  // namespace
}  // namespace kexue::testing
