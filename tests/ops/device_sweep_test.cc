// Every row of the op sweep, with first gradients, compiled by the plugin and
// compared with the host evaluator, in each float type of the row.
#include "kexue/transforms/precision.h"
#include "tests/ops/device_check.h"
#include "tests/pjrt/device_fixture.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

class DeviceSweep : public pjrt::testing::DeviceTest {
 protected:
  void sweep(DType type) const {
    const DeviceCounts counts = check_on_device(client(), type);
    EXPECT_GT(counts.values, 0);
    for (const auto& failure : counts.failures) ADD_FAILURE() << failure;
  }
};

TEST_F(DeviceSweep, F64) {
  sweep(DType::kF64);
}
TEST_F(DeviceSweep, F32) {
  sweep(DType::kF32);
}
TEST_F(DeviceSweep, BF16) {
  sweep(DType::kBF16);
}
TEST_F(DeviceSweep, F16) {
  sweep(DType::kF16);
}

// Attention, normalisation, GELU and a loss in a loop over two layers, with
// all gradients, as each precision policy rewrites it.
TEST_F(DeviceSweep, ADifferentiatedModelUnderEveryPolicy) {
  Graph g;
  const ir::Tracing tracing(g);
  const std::vector<HostArray> args = {
      random_normal({DType::kF32, {2, 4, 6}}, Key::from_seed(1)),
      random_normal({DType::kF32, {2, 6, 6}}, Key::from_seed(2)),
      random_normal({DType::kF32, {2, 6}}, Key::from_seed(3)),
      HostArray::from_doubles({DType::kBool, {2, 4}},
                              Doubles{1, 1, 0, 1, 0, 0, 0, 0}),
      HostArray::of<uint32_t>({2}, {1, 2})};
  Values in;
  for (const auto& a : args) in.push_back(g.input(a.type()));
  const auto layer = [&](const Values& c, const Values& p) {
    const Value h = ops::einsum("btd,de->bte", c[0], p[0], p[1]);
    const Value q = ops::reshape(h, {2, 4, 2, 3});
    const Value a = ops::attention(q, q, q, in[3], in[4], 0.5, 0.25);
    const Value r = c[0] + ops::reshape(a, {2, 4, 6});
    const Value y = ops::gelu(ops::layer_norm(r, p[1], p[1], 1e-12));
    return std::pair(Values{y}, Values{});
  };
  const Value y = ops::scan(layer, {in[0]}, {in[1], in[2]}).carry[0];
  const Value loss = -ops::mean(ops::log_softmax(y) * in[0]);
  Values outs = transforms::gradients(loss, {in[0], in[1], in[2]});
  outs.push_back(loss);
  g.set_outputs(outs);
  using transforms::Precision;
  for (const Precision& p :
       {Precision{},
        Precision{.compute = DType::kBF16},
        Precision{.compute = DType::kBF16, .low_glue = true},
        Precision{.compute = DType::kF16, .low_glue = true}}) {
    const auto graph = transforms::apply_precision(g, p);
    const auto want = ir::evaluate(*graph, args);
    const auto got = run_on_device(client(), *graph, args);
    const bool wide = p.compute == DType::kF32;
    for (size_t i = 0; i < want.size(); ++i) {
      double size = 0;
      for (const double v : want[i].to_doubles()) {
        size = std::max(size, std::fabs(v));
      }
      const double t = wide ? 1e-5 : (p.low_glue ? 0.1 : 0.03);
      EXPECT_TRUE(close(got[i], want[i], {t, t * size}))
          << kexue::name(p.compute) << ", low glue " << p.low_glue
          << ", output " << i;
    }
  }
}

}  // namespace
}  // namespace kexue::testing
