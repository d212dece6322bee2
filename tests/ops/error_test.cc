// What ops refuse, and how they say it.
#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

constexpr Code kBad = Code::kInvalidArgument;

class OpErrors : public ::testing::Test {
 protected:
  Value input(DType d, const Shape& s) { return g_.input({d, s}); }

  Graph g_;
  ir::Tracing tracing_{g_};
  Value x_ = input(DType::kF32, {2, 3});
  Value n_ = input(DType::kI32, {4});
  Value t_ = input(DType::kBool, {2, 3});
};

TEST_F(OpErrors, ElementwiseShowsBothTypes) {
  EXPECT_ERROR(x_ + input(DType::kF32, {4}),
               kBad,
               "add: shapes [2,3] and [4] do not broadcast");
  EXPECT_ERROR(x_ * input(DType::kF16, {2, 3}),
               kBad,
               "multiply: wants two tensors of one type",
               "f32[2,3] and f16[2,3]");
  EXPECT_ERROR(
      ops::exp(n_), kBad, "exp: wants a float or complex tensor, got i32[4]");
  EXPECT_ERROR(ops::bit_and(x_, x_), kBad, "and: wants integers or bool");
  EXPECT_ERROR(
      ops::pow(n_, n_), kBad, "power: wants a float or complex tensor");
  EXPECT_ERROR(ops::bit_not(x_), kBad, "not: wants integers or bool");
}

TEST_F(OpErrors, BitsRoundingAndBounds) {
  EXPECT_ERROR(ops::shift_left(t_, t_), kBad, "shift_left: wants integers");
  EXPECT_ERROR(ops::shift_right_arithmetic(x_, x_),
               kBad,
               "shift_right_arithmetic: wants integers, got f32[2,3]");
  EXPECT_ERROR(ops::popcnt(t_), kBad, "popcnt: wants integers, got bool[2,3]");
  EXPECT_ERROR(ops::count_leading_zeros(x_), kBad, "wants integers");
  EXPECT_ERROR(ops::bitcast_convert(x_, DType::kI64),
               kBad,
               "bitcast_convert: wants two types of 32 or of 64 bits, to i64, "
               "got f32[2,3]");
  EXPECT_ERROR(ops::bitcast_convert(t_, DType::kU8), kBad, "to u8");
  EXPECT_ERROR(ops::abs(t_), kBad, "abs: wants a float or signed integer");
  EXPECT_ERROR(ops::sign(input(DType::kU32, {})),
               kBad,
               "sign: wants a float or signed integer tensor, got u32[]");
  EXPECT_ERROR(ops::reduce_precision(x_, 0, 7),
               kBad,
               "reduce_precision: wants exponent_bits >= 1",
               "not 0 and 7");
  EXPECT_ERROR(ops::reduce_precision(x_, 5, -1), kBad, "not 5 and -1");
  EXPECT_ERROR(ops::clamp(x_, 2, 1), kBad, "clamp: wants low <= high, got 2");
  EXPECT_ERROR(ops::clamp(x_, NAN, 1), kBad, "clamp: wants low <= high");
  EXPECT_ERROR(ops::round(n_), kBad, "round: wants a float tensor");
  EXPECT_ERROR(ops::erf_inv(n_), kBad, "erf_inv: wants a float tensor");
}

TEST_F(OpErrors, SelectWantsBoolAndOneType) {
  EXPECT_ERROR(ops::select(x_, x_, x_), kBad, "select: wants bool[...]");
  EXPECT_ERROR(ops::select(t_, x_, input(DType::kF64, {2, 3})),
               kBad,
               "two tensors of one type",
               "f64[2,3]");
}

