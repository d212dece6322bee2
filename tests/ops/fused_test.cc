// Fused ops against the same mathematics written with plain ops: values and
// gradients of both orders must agree, also where rows degenerate.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "kexue/ops/ops.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using Build = std::function<Value(const Values&)>;

HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF64, shape}, Key::from_seed(seed));
}

// f, its gradients, and the gradients of <gradients, fixed weights>.
Values two_orders(const Build& f, const Values& x) {
  const Values floats = float_values(x);
  const Value y = f(x);
  Values out = {y};
  const Values g = transforms::gradients(weighted_sum({y}, 7), floats);
  const Values gg = transforms::gradients(weighted_sum(g, 9), floats);
  out.insert(out.end(), g.begin(), g.end());
  out.insert(out.end(), gg.begin(), gg.end());
  return out;
}

void expect_equal(const Build& fused,
                  const Build& plain,
                  const std::vector<HostArray>& x) {
  const auto a =
      evaluate_at([&](const Values& v) { return two_orders(fused, v); }, x);
  const auto b =
      evaluate_at([&](const Values& v) { return two_orders(plain, v); }, x);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(close(a[i], b[i], {1e-10, 1e-10})) << "part " << i;
    for (const double v : a[i].to_doubles()) EXPECT_TRUE(std::isfinite(v));
  }
}

Value plain_gelu(const Value& x) {
  return x * 0.5 * (ops::erf(x * (1 / std::numbers::sqrt2)) + 1.0);
}

TEST(Gelu, EqualsItsFormulaToSecondOrder) {
  expect_equal([](const Values& x) { return ops::gelu(x[0]); },
               [](const Values& x) { return plain_gelu(x[0]); },
               {normal({3, 5}, 1)});
}

TEST(Gelu, IsFiniteToSecondOrderFarOut) {
  for (const DType d : {DType::kF64, DType::kF32}) {
    const auto x = HostArray::from_doubles(
        {d, {7}}, std::vector<double>{-1e4, -300, -40, 0, 40, 300, 1e4});
    const auto y = evaluate_at(
        [](const Values& v) {
          return two_orders([](const Values& w) { return ops::gelu(w[0]); }, v);
        },
        {x});
    for (const auto& part : y) {
      for (const double v : part.to_doubles()) EXPECT_TRUE(std::isfinite(v));
    }
    EXPECT_EQ(y[0].at(6), round_to(d, 1e4));
    EXPECT_EQ(y[0].at(0), 0);
  }
}

TEST(SmoothOps, AreFiniteToSecondOrderFarOut) {
  const std::vector<Build> functions = {
      [](const Values& x) { return ops::erf(x[0]); },
      [](const Values& x) { return ops::logistic(x[0]); },
      [](const Values& x) { return ops::tanh(x[0]); },
      [](const Values& x) { return ops::gelu_tanh(x[0]); },
      // softplus
      [](const Values& x) {
        return ops::relu(x[0]) + ops::log1p(ops::exp(-ops::abs(x[0])));
      }};
  const auto x = HostArray::from_doubles(
      {DType::kF32, {5}}, std::vector<double>{-1e4, -90, 0.5, 90, 1e4});
  for (size_t i = 0; i < functions.size(); ++i) {
    const auto y = evaluate_at(
        [&](const Values& v) { return two_orders(functions[i], v); }, {x});
    for (const auto& part : y) {
      for (const double v : part.to_doubles()) {
        EXPECT_TRUE(std::isfinite(v)) << "function " << i;
      }
    }
  }
}

TEST(GeluTanh, FollowsItsFormula) {
  const auto y =
      evaluate_at([](const Values& x) { return Values{ops::gelu_tanh(x[0])}; },
                  {HostArray::from_doubles({DType::kF64, {3}},
                                           std::vector<double>{-1, 0.5, 2})});
  EXPECT_NEAR(y[0].at(0), -0.15880800939172324, 1e-12);
  EXPECT_NEAR(y[0].at(1), 0.345714009987541, 1e-9);
  EXPECT_NEAR(y[0].at(2), 1.954597694087775, 1e-9);
}

