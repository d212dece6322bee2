// The precision policy: which op runs in which type, and what that does to
// numbers, against roundings done by hand.
#include "kexue/transforms/precision.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/print.h"
#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using transforms::apply_precision;
using transforms::Precision;
using Pair = std::pair<Values, Values>;

constexpr Precision kWideGlue{.compute = DType::kBF16, .low_glue = false};
constexpr Precision kLowGlue{.compute = DType::kBF16, .low_glue = true};
constexpr Precision kHalf{.compute = DType::kF16, .low_glue = true};

HostArray f32(const Shape& shape, const std::vector<double>& v) {
  return HostArray::from_doubles({DType::kF32, shape}, v);
}

HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF32, shape}, Key::from_seed(seed));
}

class Policy : public ::testing::Test {
 protected:
  Value input(const Shape& s, DType d = DType::kF32) {
    return g_.input({d, s});
  }
  // A product of two new inputs.
  Value product(const Shape& a, const Shape& b) {
    const Value x = input(a);
    return ops::matmul(x, input(b));
  }
  // The type of the first output of the n-th node of this op.
  static DType type_of(const Graph& g, const OpDef& op, int n = 0) {
    for (const auto& node : g.nodes()) {
      if (node->op == &op && n-- == 0) return node->types[0].dtype;
    }
    ADD_FAILURE() << "no " << op.name;
    return DType::kBool;
  }
  static DType input_of(const Graph& g, const OpDef& op, size_t i = 0) {
    for (const auto& node : g.nodes()) {
      if (node->op == &op) return node->inputs[i].dtype();
    }
    ADD_FAILURE() << "no " << op.name;
    return DType::kBool;
  }
  std::unique_ptr<Graph> apply(const Precision& p) {
    auto made = apply_precision(g_, p);
    ir::verify(*made);
    // Masters: inputs and outputs keep their types.
    for (size_t i = 0; i < g_.inputs().size(); ++i) {
      EXPECT_EQ(made->inputs()[i].type(), g_.inputs()[i].type());
    }
    for (size_t i = 0; i < g_.outputs().size(); ++i) {
      EXPECT_EQ(made->outputs()[i].type(), g_.outputs()[i].type());
    }
    return made;
  }

  Graph g_;
  ir::Tracing tracing_{g_};
};

TEST_F(Policy, F32IsTheSameGraph) {
  const Value x = input({2, 3});
  g_.set_outputs({ops::softmax(ops::matmul(x, input({3, 3})))});
  EXPECT_EQ(ir::print(*apply({})), ir::print(g_));
  EXPECT_EQ(ir::print(*apply({.compute = DType::kF32, .low_glue = true})),
            ir::print(g_));
}

TEST_F(Policy, ProductsRunInTheComputeTypeAndTheBiasStaysWide) {
  const Value x = input({2, 3});
  const Value w = input({3, 4});
  g_.set_outputs({ops::einsum("ab,bc->ac", x, w, input({4})) * 2.0});
  const auto wide = apply(kWideGlue);
  EXPECT_EQ(input_of(*wide, ops::kMatmul, 0), DType::kBF16);
  EXPECT_EQ(input_of(*wide, ops::kMatmul, 1), DType::kBF16);
  EXPECT_EQ(input_of(*wide, ops::kMatmul, 2), DType::kF32);
  EXPECT_EQ(type_of(*wide, ops::kMatmul), DType::kF32);
  EXPECT_EQ(type_of(*wide, ops::kMultiply), DType::kF32);
  const auto low = apply(kLowGlue);
  EXPECT_EQ(type_of(*low, ops::kMatmul), DType::kBF16);
  EXPECT_EQ(type_of(*low, ops::kMultiply), DType::kBF16);
}

TEST_F(Policy, SumsExponentialsAndStatisticsStayInF32) {
  const Value h = product({2, 3}, {3, 4});
  const Value w = input({4});
  g_.set_outputs({ops::sum(h),
                  ops::exp(h),
                  ops::layer_norm(h, w, w, 1e-12),
                  ops::sqrt(h),
                  ops::variance(h, {1}),
                  ops::norm(h)});
  const auto low = apply(kLowGlue);
  for (const OpDef* op : {&ops::kSum,
                          &ops::kExp,
                          &ops::kLayerNorm,
                          &ops::kSqrt,
                          &ops::kSubtract,
                          &ops::kMultiply}) {
    EXPECT_EQ(type_of(*low, *op), DType::kF32) << op->name;
    EXPECT_EQ(input_of(*low, *op), DType::kF32) << op->name;
  }
}

