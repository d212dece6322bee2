#include "kexue/runtime/op_by_op.h"

#include <utility>
#include <vector>

#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/grad.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"
#include "tests/support/session_fixture.h"

namespace kexue::runtime {
namespace {

using OpByOpDevice = testing::SessionTest;
using namespace kexue::ir;  // operators on Value

const std::vector<TensorType> kTypes = {{DType::kF32, {8, 16}},
                                        {DType::kF32, {16, 4}}};

HostArray ramp(const TensorType& type) {
  HostArray a(type);
  auto values = a.mutable_span<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.03F * static_cast<float>(i % 17) - 0.2F;
  }
  return a;
}

std::vector<HostArray> run(const Session& session,
                           const OpByOp& ops,
                           const std::vector<HostArray>& args) {
  std::vector<DeviceArray> buffers;
  for (const auto& a : args) buffers.push_back(session.to_device(a));
  std::vector<const DeviceArray*> pointers;
  for (const auto& b : buffers) pointers.push_back(&b);
  std::vector<HostArray> out;
  for (const auto& b : ops.run(pointers)) out.push_back(b.to_host());
  return out;
}

// A loss, its gradients, an input as it came, a constant, one value twice, and
// a loop that is too long to be unrolled.
Values many_outputs(const Values& in) {
  const Value h = ops::gelu(ops::matmul(in[0], in[1]));
  const Value loss = ops::mean(h * ops::softmax(h));
  const Values grads = transforms::gradients(loss, in);
  const auto halve = [](const Values& carry, const Values&) {
    return std::pair<Values, Values>{{carry[0] * 0.5F}, {}};
  };
  const Value halved = ops::scan(halve, {h}, {}, {.length = 40}).carry[0];
  return {
      loss, grads[0], grads[1], in[0], ops::full_like(h, 2.5), loss, halved};
}

TEST_F(OpByOpDevice, GivesWhatTheWholeGraphGives) {
  const auto graph = trace(many_outputs, kTypes);
  const std::vector<HostArray> args = {ramp(kTypes[0]), ramp(kTypes[1])};
  for (const DType compute : {DType::kF32, DType::kBF16}) {
    CompileOptions options;
    options.compute = compute;
    const auto want = session().run(session().compile(*graph, options), args);
    const OpByOp ops(session(), *graph, options);
    for (int time = 0; time < 2; ++time) {  // nothing is used up
      const auto got = run(session(), ops, args);
      ASSERT_EQ(got.size(), want.size());
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_TRUE(testing::close(got[i], want[i], {1e-4, 1e-6}))
            << "output " << i << " in " << name(compute);
      }
    }
  }
}

TEST_F(OpByOpDevice, EqualOpsShareAProgram) {
  const auto graph = trace(
      [](const Values& in) -> Values {
        Value x = in[0];
        for (int i = 0; i < 5; ++i) x = ops::tanh(x);
        return {x};
      },
      {kTypes[0]});
  const OpByOp ops(session(), *graph);
  EXPECT_EQ(ops.ops(), 5U);
  EXPECT_EQ(ops.programs(), 1U);
}

TEST_F(OpByOpDevice, AnotherNumberOfArgumentsIsRefused) {
  const auto graph =
      trace([](const Values& in) -> Values { return {in[0] + in[1]}; },
            {kTypes[0], kTypes[0]});
  const OpByOp ops(session(), *graph);
  EXPECT_ERROR(ops.run({}), Code::kInvalidArgument, "2 inputs, got 0");
}

}  // namespace
}  // namespace kexue::runtime