TEST_F(OpErrors, ShapeOps) {
  EXPECT_ERROR(ops::reshape(x_, {4, 2}), kBad, "reshape to [4,2]", "f32[2,3]");
  EXPECT_ERROR(ops::reshape(x_, {4, -1}), kBad, "reshape");
  EXPECT_ERROR(ops::transpose(x_, {0, 0}), kBad, "no permutation");
  EXPECT_ERROR(ops::broadcast_to(x_, {3, 3}), kBad, "cannot broadcast");
  EXPECT_ERROR(ops::broadcast_to(x_, {3}), kBad, "cannot broadcast to [3]");
  EXPECT_ERROR(ops::concatenate({}, 0), kBad, "no parts");
  EXPECT_ERROR(ops::concatenate({x_, input(DType::kF32, {2, 4})}, 0),
               kBad,
               "other dims must agree");
  EXPECT_ERROR(ops::concatenate({x_, input(DType::kF64, {2, 3})}, 0),
               kBad,
               "one dtype and rank");
  EXPECT_ERROR(ops::concatenate({x_, x_}, 2), kBad, "concatenate");
  EXPECT_ERROR(ops::slice(x_, {0, 1}, {2, 4}), kBad, "range 1:4 of axis 1");
  EXPECT_ERROR(ops::slice(x_, {0}, {2}), kBad, "slice: wants start and limit");
  EXPECT_ERROR(ops::pad(x_, {-1, 0}, {0, 0}), kBad, "padding >= 0");
  EXPECT_ERROR(ops::pad(x_, {1}, {0}), kBad, "for every axis");
  EXPECT_ERROR(ops::reverse(x_, {2}), kBad, "reverse");
}

TEST_F(OpErrors, DynamicSlices) {
  const Value at = input(DType::kI32, {});
  EXPECT_ERROR(
      ops::dynamic_slice(x_, {at}, {1, 1}), kBad, "one start per axis");
  EXPECT_ERROR(ops::dynamic_slice(x_, {at, at}, {3, 1}),
               kBad,
               "block [3,1] does not fit");
  EXPECT_ERROR(ops::dynamic_slice(x_, {at, n_}, {1, 1}), kBad, "i32 scalars");
  EXPECT_ERROR(ops::dynamic_slice(x_, {at, at}, {1}), kBad, "does not fit");
  EXPECT_ERROR(
      ops::dynamic_update_slice(x_, input(DType::kF32, {3, 1}), {at, at}),
      kBad,
      "does not fit");
}

TEST_F(OpErrors, Indexing) {
  EXPECT_ERROR(ops::take(x_, x_), kBad, "i32 indices", "f32[2,3] and f32[2,3]");
  EXPECT_ERROR(ops::take(input(DType::kF32, {0, 3}), n_), kBad, "with rows");
  EXPECT_ERROR(ops::scatter_add(x_, n_, x_), kBad, "updates do not fit");
}

TEST_F(OpErrors, FusedOps) {
  const Value g = input(DType::kF32, {4});
  EXPECT_ERROR(ops::layer_norm(x_, g, g, 1e-5),
               kBad,
               "wants x f[...,D], gamma f[D], beta f[D]",
               "f32[2,3] and f32[4]");
  EXPECT_ERROR(ops::group_norm(x_, g, g, 1, 1e-5),
               kBad,
               "wants x f[B,...,C], gamma f[C], beta f[C]",
               "f32[2,3] and f32[4]");
  const Value h = input(DType::kF32, {3});
  for (const int64_t groups : {0, -1, 2}) {
    EXPECT_ERROR(ops::group_norm(x_, h, h, groups, 1e-5),
                 kBad,
                 "cannot make " + std::to_string(groups) + " groups");
  }
  EXPECT_ERROR(ops::group_norm(h, h, h, 1, 1e-5), kBad, "wants x f[B,...,C]");
  EXPECT_ERROR(ops::gelu(n_), kBad, "gelu: wants a float tensor");
  const Value q = input(DType::kF32, {1, 2, 1, 4});
  const Value key = input(DType::kU32, {2});
  EXPECT_ERROR(ops::softmax_cross_entropy(x_, n_),
               kBad,
               "softmax_cross_entropy: wants logits f[...,C], labels i32[...]",
               "f32[2,3] and i32[4]");
  EXPECT_ERROR(ops::softmax_cross_entropy(n_, n_), kBad, "wants a float");
  EXPECT_ERROR(ops::softmax_cross_entropy(x_, input(DType::kI64, {2})),
               kBad,
               "labels i32[...]");
  EXPECT_ERROR(ops::attention(q, q, q, t_, key, 1, 0), kBad, "mask bool[B,S]");
  EXPECT_ERROR(ops::attention(q, q, q, input(DType::kBool, {1, 2}), key, 1, 2),
               kBad,
               "rate 2 is not in [0, 1)");
  const Value k = input(DType::kF32, {1, 3, 1, 4});
  const Value mask = input(DType::kBool, {1, 3});
  EXPECT_ERROR(ops::attention(q, k, k, mask, key, 1, 0, true),
               kBad,
               "causal: wants as many queries as keys");
}

