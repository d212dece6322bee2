#include "kexue/ops/linalg.h"

#include <gtest/gtest.h>

#include "kexue/ir/graph.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

class Einsum : public ::testing::Test {
 protected:
  Value input(DType d, const Shape& s) { return g_.input({d, s}); }
  Graph g_;
  ir::Tracing tracing_{g_};
};

TEST_F(Einsum, InfersTheShapeFromTheLetters) {
  const Value a = input(DType::kF32, {2, 3, 4});
  const Value b = input(DType::kF32, {4, 5});
  EXPECT_EQ(ops::einsum("btd,de->bte", a, b).type().str(), "f32[2,3,5]");
  EXPECT_EQ(ops::einsum("btd,de->teb", a, b).type().str(), "f32[3,5,2]");
  EXPECT_EQ(ops::matmul(a, b).type().str(), "f32[2,3,5]");
  const Value v = input(DType::kF32, {4});
  EXPECT_EQ(ops::matmul(v, b).type().str(), "f32[5]");
  const Value c = input(DType::kF32, {2, 4, 6});
  EXPECT_EQ(ops::matmul(a, c).type().str(), "f32[2,3,6]");
}

TEST_F(Einsum, Errors) {
  const Value a = input(DType::kF32, {2, 3});
  const Value b = input(DType::kF32, {4, 5});
  const Value h = input(DType::kF16, {3, 5});
  const Value n = input(DType::kI32, {3, 5});
  const auto bad = Code::kInvalidArgument;
  EXPECT_ERROR(ops::einsum("ab,bc->ac", a, b),
               bad,
               "letter 'b' of \"ab,bc->ac\" is both 3 and 4",
               "f32[2,3] and f32[4,5]");
  EXPECT_ERROR(ops::einsum("abc,cd->abd", a, b), bad, "\"abc\" has the wrong");
  EXPECT_ERROR(ops::einsum("ab,bc", a, b), bad, "wants the form");
  EXPECT_ERROR(ops::einsum("ab->ac,bc", a, b), bad, "wants the form");
  EXPECT_ERROR(ops::einsum("aa,ab->b", a, b), bad, "occurs twice in one term");
  EXPECT_ERROR(ops::einsum("ab,bc->acd", a, b), bad, "in no input");
  EXPECT_ERROR(ops::einsum("ab,cd->abd", a, b), bad, "sum it first");
  EXPECT_ERROR(ops::einsum("ab,bc->c", a, b), bad, "sum it first");
  EXPECT_ERROR(ops::einsum("a b,bc->ac", a, b), bad, "wants letters");
  EXPECT_ERROR(ops::einsum("a_,_c->ac", a, b), bad, "wants letters");
  EXPECT_ERROR(ops::einsum("ab,bc->ac", a, h), bad, "of one dtype", "f16[3,5]");
  EXPECT_ERROR(ops::einsum("ab,bc->ac", n, n), bad, "float");
  const Value c = input(DType::kF32, {3, 7});
  EXPECT_ERROR(ops::einsum("ab,bc->ac", a, c, input(DType::kF32, {3})),
               bad,
               "the bias is not the tail of [2,7]");
}

TEST_F(Einsum, ErrorsTellTheScope) {
  const Value a = input(DType::kF32, {2, 3});
  const Scope outer("bert");
  const Scope inner("pooler");
  EXPECT_ERROR(
      ops::einsum("ab,bc->ac", a, a), Code::kInvalidArgument, "in bert/pooler");
}

// The three ways to add up a product of 16-bit numbers. All figures were
// computed with NumPy.
TEST(Dot, OfBfloatsAccumulatesWide) {
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 1; i <= 4096; ++i) {
    x.push_back(std::sin(i));
    y.push_back(std::cos(3.0 * i) + std::sin(i) / 2);
  }
  const auto dot = [](const Values& v) -> Values {
    return {v[0].graph()
                .add(*ops::einsum("a,a->", v[0], v[1]).node()->op,
                     {v[0], v[1]},
                     {{"spec", std::string("a,a->")}, {"dtype", DType::kF32}})
                .out()};
  };
  const auto in = [&](DType d) {
    return std::vector{HostArray::from_doubles({d, {4096}}, x),
                       HostArray::from_doubles({d, {4096}}, y)};
  };
  EXPECT_NEAR(evaluate_at(dot, in(DType::kF64))[0].at(0), 1023.9415, 1e-3);
  EXPECT_NEAR(evaluate_at(dot, in(DType::kBF16))[0].at(0), 1024.120, 0.01);
  // A running sum kept in bf16 stalls far below.
  double stalled = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double p =
        round_to(DType::kBF16,
                 round_to(DType::kBF16, x[i]) * round_to(DType::kBF16, y[i]));
    stalled = round_to(DType::kBF16, stalled + p);
  }
  EXPECT_EQ(stalled, 512);
}

}  // namespace
}  // namespace kexue::testing
