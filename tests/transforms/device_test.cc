// Derivatives compiled by XLA against the host evaluator, and what sharing a
// forward pass saves.
#include <gtest/gtest.h>

#include <algorithm>

#include "kexue/ir/flops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/batch.h"
#include "kexue/transforms/jacobian.h"
#include "kexue/transforms/per_sample.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_close.h"
#include "tests/support/session_fixture.h"
#include "tests/support/tiny_functions.h"

namespace kexue::testing {
namespace {

using Arrays = std::vector<HostArray>;

class DeviceDerivatives : public SessionTest {
 protected:
  // The program gives the evaluator's numbers, in f64.
  static void expect_like_evaluator(const transforms::Map& f, const Arrays& x) {
    const Arrays want = evaluate_at(f, x);
    const Arrays got = runtime::jit(session(), f)(x);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_TRUE(close(got[i], want[i], {1e-11, 1e-11})) << "output " << i;
    }
  }
};

TEST_F(DeviceDerivatives, OfOrderOneAndTwo) {
  const auto f = [](const Values& x) {
    Values out = transforms::grad(mlp)(x);
    for (const auto form : {transforms::Hvp::kReverseOverReverse,
                            transforms::Hvp::kForwardOverReverse}) {
      const Values hv = transforms::hvp(mlp, form)(x, x);
      out.insert(out.end(), hv.begin(), hv.end());
    }
    return out;
  };
  expect_like_evaluator(f, kMlp);
}

TEST_F(DeviceDerivatives, OfATransformerBlock) {
  const auto f = [](const Values& x) {
    const Value loss = block(x);
    const Values g = transforms::gradients(loss, {x[0], x[2]});
    const Value penalty = loss + ops::sum(g[0] * g[0]);
    return transforms::gradients(penalty, {x[0], x[2], x[3], x[6]});
  };
  expect_like_evaluator(f, kBlock);
}

TEST_F(DeviceDerivatives, BatchedAndAsMatrices) {
  const auto f = [](const Values& x) {
    const auto loss = [&](const Values& p, const Values& row) {
      return mlp({ops::reshape(row[0], {1, 4}), p[0], x[2], p[1], x[4]});
    };
    Values out = transforms::per_sample_gradients(loss, {x[1], x[3]}, {x[0]});
    for (const auto sweep :
         {transforms::Sweep::kReverse, transforms::Sweep::kForward}) {
      const Value h = ops::tanh(ops::einsum("bd,de->be", x[0], x[1], x[2]));
      const Values j = transforms::jacobian(h, {x[0], x[1]}, sweep);
      out.insert(out.end(), j.begin(), j.end());
    }
    return out;
  };
  expect_like_evaluator(f, kMlp);
}

TEST_F(DeviceDerivatives, BatchedReadingByIndexAndLoops) {
  const auto one = [](const Values& v) -> Values {
    const Value start = ops::reshape(ops::slice(v[1], {0}, {1}), {});
    const Value part = ops::dynamic_slice(v[0], {start}, {2});
    const auto r = ops::scan(
        [&](const Values& c, const Values& s) {
          return std::pair(Values{ops::tanh(c[0] * s[0])}, Values{c[0]});
        },
        {part},
        {v[0]});
    return {ops::take(v[0], v[1]),
            ops::scatter_add(v[0], v[1], v[0] * v[0]),
            ops::dynamic_update_slice(v[0], part * 2.0, {start}),
            r.carry[0],
            r.ys[0],
            ops::random_uniform(v[2], {3})};
  };
  const Arrays x = {
      normal({3, 4}, 1),
      HostArray::of<int32_t>({3, 4}, {1, 0, 3, 3, 2, 2, 9, -1, 0, 1, 2, 3}),
      HostArray::of<uint32_t>({3, 2}, {1, 2, 3, 4, 5, 6})};
  expect_like_evaluator(transforms::batch(one), x);
}

// Four products forward and seven backward a task; the forward pass is shared.
TEST_F(DeviceDerivatives, ManyTasksInOneStepShareTheForwardPass) {
  constexpr int kTasks = 4;
  const auto task = [](const Values& v, int k) {
    Value h = v[0];
    for (size_t i = 1; i < v.size(); ++i) {
      h = ops::gelu(ops::matmul(h, v[i]));
    }
    const Value loss = ops::mean(ops::sin(h * (1.0 + k)));
    return transforms::gradients(loss, Values(v.begin() + 1, v.end()));
  };
  Arrays x = {HostArray::full({DType::kF32, {32, 64}}, 0.5)};
  for (uint64_t i = 0; i < 4; ++i) {
    x.push_back(random_normal({DType::kF32, {64, 64}}, Key::from_seed(i))
                    .cast(DType::kF32));
  }
  const auto all = [&](const Values& v) {
    Values out;
    for (int k = 0; k < kTasks; ++k) {
      const Values g = task(v, k);
      out.insert(out.end(), g.begin(), g.end());
    }
    return out;
  };
  const double product = 2.0 * 32 * 64 * 64;
  const auto together = runtime::trace(all, types_of(x));
  EXPECT_EQ(ir::flops(*transforms::simplify(*together)),
            (4 + kTasks * 7) * product);
  const auto got = session().run(session().compile(*together), x);
  for (int k = 0; k < kTasks; ++k) {
    const auto alone = runtime::trace(
        [&task, k](const Values& v) { return task(v, k); }, types_of(x));
    EXPECT_EQ(ir::flops(*transforms::simplify(*alone)), 11 * product);
    const auto want = session().run(session().compile(*alone), x);
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(
          close(got[static_cast<size_t>(k) * 4 + i], want[i], {1e-5, 1e-6}));
    }
  }
}

}  // namespace
}  // namespace kexue::testing