TEST_F(Policy, SoftmaxAndCrossEntropyStayInF32) {
  const Value h = product({2, 3}, {3, 4});
  const Value label = input({2}, DType::kI32);
  const Value picked = ops::log_softmax(h) * ops::one_hot(label, 4, h.dtype());
  g_.set_outputs({-ops::sum(picked), ops::softmax(h)});
  const auto low = apply(kLowGlue);
  for (const auto& n : low->nodes()) {
    if (n->op == &ops::kSubtract || n->op == &ops::kMax ||
        n->op == &ops::kDivide || n->op == &ops::kLog) {
      EXPECT_EQ(n->types[0].dtype, DType::kF32) << n->op->name;
    }
  }
}

TEST_F(Policy, IntegersAndF64AreLeftAlone) {
  const Value n = input({3}, DType::kI32);
  const Value d = input({3, 3}, DType::kF64);
  const Value h = product({3, 3}, {3, 3});
  g_.set_outputs(
      {n * 2.0, ops::matmul(d, d) * 2.0, ops::convert(h, DType::kF64) + d});
  const auto low = apply(kLowGlue);
  EXPECT_EQ(type_of(*low, ops::kMatmul, 1), DType::kF64);
  EXPECT_EQ(type_of(*low, ops::kMultiply, 0), DType::kI32);
  EXPECT_EQ(type_of(*low, ops::kMultiply, 1), DType::kF64);
  EXPECT_EQ(type_of(*low, ops::kAdd), DType::kF64);
}

TEST_F(Policy, BodiesOfLoopsAreRewrittenBehindAnF32Signature) {
  const Value w = input({3, 3});
  const auto r = ops::scan(
      [&](const Values& c, const Values&) {
        const Value h = ops::tanh(ops::matmul(c[0], w));
        return Pair{{h}, {ops::sum(h)}};
      },
      {input({2, 3})},
      {},
      {.length = 2});
  g_.set_outputs({r.carry[0], r.ys[0]});
  const auto low = apply(kLowGlue);
  const Node* loop = nullptr;
  for (const auto& n : low->nodes()) {
    if (n->op == &ops::kScan) loop = n.get();
  }
  ASSERT_NE(loop, nullptr);
  const Graph& body = *loop->regions[0];
  EXPECT_EQ(type_of(body, ops::kMatmul), DType::kBF16);
  EXPECT_EQ(type_of(body, ops::kTanh), DType::kBF16);
  EXPECT_EQ(type_of(body, ops::kSum), DType::kF32);
  for (const Value& v : body.inputs()) EXPECT_EQ(v.dtype(), DType::kF32);
  for (const Value& v : body.outputs()) EXPECT_EQ(v.dtype(), DType::kF32);
}

TEST_F(Policy, CrossEntropyReadsLowLogitsAndGivesThemLowSlopes) {
  const Value logits = product({3, 4}, {4, 5});
  const Value loss =
      ops::sum(ops::softmax_cross_entropy(logits, input({3}, DType::kI32)));
  const Values grads = transforms::gradients(loss, {g_.inputs()[0]});
  g_.set_outputs({loss, grads[0]});
  const auto low = apply_precision(g_, kLowGlue);
  EXPECT_EQ(input_of(*low, ops::kSoftmaxCrossEntropy), DType::kBF16);
  EXPECT_EQ(type_of(*low, ops::kSoftmaxCrossEntropy), DType::kF32);
  EXPECT_EQ(type_of(*low, ops::kSoftmaxCrossEntropyGrad), DType::kBF16);
  EXPECT_EQ(low->outputs()[0].dtype(), DType::kF32);
  const auto wide = apply_precision(g_, kWideGlue);
  EXPECT_EQ(input_of(*wide, ops::kSoftmaxCrossEntropy), DType::kF32);
  EXPECT_EQ(type_of(*wide, ops::kSoftmaxCrossEntropyGrad), DType::kF32);
}