Value plain_layer_norm(const Values& x) {
  const Value d = x[0] - ops::mean(x[0], {-1}, true);
  const Value v = ops::mean(d * d, {-1}, true);
  return d / ops::sqrt(v + 1e-3) * x[1] + x[2];
}

Value fused_layer_norm(const Values& x) {
  return ops::layer_norm(x[0], x[1], x[2], 1e-3);
}

TEST(LayerNorm, EqualsItsFormulaToSecondOrder) {
  expect_equal(fused_layer_norm,
               plain_layer_norm,
               {normal({2, 3, 7}, 1), normal({7}, 2), normal({7}, 3)});
  expect_equal(fused_layer_norm,
               plain_layer_norm,
               {normal({5}, 1), normal({5}, 2), normal({5}, 3)});
}

Build group_norm_with(int64_t groups, bool silu) {
  return [=](const Values& x) {
    return ops::group_norm(x[0], x[1], x[2], groups, 1e-3, silu);
  };
}

Build plain_group_norm(int64_t groups, bool silu) {
  return [=](const Values& x) {
    const Value& all = x[0];
    const int64_t channels = all.dim(-1), batch = all.dim(0);
    const int64_t rest = all.shape().size() / batch / channels;
    const Value parts =
        ops::reshape(all, {batch, rest, groups, channels / groups});
    const Value d = parts - ops::mean(parts, {1, 3}, true);
    const Value v = ops::mean(d * d, {1, 3}, true);
    const Value h = ops::reshape(d / ops::sqrt(v + 1e-3), all.shape().dims());
    const Value y = h * x[1] + x[2];
    return silu ? y / (1.0 + ops::exp(-y)) : y;
  };
}

TEST(GroupNorm, EqualsItsFormulaToSecondOrder) {
  for (const int64_t groups : {1, 3, 6}) {
    for (const bool silu : {false, true}) {
      expect_equal(group_norm_with(groups, silu),
                   plain_group_norm(groups, silu),
                   {normal({2, 2, 5, 6}, 1), normal({6}, 2), normal({6}, 3)});
    }
  }
}

TEST(GroupNorm, AConstantGroupGivesBeta) {
  const std::vector<HostArray> in = {
      HostArray::full({DType::kF64, {2, 3, 4}}, 1e3),
      normal({4}, 2),
      normal({4}, 3)};
  expect_equal(group_norm_with(2, false), plain_group_norm(2, false), in);
  const auto y = evaluate_at(
      [](const Values& v) { return Values{group_norm_with(2, false)(v)}; }, in);
  for (int64_t j = 0; j < 24; ++j) EXPECT_EQ(y[0].at(j), in[2].at(j % 4));
}

TEST(LayerNorm, AConstantRowGivesBeta) {
  auto x = normal({2, 4}, 1);
  for (size_t j = 0; j < 4; ++j) x.mutable_span<double>()[j] = 1e3;
  const std::vector<HostArray> in = {x, normal({4}, 2), normal({4}, 3)};
  expect_equal(fused_layer_norm, plain_layer_norm, in);
  const auto y = evaluate_at(
      [](const Values& v) { return Values{fused_layer_norm(v)}; }, in);
  for (int64_t j = 0; j < 4; ++j) EXPECT_EQ(y[0].at(j), in[2].at(j));
}

TEST(LayerNorm, OfHalvesUsesATinyEpsilonAndLargeValuesInF32) {
  // 1e-12 is 0 in f16, and 300^2 is infinite.
  const auto f = [](const Values& x) -> Values {
    return {ops::layer_norm(x[0], x[1], x[2], 1e-12)};
  };
  const auto half = [](const Shape& s, const std::vector<double>& v) {
    return HostArray::from_doubles({DType::kF16, s}, v);
  };
  const auto y = evaluate_at(f,
                             {half({2, 4}, {5, 5, 5, 5, 300, -300, 300, -300}),
                              half({4}, {1, 1, 1, 1}),
                              half({4}, {0, 0, 0, 0})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{0, 0, 0, 0, 1, -1, 1, -1}));
}

