#include "kexue/ops/index.h"

#include <gtest/gtest.h>

#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

HostArray ids(const std::vector<int32_t>& v) {
  return HostArray::of<int32_t>({static_cast<int64_t>(v.size())}, v);
}

TEST(OneHot, IsZeroForIndicesOutside) {
  const auto y = evaluate_at(
      [](const Values& x) {
        return Values{ops::one_hot(x[0], 3, DType::kF32)};
      },
      {ids({2, 0, 3, -1})});
  EXPECT_EQ(y[0].type().str(), "f32[4,3]");
  EXPECT_EQ(y[0].to_doubles(),
            (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(OneHot, MayHaveItsAxisAnywhere) {
  const auto y = evaluate_at(
      [](const Values& x) {
        return Values{ops::one_hot(x[0], 3, DType::kBool, 0)};
      },
      {ids({2, 0, 3, -1})});
  EXPECT_EQ(y[0].type().str(), "bool[3,4]");
  EXPECT_EQ(y[0].to_doubles(),
            (std::vector<double>{0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(MaskedFill, KeepsTheRestAndItsGradient) {
  const auto f = [](const Values& x) -> Values {
    const Value y = ops::masked_fill(x[0] * x[0], x[1], -INFINITY);
    const Value safe = ops::masked_fill(x[0] * x[0], x[1], 7);
    return {y, transforms::gradients(ops::sum(safe), {x[0]})[0]};
  };
  const auto mask =
      HostArray::from_doubles({DType::kBool, {2}}, std::vector<double>{0, 1});
  const auto x = HostArray::of<float>({2, 2}, std::vector<float>{1, 2, 3, NAN});
  const auto y = evaluate_at(f, {x, mask});
  EXPECT_EQ(y[0].to_doubles(),
            (std::vector<double>{1, -INFINITY, 9, -INFINITY}));
  EXPECT_EQ(y[1].at(0), 2);
  EXPECT_EQ(y[1].at(1), 0);
  EXPECT_EQ(y[1].at(2), 6);
}

TEST(Take, OfNoIndicesIsEmpty) {
  const auto f = [](const Values& x) -> Values {
    const Value y = ops::take(x[0], x[1]);
    return {y, transforms::gradients(ops::sum(y), {x[0]})[0]};
  };
  const auto y =
      evaluate_at(f, {HostArray::full({DType::kF32, {3, 2}}, 1), ids({})});
  EXPECT_EQ(y[0].type().str(), "f32[0,2]");
  EXPECT_EQ(y[1].to_doubles(), std::vector<double>(6, 0.0));
}

TEST(Take, GradientAddsUpRepeatsAndClampsLikeTheReading) {
  const auto f = [](const Values& x) {
    return transforms::gradients(ops::sum(ops::take(x[0], x[1])), {x[0]});
  };
  const auto g = evaluate_at(
      f, {HostArray::full({DType::kF32, {3}}, 1), ids({0, 2, 2, 99, -5})});
  EXPECT_EQ(g[0].to_doubles(), (std::vector<double>{2, 0, 3}));
}

TEST(Take, EmbeddingLookupHasDerivativesOfEveryOrder) {
  const auto f = [](const Values& x) {
    const Value e = ops::take(x[0], x[1]);
    return ops::sum(ops::tanh(ops::matmul(e, x[2])));
  };
  const auto normal = [](const Shape& s, uint64_t seed) {
    return random_normal({DType::kF64, s}, Key::from_seed(seed));
  };
  EXPECT_TRUE(check_grads(
      f, {normal({5, 3}, 1), ids({4, 0, 4, 2}), normal({3, 2}, 2)}, 3));
}

}  // namespace
}  // namespace kexue::testing