TEST_F(Policy, GradientsArriveInF32ThroughTheCasts) {
  const Value x = input({2, 3});
  const Value w = input({3, 4});
  const Value loss = ops::sum(ops::gelu(ops::matmul(x, w)));
  g_.set_outputs(transforms::gradients(loss, {w}));
  for (const Precision& p : {kWideGlue, kLowGlue, kHalf}) {
    const auto made = transforms::simplify(*apply(p));
    const std::vector<HostArray> at = {normal({2, 3}, 1), normal({3, 4}, 2)};
    const auto exact = ir::evaluate(g_, at)[0];
    const auto got = ir::evaluate(*made, at)[0];
    EXPECT_TRUE(close(got, exact, {3e-2, 3e-2}));
    EXPECT_FALSE(got.identical(exact));
  }
}

TEST_F(Policy, ADifferentiatedTransformerBlockIsLegalEverywhere) {
  const Value x = input({2, 4, 6});
  const Value w = input({6, 6});
  const Value b = input({6});
  const Value mask = input({2, 4}, DType::kBool);
  const Value key = input({2}, DType::kU32);
  const Value h = ops::einsum("btd,de->bte", x, w, b);
  const Value q = ops::reshape(h, {2, 4, 2, 3});
  const Value a = ops::attention(q, q, q, mask, key, 0.5, 0.1);
  const Value r = x + ops::dropout(ops::reshape(a, {2, 4, 6}), key, 0.1);
  const Value y = ops::gelu(ops::layer_norm(r, b, b, 1e-12));
  const Value loss = ops::mean(ops::log_softmax(y) * x);
  Values outs = transforms::gradients(loss, {x, w, b});
  outs.push_back(loss);
  g_.set_outputs(outs);
  const std::vector<HostArray> at = {
      normal({2, 4, 6}, 1),
      normal({6, 6}, 2),
      normal({6}, 3),
      HostArray::from_doubles({DType::kBool, {2, 4}},
                              std::vector<double>{1, 1, 0, 1, 0, 0, 0, 0}),
      HostArray::of<uint32_t>({2}, {1, 2})};
  const auto exact = ir::evaluate(g_, at);
  for (const Precision& p : {kWideGlue, kLowGlue, kHalf}) {
    const auto made = apply(p);
    ir::verify(*transforms::expand_fused(*made, {}));
    const auto got = ir::evaluate(*transforms::simplify(*made), at);
    for (size_t i = 0; i < exact.size(); ++i) {
      double size = 0;
      for (const double v : exact[i].to_doubles()) {
        size = std::max(size, std::fabs(v));
      }
      EXPECT_TRUE(close(got[i], exact[i], {0.1, 0.1 * size}));
    }
  }
}

// ---- numbers ----------------------------------------------------------------

TEST_F(Policy, ProductsRoundInputsThenTheSumOnce) {
  const Value a = input({1, 3});
  const Value b = input({3, 1});
  g_.set_outputs({ops::matmul(a, b)});
  const std::vector<double> x = {0.1, 3.14159265, 257};
  const std::vector<double> y = {1.00390625, -0.7, 1.01171875};
  for (const DType d : {DType::kBF16, DType::kF16}) {
    double sum = 0;
    for (size_t i = 0; i < 3; ++i) {
      const double p = round_to(d, round_to(DType::kF32, x[i])) *
                       round_to(d, round_to(DType::kF32, y[i]));
      sum += p;
    }
    const std::vector<HostArray> at = {f32({1, 3}, x), f32({3, 1}, y)};
    const auto wide = ir::evaluate(*apply({.compute = d}), at)[0];
    EXPECT_EQ(wide.at(0), round_to(DType::kF32, sum));
    const auto low =
        ir::evaluate(*apply({.compute = d, .low_glue = true}), at)[0];
    EXPECT_EQ(low.at(0), round_to(d, sum));
  }
}

TEST_F(Policy, HalvesOverflowInProductsButNotInStatistics) {
  const Value x = input({2, 2});
  const Value one = input({2, 2});
  const Value h = ops::matmul(x, one);  // x itself, in f16
  const Value gamma = input({2});
  const Value beta = input({2});
  g_.set_outputs({ops::variance(h),
                  ops::norm(h),
                  h * h,
                  ops::layer_norm(h, gamma, beta, 1e-12)});
  const auto y = ir::evaluate(*apply(kHalf),
                              std::vector{f32({2, 2}, {300, -300, -300, 300}),
                                          f32({2, 2}, {1, 0, 0, 1}),
                                          f32({2}, {1, 1}),
                                          f32({2}, {0, 0})});
  EXPECT_EQ(y[0].at(0), 90000);
  EXPECT_EQ(y[1].at(0), 600);
  EXPECT_EQ(y[2].at(0), INFINITY);  // glue does overflow: that is the policy
  EXPECT_EQ(y[3].to_doubles(), (std::vector<double>{1, -1, -1, 1}));
}