TEST(LayerNorm, InputsThatDependOnEachOtherCountOnce) {
  // x is computed from gamma: the second order must not count that path twice.
  const auto f = [](const Values& v) {
    const Value x = ops::broadcast_to(v[1] * 2.0, {3, 4}) + v[0];
    return weighted_sum({ops::layer_norm(x, v[1], v[1], 1e-2)});
  };
  EXPECT_TRUE(check_grads(f, {normal({3, 4}, 1), normal({4}, 2)}, 3));
}

struct AttentionCase {
  std::vector<double> mask;
  double rate;
  bool causal = false;
};

Value plain_attention(const Values& x, const AttentionCase& c) {
  Value s = ops::einsum("bthd,bshd->bhts", x[0], x[1]) * 0.6;
  const Value mask = ops::reshape(x[3], {x[3].dim(0), 1, 1, x[3].dim(1)});
  if (c.causal) {  // far below all others, and lost among them
    std::vector<double> far(16, 0);
    for (size_t i = 0; i < 16; ++i) far[i] = i % 4 > i / 4 ? -1e9 : 0;
    s = s + ops::constant(HostArray::from_doubles({s.dtype(), {4, 4}}, far));
  }
  const Value p = ops::dropout(ops::masked_softmax(s, mask), x[4], c.rate);
  return ops::einsum("bhts,bshd->bthd", p, x[2]);
}

TEST(Attention, EqualsItsFormulaToSecondOrder) {
  for (const auto& c :
       {AttentionCase{{1, 1, 1, 1, 1, 1, 1, 1}, 0},
        AttentionCase{{1, 0, 1, 1, 0, 0, 0, 1}, 0},  // some keys masked
        AttentionCase{{0, 0, 0, 0, 1, 1, 0, 1}, 0},  // all keys of one masked
        AttentionCase{{0, 0, 0, 0, 1, 1, 1, 1}, 0.3},
        AttentionCase{{1, 1, 1, 1, 1, 0, 0, 1}, 0, true},
        AttentionCase{{1, 1, 0, 1, 1, 1, 1, 1}, 0.3, true}}) {
    const std::vector<HostArray> x = {
        normal({2, c.causal ? 4 : 3, 2, 3}, 1),
        normal({2, 4, 2, 3}, 2),
        normal({2, 4, 2, 3}, 3),
        HostArray::from_doubles({DType::kBool, {2, 4}}, c.mask),
        HostArray::of<uint32_t>({2}, {5, 6})};
    expect_equal(
        [&](const Values& v) {
          return ops::attention(
              v[0], v[1], v[2], v[3], v[4], 0.6, c.rate, c.causal);
        },
        [&](const Values& v) { return plain_attention(v, c); },
        x);
  }
}

TEST(Attention, AFullyMaskedRowIsZeroAndSoAreItsGradients) {
  const auto f = [](const Values& v) -> Values {
    const Value o = ops::attention(v[0], v[1], v[2], v[3], v[4], 0.5, 0.0);
    Values out = transforms::gradients(weighted_sum({o}), {v[0], v[1], v[2]});
    out.push_back(o);
    return out;
  };
  const auto y = evaluate_at(f,
                             {normal({1, 2, 1, 3}, 1),
                              normal({1, 2, 1, 3}, 2),
                              normal({1, 2, 1, 3}, 3),
                              HostArray::full({DType::kBool, {1, 2}}, 0),
                              HostArray::of<uint32_t>({2}, {5, 6})});
  for (const auto& part : y) {
    EXPECT_EQ(part.to_doubles(), std::vector<double>(6, 0.0));
  }
}

TEST(Attention, QueriesThatAreKeysCountOnceInSecondOrder) {
  const auto f = [](const Values& v) {
    const Value k = ops::tanh(v[0]);
    return weighted_sum(
        {ops::attention(v[0], k, k * v[0], v[1], v[2], 0.5, 0.0)});
  };
  EXPECT_TRUE(check_grads(f,
                          {normal({1, 3, 1, 2}, 1),
                           HostArray::full({DType::kBool, {1, 3}}, 1),
                           HostArray::of<uint32_t>({2}, {5, 6})},
                          3));
}

