// Results that kernels round themselves: which, and that no number changes.
#include "kexue/transforms/narrow.h"

#include <gtest/gtest.h>

#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using transforms::narrow_results;

const std::vector<std::string> kKernels = {
    "kexue_gelu", "kexue_matmul", "kexue_column_sum"};

class Narrow : public ::testing::Test {
 protected:
  // The type of the first node of this op after the transform.
  DType type_of(const OpDef& op, const std::vector<std::string>& kernels) {
    const auto made = transforms::simplify(*narrow_results(g_, kernels));
    for (const auto& n : made->nodes()) {
      if (n->op == &op) return n->types[0].dtype;
    }
    ADD_FAILURE() << "no " << op.name;
    return DType::kBool;
  }
  static Value low(const Value& x) { return ops::convert(x, DType::kBF16); }

  Graph g_;
  ir::Tracing tracing_{g_};
  Value x_ = g_.input({DType::kF32, {4, 6}});
};

TEST_F(Narrow, AResultThatIsOnlyRoundedIsWrittenRounded) {
  const Value y = ops::gelu(x_);
  g_.set_outputs(
      {low(y), low(ops::transpose(ops::reshape(y, {6, 4}), {1, 0}))});
  EXPECT_EQ(type_of(ops::kGelu, kKernels), DType::kBF16);
  const auto made = transforms::simplify(*narrow_results(g_, kKernels));
  for (const auto& n : made->nodes()) EXPECT_NE(n->op, &ops::kConvert);
  const std::vector<HostArray> at = {
      random_normal({DType::kF32, {4, 6}}, Key::from_seed(1))};
  const auto want = ir::evaluate(g_, at);
  const auto got = ir::evaluate(*made, at);
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(got[i].identical(want[i]));
}

TEST_F(Narrow, AResultThatIsReadInFullStaysWide) {
  const Value y = ops::gelu(x_);
  g_.set_outputs({low(y), ops::reshape(y, {24})});
  EXPECT_EQ(type_of(ops::kGelu, kKernels), DType::kF32);
  g_.set_outputs({low(y), y});
  EXPECT_EQ(type_of(ops::kGelu, kKernels), DType::kF32);
  g_.set_outputs({low(y), ops::convert(y, DType::kF16)});
  EXPECT_EQ(type_of(ops::kGelu, kKernels), DType::kF32);
  g_.set_outputs({low(y), ops::exp(y)});
  EXPECT_EQ(type_of(ops::kGelu, kKernels), DType::kF32);
}

TEST_F(Narrow, OpsWithoutAKernelForItAreLeftAlone) {
  const Value y = ops::gelu(x_);
  g_.set_outputs({low(y)});
  EXPECT_EQ(type_of(ops::kGelu, {}), DType::kF32);
  g_.set_outputs({ops::convert(y, DType::kF16)});
  EXPECT_EQ(type_of(ops::kGelu, kKernels), DType::kF32);
  g_.set_outputs({low(ops::exp(x_))});
  EXPECT_EQ(type_of(ops::kExp, kKernels), DType::kF32);
}

TEST_F(Narrow, ReachesTheBodiesOfLoops) {
  const auto body = [](const Values& carry, const Values&) {
    const Value z = low(ops::gelu(carry[0]));
    return std::pair<Values, Values>{{ops::convert(z, DType::kF32)}, {}};
  };
  const Value y = ops::scan(body, {x_}, {}, {.length = 3}).carry[0];
  g_.set_outputs({y});
  const auto made = narrow_results(g_, kKernels);
  int seen = 0;
  for (const auto& n : made->nodes()) {
    for (const auto& r : n->regions) {
      for (const auto& m : r->nodes()) {
        if (m->op != &ops::kGelu) continue;
        EXPECT_EQ(m->types[0].dtype, DType::kBF16);
        ++seen;
      }
    }
  }
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace kexue::testing
