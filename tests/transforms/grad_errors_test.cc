// What a gradient cannot be taken of, each with its own message.
#include <gtest/gtest.h>

#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

ir::TypeList infer_same(const InferContext& c) {
  return {c.type(0)};
}

class GradientErrors : public ::testing::Test {
 protected:
  Graph g_;
  ir::Tracing tracing_{g_};
  Value x_ = g_.input({DType::kF32, {2}}, "x");
  Value w_ = g_.input({DType::kF32, {3}}, "encoder.query");
  Value n_ = g_.input({DType::kI32, {2}}, "n");
};

TEST_F(GradientErrors, OfWhatIsNoScalar) {
  EXPECT_ERROR(transforms::gradients(x_ * x_, {x_}),
               Code::kInvalidArgument,
               "gradient: wants a float scalar, got f32[2]",
               "reduce the loss with sum or mean first");
  EXPECT_ERROR(transforms::gradients(ops::sum(n_), {x_}),
               Code::kInvalidArgument,
               "gradient: wants a float scalar, got i32[]");
}

TEST_F(GradientErrors, ByAnInteger) {
  EXPECT_ERROR(
      transforms::gradients(ops::sum(x_), {n_}),
      Code::kInvalidArgument,
      "gradient: wants float or complex tensors, got x 0, \"n\" i32[2]");
}

TEST_F(GradientErrors, AnIndependentXIsZeroOrAnError) {
  const Value loss = ops::sum(x_ * ops::stop_gradient(ops::sum(w_)));
  const Value d = transforms::gradients(loss, {x_, w_})[1];
  g_.set_outputs({d});
  const std::vector<HostArray> at = {HostArray::of<float>({2}, {1, 2}),
                                     HostArray::of<float>({3}, {1, 2, 3}),
                                     HostArray::of<int32_t>({2}, {1, 2})};
  EXPECT_EQ(ir::evaluate(g_, at)[0].to_doubles(),
            (std::vector<double>{0, 0, 0}));
  EXPECT_ERROR(
      transforms::gradients(loss, {x_, w_}, {.refuse_independent = true}),
      Code::kInvalidArgument,
      "gradient: the loss does not depend on x 1, \"encoder.query\" f32[3]");
  const Scope scope("decoder");
  const Value made = ops::exp(w_);
  EXPECT_ERROR(
      transforms::gradients(loss, {made}, {.refuse_independent = true}),
      Code::kInvalidArgument,
      "gradient: the loss does not depend on x 0, made by exp, f32[3]",
      "in decoder",
      "grad_errors_test.cc:");
}

TEST_F(GradientErrors, AnOpWithoutARuleNamesItselfAndTheOrder) {
  const OpDef bare{.name = "bare", .infer = infer_same};
  EXPECT_ERROR(transforms::gradients(ops::sum(g_.add(bare, {x_}).out()), {x_}),
               Code::kUnsupported,
               "bare: no derivative rule (order 1 is missing)");
}

// The first derivative of this op is there; it calls one that has none.
const OpDef kBareGrad{.name = "smooth_grad", .infer = infer_same};
const OpDef kSmooth{
    .name = "smooth",
    .infer = infer_same,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * c.x[0].graph().add(kBareGrad, {c.x[0]}).out()};
    }};

TEST_F(GradientErrors, TheOrderThatIsMissingMayBeTheSecond) {
  const Value y = ops::sum(g_.add(kSmooth, {x_}).out());
  const Value d = transforms::gradients(y, {x_})[0];
  EXPECT_ERROR(transforms::gradients(ops::sum(d), {x_}),
               Code::kUnsupported,
               "smooth_grad: no derivative rule (order 2 is missing)");
}

TEST_F(GradientErrors, AFirstOrderRuleAtTheSecondOrder) {
  const Value y = ops::custom_vjp(
      [](const Values& v) { return Values{ops::sign(v[0])}; },
      [](const Values& v, const Values&, const Values& dy) {
        return Values{dy[0] * (1.0 - v[0] * v[0])};
      },
      {x_},
      {.name = "straight_through", .first_order_only = true})[0];
  const Value d = transforms::gradients(ops::sum(y), {x_})[0];
  EXPECT_ERROR(transforms::gradients(ops::sum(d), {x_}),
               Code::kUnsupported,
               "straight_through: its rule covers the first derivative only, "
               "order 2 is missing");
}

}  // namespace
}  // namespace kexue::testing