TEST(Attention, LargeScoresDoNotOverflow) {
  const std::vector<HostArray> x = {
      HostArray::full({DType::kF32, {1, 2, 1, 4}}, 100),
      HostArray::full({DType::kF32, {1, 2, 1, 4}}, 100),
      HostArray::full({DType::kF32, {1, 2, 1, 4}}, 3),
      HostArray::full({DType::kBool, {1, 2}}, 1),
      HostArray::of<uint32_t>({2}, {5, 6})};
  const auto y = evaluate_at(
      [](const Values& v) {
        return Values{ops::attention(v[0], v[1], v[2], v[3], v[4], 1.0, 0.0)};
      },
      x);
  EXPECT_EQ(y[0].to_doubles(), std::vector<double>(8, 3.0));
}

TEST(SoftmaxCrossEntropy, EqualsItsDenseFormToSecondOrder) {
  const auto ids = HostArray::of(Shape{4}, std::vector<int32_t>{2, 0, -1, 5});
  expect_equal(
      [&](const Values& x) {
        return ops::softmax_cross_entropy(x[0], ops::constant(ids));
      },
      [&](const Values& x) {
        const Value hit = ops::one_hot(ops::constant(ids), 5, DType::kF64);
        return -ops::sum(ops::log_softmax(x[0]) * hit, {-1});
      },
      {normal({4, 5}, 1)});
}

TEST(SoftmaxCrossEntropy, KeepsTheLossOf16BitLogitsInF32) {
  for (const DType d : {DType::kBF16, DType::kF16}) {
    const auto y = evaluate_at(
        [](const Values& x) -> Values {
          const Value loss = ops::softmax_cross_entropy(x[0], x[1]);
          return {loss, transforms::gradients(ops::sum(loss), {x[0]})[0]};
        },
        {HostArray::from_doubles({d, {1, 2}}, std::vector<double>{3, 3}),
         HostArray::of(Shape{1}, std::vector<int32_t>{1})});
    EXPECT_EQ(y[0].dtype(), DType::kF32);
    EXPECT_NEAR(y[0].at(0), std::log(2), 1e-6);
    EXPECT_EQ(y[1].dtype(), d);
    EXPECT_NEAR(y[1].at(0), 0.5, 1e-6);
    EXPECT_NEAR(y[1].at(1), -0.5, 1e-6);
  }
}

TEST(MaskedSoftmax, IsZeroWhereNothingIsAllowed) {
  const auto f = [](const Values& v) -> Values {
    const Value p = ops::masked_softmax(v[0], v[1]);
    return {p, transforms::gradients(weighted_sum({p}), {v[0]})[0]};
  };
  const auto y =
      evaluate_at(f,
                  {HostArray::from_doubles({DType::kF64, {2, 2}},
                                           std::vector<double>{1, 2, 0, 50}),
                   HostArray::from_doubles({DType::kBool, {2, 2}},
                                           std::vector<double>{0, 0, 0, 1})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{0, 0, 0, 1}));
  EXPECT_EQ(y[1].to_doubles(), (std::vector<double>{0, 0, 0, 0}));
}

TEST(Softmax, SumsToOneAlongAnyAxisAndSurvivesLargeValues) {
  const auto x = HostArray::from_doubles(
      {DType::kF16, {2, 3}}, std::vector<double>{1, 6e4, 3, 1, 6e4, 5});
  const auto y = evaluate_at(
      [](const Values& v) -> Values {
        return {ops::softmax(v[0], 0),
                ops::softmax(v[0], 1),
                ops::log_softmax(v[0])};
      },
      {x});
  EXPECT_EQ(y[0].at(0), 0.5);
  EXPECT_EQ(y[0].at(1), 0.5);
  EXPECT_NEAR(y[0].at(2) + y[0].at(5), 1, 1e-3);
  EXPECT_EQ(y[1].to_doubles(), (std::vector<double>{0, 1, 0, 0, 1, 0}));
  EXPECT_EQ(y[2].at(1), 0);
}

TEST(Softmax, GradientsOfBothFormsMatchDifferences) {
  for (const int64_t axis : {0, 1}) {
    EXPECT_TRUE(check_grads(
        [axis](const Values& x) {
          return weighted_sum(
              {ops::softmax(x[0], axis), ops::log_softmax(x[0], axis)});
        },
        {normal({3, 4}, 3)},
        3));
  }
}

}  // namespace
}  // namespace kexue::testing
