#include "kexue/losses/perturb.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/losses/divergence.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::losses {
namespace {

using testing::evaluate_at;
using Arrays = std::vector<HostArray>;

HostArray f64(const Shape& shape, const std::vector<double>& values) {
  return HostArray::from_doubles({DType::kF64, shape}, values);
}

const HostArray kG = f64({3, 2}, {0.3, 0.4, 0, 0, 1.2, 0});

TEST(Perturbation, HasItsHandValues) {
  const double want[] = {0.1153846145, 0.1538461527, 0, 0, 0.461538458, 0};
  const auto out = evaluate_at(
      [](const Values& v) {
        return Values{perturbation(v[0], {.size = 0.5}),
                      perturbation(v[0], {.size = 0.5, .by_row = true})};
      },
      {kG});
  for (int64_t i = 0; i < 6; ++i) EXPECT_NEAR(out[0].at(i), want[i], 1e-10);
  const double by_row[] = {0.3, 0.4, 0, 0, 0.5, 0};
  for (int64_t i = 0; i < 6; ++i) EXPECT_NEAR(out[1].at(i), by_row[i], 1e-7);
}

TEST(Perturbation, OfZeroIsZeroWithoutAFloor) {
  const auto out = evaluate_at(
      [](const Values& v) { return Values{perturbation(v[0], {.floor = 0})}; },
      {HostArray(DType::kF64, {4})});
  for (const double x : out[0].to_doubles()) EXPECT_EQ(x, 0);
}

// l(E) = sum(E^3) / 3: gradient E^2.
Value cubes(const Value& e) {
  return ops::sum(e * e * e) * (1.0 / 3);
}

TEST(Fgm, TakesTheGradientAtThePerturbedPoint) {
  const auto out = evaluate_at(
      [](const Values& v) {
        const FgmOptions only{.step = {.size = 0.5, .floor = 0}};
        FgmOptions both = only;
        both.add_clean = true;
        return Values{transforms::gradients(fgm(cubes, v[0], only), {v[0]})[0],
                      transforms::gradients(fgm(cubes, v[0], both), {v[0]})[0]};
      },
      {f64({2}, {3, 4})});
  // E^2 = (9, 16), its norm sqrt(337).
  const double n = std::sqrt(337.0);
  const double x[] = {3 + 4.5 / n, 4 + 8 / n};
  for (int64_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(out[0].at(i), x[i] * x[i], 1e-13);
    EXPECT_NEAR(out[1].at(i), x[i] * x[i] + (i == 0 ? 9 : 16), 1e-13);
  }
}

TEST(Fgm, SizeZeroIsPlainTraining) {
  const auto out = evaluate_at(
      [](const Values& v) {
        return Values{fgm(cubes, v[0], {.step = {.size = 0}}), cubes(v[0])};
      },
      {f64({2}, {3, 4})});
  EXPECT_EQ(out[0].at(0), out[1].at(0));
}

// Logits of two rows; x moves them.
Value two_rows(const Value& x) {
  const Value w = ops::constant(f64({2, 3}, {1, -2, 0.5, 0.3, 1, -1}));
  return ops::matmul(ops::tanh(x), w);
}

TEST(Vat, IsTheLargestDivergenceOfSmallSteps) {
  // Near x the divergence is a quadratic form; with a tiny xi the power
  // iteration turns to its largest direction, against any other of the length.
  const HostArray x = f64({1, 2}, {0.2, -0.4});
  const HostArray key = HostArray::of<uint32_t>({2}, {3, 4});
  const double size = 1e-3;
  const auto out = evaluate_at(
      [&](const Values& v) {
        Values all = {
            vat(two_rows,
                v[0],
                v[1],
                {.step = {.size = size}, .xi = 1e-4, .iterations = 8})};
        const Value clean = two_rows(v[0]);
        for (int i = 0; i < 16; ++i) {
          const double a = M_PI * i / 8;
          const auto r = ops::constant(
              f64({1, 2}, {size * std::cos(a), size * std::sin(a)}));
          all.push_back(ops::mean(kl_divergence(clean, two_rows(v[0] + r))));
        }
        return all;
      },
      {x, key});
  double largest = 0;
  for (size_t i = 1; i < out.size(); ++i) {
    largest = std::max(largest, out[i].at(0));
  }
  EXPECT_GT(out[0].at(0), 0.99 * largest);
  EXPECT_LT(out[0].at(0), 1.1 * largest);
}

TEST(Vat, CleanPredictionIsConstantAndTheRestDifferentiable) {
  const HostArray key = HostArray::of<uint32_t>({2}, {3, 4});
  const auto out = evaluate_at(
      [&](const Values& v) {
        const Value l = vat(two_rows, v[0], v[1]);
        return Values{l, transforms::gradients(l, {v[0]})[0]};
      },
      {f64({1, 2}, {0.2, -0.4}), key});
  EXPECT_GT(out[0].at(0), 0);
  for (const double g : out[1].to_doubles()) {
    EXPECT_TRUE(std::isfinite(g));
    EXPECT_NE(g, 0);
  }
}

TEST(Perturb, BadOptionsAreErrors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2}});
  EXPECT_ERROR(perturbation(x, {.size = -1}),
               Code::kInvalidArgument,
               "size and floor >= 0, got -1");
  EXPECT_ERROR(vat(two_rows, x, x, {.iterations = 0}),
               Code::kInvalidArgument,
               "iterations >= 1 and xi > 0, got 0");
}

}  // namespace
}  // namespace kexue::losses
