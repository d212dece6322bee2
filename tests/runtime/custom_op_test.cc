// An op that the library does not know, with a kernel of its own.
#include <gtest/gtest.h>

#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/stablehlo/emitter.h"
#include "kexue/transforms/grad.h"
#include "tests/support/check_close.h"
#include "tests/support/session_fixture.h"

namespace kexue::runtime {
namespace {

// y = 2 x. The kernel adds 1000, which tells the two apart.
constexpr OpDef kTwice{
    .name = "twice",
    .infer = [](const InferContext& c) -> ir::TypeList { return {c.type(0)}; },
    .lower = [](stablehlo::Emitter& e,
                const Node& n) { e.custom_call(n, "test_twice", ""); },
    .compose = [](const Node&, const Values& in) -> Values {
      return {in[0] + in[0]};
    },
    .kernel = [](const Node& n) -> std::string_view {
      return n.types[0].dtype == DType::kF32 ? "test_twice" : "";
    },
};

void twice(const pjrt::FfiCall& call) {
  const auto& x = call.args()[0];
  for (int64_t i = 0; i < x.dims[0]; ++i) {
    static_cast<float*>(call.results()[0].data)[i] =
        2 * static_cast<const float*>(x.data)[i] + 1000;
  }
}

Values value_and_slope(const Values& x) {
  const Value y = x[0].graph().add(kTwice, {x[0]}).out();
  return {y, transforms::gradients(ops::sum(y * y), {x[0]})[0]};
}

class CustomOp : public testing::SessionTest {
 protected:
  static std::vector<HostArray> run(bool use_kernels, DType dtype) {
    const Session session({.use_cache = false,
                           .use_kernels = use_kernels,
                           .kernels = {pjrt::ffi_target<twice>("test_twice")}});
    const auto x = HostArray::of<float>({2}, std::vector<float>{1, -3});
    return jit(session, value_and_slope)({x.cast(dtype)});
  }
};

TEST_F(CustomOp, RunsItsKernel) {
  const auto out = run(true, DType::kF32);
  EXPECT_EQ(out[0].to_doubles(), (std::vector<double>{1002, 994}));
  // The kernel's y, times the slope 2 of the composition, twice.
  EXPECT_EQ(out[1].to_doubles(), (std::vector<double>{4008, 3976}));
}

TEST_F(CustomOp, IsItsCompositionWhereTheKernelDoesNotFit) {
  for (const auto& out : {run(false, DType::kF32), run(true, DType::kF64)}) {
    EXPECT_EQ(out[0].to_doubles(), (std::vector<double>{2, -6}));
    EXPECT_EQ(out[1].to_doubles(), (std::vector<double>{8, -24}));
  }
}

}  // namespace
}  // namespace kexue::runtime