TEST_F(Policy, AConstantRowOfHalvesIsNormalisedToZeros) {
  const Value h = product({1, 1}, {1, 4});
  const Value gamma = input({4});
  const Value beta = input({4});
  g_.set_outputs({ops::layer_norm(h, gamma, beta, 1e-12)});
  const auto y = ir::evaluate(*apply(kHalf),
                              std::vector{f32({1, 1}, {7}),
                                          f32({1, 4}, {1, 1, 1, 1}),
                                          f32({4}, {1, 1, 1, 1}),
                                          f32({4}, {0, 0, 0, 0})});
  EXPECT_EQ(y[0].to_doubles(), std::vector<double>(4, 0.0));
}

TEST_F(Policy, SoftmaxOfLargeHalvesIsFinite) {
  const Value h = product({1, 1}, {1, 3});
  g_.set_outputs({ops::softmax(h), ops::log_softmax(h)});
  const auto y = ir::evaluate(
      *apply(kHalf),
      std::vector{f32({1, 1}, {1}), f32({1, 3}, {60000, 11, -60000})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{1, 0, 0}));
  EXPECT_EQ(y[1].at(1), -59989);
}

TEST_F(Policy, SmallGradientsFlushInHalvesOnly) {
  // d/dx of (x w) c with c = 1e-8 passes the product's f16 cotangent.
  const Value x = input({1, 1});
  const Value w = input({1, 1});
  const Value loss = ops::sum(ops::matmul(x, w)) * 1e-8;
  g_.set_outputs(transforms::gradients(loss, {x}));
  const std::vector<HostArray> at = {f32({1, 1}, {1}), f32({1, 1}, {1})};
  EXPECT_EQ(ir::evaluate(*apply(kHalf), at)[0].at(0), 0);
  EXPECT_NEAR(ir::evaluate(*apply(kLowGlue), at)[0].at(0), 1e-8, 1e-10);
}

// ---- what is refused --------------------------------------------------------

TEST_F(Policy, AnEpsThatHalvesFlushIsRefusedInGlue) {
  const Value h = product({2, 2}, {2, 2});
  g_.set_outputs({h * h + 1e-12});
  EXPECT_ERROR(apply(kHalf),
               Code::kInvalidArgument,
               "constant 1e-12 becomes 0 in f16",
               "in add at precision_test.cc:",
               "bf16 keeps it");
  apply(kLowGlue);
}

TEST_F(Policy, ALargeNumberIsNoInfinityInHalves) {
  const Value h = product({2, 2}, {2, 2});
  g_.set_outputs({h - 1e12});
  EXPECT_ERROR(apply(kHalf),
               Code::kInvalidArgument,
               "becomes infinite in f16",
               "select(mask, x, -inf)");
  apply(kLowGlue);
}

TEST_F(Policy, SmallConstantsInF32AndInfinitiesAreFine) {
  const Value h = product({2, 2}, {2, 2});
  g_.set_outputs({ops::variance(h) + 1e-12,
                  ops::maximum(h, ops::full_like(h, -INFINITY))});
  apply(kHalf);
}

TEST_F(Policy, IntegersMustNotBecome16BitFloats) {
  const Value ids = input({4}, DType::kI32);
  g_.set_outputs({ops::convert(ids, DType::kBF16)});
  EXPECT_ERROR(apply(kLowGlue),
               Code::kInvalidArgument,
               "i32[4] is cast to bf16, which cannot count beyond 256",
               "convert to f32");
}

TEST_F(Policy, IntegersAsF32AndMasksIn16BitsAreFine) {
  const Value ids = input({4}, DType::kI32);
  const Value mask = input({4}, DType::kBool);
  g_.set_outputs(
      {ops::convert(ids, DType::kF32), ops::convert(mask, DType::kF16)});
  apply(kHalf);
}

}  // namespace
}  // namespace kexue::testing
