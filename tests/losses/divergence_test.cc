#include "kexue/losses/divergence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::losses {
namespace {

using testing::evaluate_at;

HostArray logs(const Shape& shape, std::vector<double> p) {
  for (double& x : p) x = std::log(x) + 3;  // softmax ignores the shift
  return HostArray::from_doubles({DType::kF64, shape}, p);
}

TEST(KlDivergence, HasItsHandValues) {
  const auto out = evaluate_at(
      [](const Values& v) {
        return Values{kl_divergence(v[0], v[1]), kl_divergence(v[0], v[0])};
      },
      {logs({2, 2}, {0.5, 0.5, 0.9, 0.1}),
       logs({2, 2}, {0.25, 0.75, 0.9, 0.1})});
  EXPECT_NEAR(out[0].at(0), 0.5 * std::log(4.0 / 3), 1e-15);
  EXPECT_NEAR(out[0].at(1), 0, 1e-15);
  EXPECT_NEAR(out[1].at(0), 0, 1e-15);
}

TEST(RDrop, HasItsHandValueAndLeavesOutRowsOfWeightZero) {
  const auto a = logs({2, 2}, {0.5, 0.5, 0.1, 0.9});
  const auto b = logs({2, 2}, {0.25, 0.75, 0.3, 0.7});
  const auto out = evaluate_at(
      [](const Values& v) { return Values{r_drop(v[0], v[1], v[2], v[3], 4)}; },
      {a,
       b,
       HostArray::of<int32_t>({2}, {0, 1}),
       HostArray::of<float>({2}, {1, 0})});
  const double nll = -0.5 * (std::log(0.5) + std::log(0.25));
  const double kl =
      0.5 * std::log(4.0 / 3) + 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(out[0].at(0), nll + kl, 1e-6);
}

TEST(RDrop, GradientMatchesDifferencesToSecondOrder) {
  const auto f = [](const Values& v) {
    const Value labels = ops::constant(HostArray::of<int32_t>({2}, {0, 1}));
    const Value weights = ops::constant(
        HostArray::from_doubles({DType::kF64, {2}}, std::vector<double>{1, 2}));
    return r_drop(v[0], v[1], labels, weights, 3);
  };
  EXPECT_TRUE(testing::check_grads(
      f, {logs({2, 2}, {0.5, 0.5, 0.1, 0.9}), logs({2, 2}, {1, 3, 3, 7})}, 2));
}

TEST(KlDivergence, RefusesShapesThatDiffer) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value a = g.input({DType::kF32, {2, 3}});
  const Value b = g.input({DType::kF32, {2, 4}});
  EXPECT_ERROR(kl_divergence(a, b),
               Code::kInvalidArgument,
               "wants two f[B,C], got f32[2,3], f32[2,4]");
}

}  // namespace
}  // namespace kexue::losses