TEST_F(OpErrors, ValuesOfUnrelatedGraphs) {
  Graph other;
  const Value y = other.input({DType::kF32, {2, 3}});
  EXPECT_ERROR(x_ + y, kBad, "two unrelated graphs");
  EXPECT_ERROR(x_ + Value{}, kBad, "empty Value");
}

TEST_F(OpErrors, GradientOfWhatIsNoScalarOrNoFloat) {
  EXPECT_ERROR(transforms::gradients(x_, {x_}),
               kBad,
               "gradient: wants a float scalar, got f32[2,3]",
               "hint: reduce the loss");
  EXPECT_ERROR(transforms::gradients(ops::sum(n_), {x_}),
               kBad,
               "wants a float scalar, got i32[]");
  EXPECT_ERROR(transforms::gradients(ops::sum(x_), {n_}),
               kBad,
               "wants float or complex tensors, got x 0",
               "i32[4]");
}

TEST_F(OpErrors, CotangentsMustFitTheirValues) {
  EXPECT_ERROR(transforms::vjp({x_}, {}, {x_}), kBad, "1 values, 0 cotangents");
  EXPECT_ERROR(transforms::vjp({x_}, {ops::sum(x_)}, {x_}),
               kBad,
               "a cotangent is f32[], its value f32[2,3]");
}

TEST_F(OpErrors, AnUnrelatedInputHasGradientZero) {
  const Value y = input(DType::kF32, {5});
  const Value g = transforms::gradients(ops::sum(x_), {y})[0];
  EXPECT_EQ(g.type(), y.type());
  g_.set_outputs({g});
  const auto out = ir::evaluate(*transforms::simplify(g_),
                                std::vector{HostArray(DType::kF32, {2, 3}),
                                            HostArray(DType::kI32, {4}),
                                            HostArray(DType::kBool, {2, 3}),
                                            HostArray(DType::kF32, {5})});
  EXPECT_EQ(out[0].to_doubles(), std::vector<double>(5, 0.0));
}

// An op as a user might add one: forward only, or with a first derivative that
// ends in an op without one.
constexpr OpDef kNoRule{
    .name = "no_rule",
    .infer = [](const InferContext& c) -> ir::TypeList { return {c.type(0)}; },
};
constexpr OpDef kFirstOrderOnly{
    .name = "first_order_only",
    .infer = [](const InferContext& c) -> ir::TypeList { return {c.type(0)}; },
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy.graph().add(kNoRule, {c.dy * c.x[0]}).out()};
    },
};

TEST_F(OpErrors, MissingDerivativeNamesTheOpAndItsScope) {
  const Value y = [&] {
    const Scope scope("encoder");
    return g_.add(kNoRule, {x_}).out();
  }();
  EXPECT_ERROR(transforms::gradients(ops::sum(y), {x_}),
               Code::kUnsupported,
               "no_rule: no derivative rule",
               "in encoder",
               "stop_gradient");
  const Value stopped = ops::stop_gradient(y) * x_;
  EXPECT_NO_THROW(transforms::gradients(ops::sum(stopped), {x_}));
}

TEST_F(OpErrors, MissingSecondDerivativeNamesTheOp) {
  const Value y = g_.add(kFirstOrderOnly, {x_}).out();
  const Value g = transforms::gradients(ops::sum(y), {x_})[0];
  EXPECT_ERROR(transforms::gradients(ops::sum(g), {x_}),
               Code::kUnsupported,
               "no_rule: no derivative rule");
}

TEST_F(OpErrors, EvaluatingAnOpWithoutARuleNamesIt) {
  g_.set_outputs({g_.add(kNoRule, {x_}).out()});
  EXPECT_ERROR(ir::evaluate(g_,
                            std::vector{HostArray(DType::kF32, {2, 3}),
                                        HostArray(DType::kI32, {4}),
                                        HostArray(DType::kBool, {2, 3})}),
               Code::kUnsupported,
               "no_rule: no host evaluation");
}

}  // namespace
}  // namespace kexue::testing
