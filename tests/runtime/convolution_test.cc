// Convolutions as kernels give what the compiler's own convolutions give:
// value, gradient and second gradient.
#include <cmath>
#include <string>
#include <vector>

#include "kexue/kernels/convolution.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/grad.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/session_fixture.h"

namespace kexue::runtime {
namespace {

using namespace kexue::ir;  // operators on Value

class ConvolutionCalls : public testing::SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    if (IsSkipped()) return;
    if (!kernels::has_convolution()) GTEST_SKIP() << "built without oneDNN";
  }
};

// y, its loss's gradients, and those of the gradients' squares.
Values all_orders(const Values& in, const ops::ConvOptions& options) {
  const Value y = ops::conv2d(in[0], in[1], options);
  const Values first = transforms::gradients(ops::sum(y * ops::sin(y)), in);
  const Value size =
      ops::sum(first[0] * first[0]) + ops::sum(first[1] * first[1]);
  const Values second = transforms::gradients(size, in);
  return {y, first[0], first[1], second[0], second[1]};
}

void expect_close(const HostArray& got, const HostArray& want, double t) {
  double largest = 0;
  for (const double v : want.to_doubles()) {
    largest = std::max(largest, std::fabs(v));
  }
  EXPECT_TRUE(testing::close(got, want, {t, t * largest}));
}

TEST_F(ConvolutionCalls, AgreeWithTheCompilerInEveryOrder) {
  const std::vector<TensorType> types = {{DType::kF32, {9, 12, 11, 8}},
                                         {DType::kF32, {3, 3, 8, 16}}};
  std::vector<HostArray> args;
  for (const auto& t : types) {
    args.push_back(testing::random_normal(t, Key::from_seed(args.size())));
  }
  SessionOptions plain_options;
  plain_options.use_kernels = false;
  const Session plain(plain_options);
  for (const auto& [options, calls] :
       {std::pair<ops::ConvOptions, size_t>({.padding = ops::Padding::same()},
                                            7),
        // The input's gradient is none of the kernels' forms here.
        {{.strides = {2, 2}, .padding = ops::Padding::same()}, 4}}) {
    const auto graph =
        trace([&](const Values& in) { return all_orders(in, options); }, types);
    for (const DType compute : {DType::kF32, DType::kBF16}) {
      CompileOptions how;
      how.compute = compute;
      const auto fast = session().compile(*graph, how);
      const auto slow = plain.compile(*graph, how);
      EXPECT_GE(fast.stats().kernel_calls, calls);
      EXPECT_EQ(slow.stats().kernel_calls, 0U);
      const auto got = session().run(fast, args);
      const auto want = plain.run(slow, args);
      for (size_t i = 0; i < want.size(); ++i) {
        SCOPED_TRACE(i);
        expect_close(got[i], want[i], compute == DType::kF32 ? 2e-5 : 2e-2);
      }
    }
  }
}

}  // namespace
}  // namespace kexue::runtime
