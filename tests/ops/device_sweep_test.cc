// Every row of the op sweep, with first gradients, compiled by the plugin and
// compared with the host evaluator, in each float type of the row.
#include <map>
#include <set>

#include "kexue/stablehlo/emitter.h"
#include "kexue/transforms/precision.h"
#include "kexue/transforms/simplify.h"
#include "tests/ops/sweep_rows.h"
#include "tests/pjrt/device_fixture.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

// Without this flag, max and min over an axis may lose a NaN on CPUs.
const pjrt::CompileOptions kOptions = {
    .flags = {{"xla_cpu_enable_fast_min_max", false}}};

// Rows of one op and one float type share a program.
struct Batch {
  Graph graph;
  std::vector<HostArray> args;
  Values outs;
  std::vector<std::string> labels;  // one per output
};

void add_row(Batch& b, const Row& row, DType type) {
  const ir::Tracing tracing(b.graph);
  Values in;
  for (const auto& a : make_inputs(row, type)) {
    in.push_back(b.graph.input(a.type()));
    b.args.push_back(a);
  }
  const Values outs = row.build(in, type);
  const std::string label = row.name + " in " + std::string(kexue::name(type));
  for (size_t i = 0; i < outs.size(); ++i) {
    b.outs.push_back(outs[i]);
    b.labels.push_back(label + ", output " + std::to_string(i));
  }
  if (row.order == 0) return;
  const Values floats = float_values(in);
  const Values grads = transforms::gradients(weighted_sum(outs), floats);
  for (size_t i = 0; i < grads.size(); ++i) {
    b.outs.push_back(grads[i]);
    b.labels.push_back(label + ", gradient " + std::to_string(i));
  }
}

// The compiler may keep more digits than the types between ops have, and its
// functions are not the C library's; both matter most in 16 bits. Relative to
// the largest finite element: gradients are sums with cancellation.
Tolerance device_tolerance(const HostArray& want) {
  const std::map<DType, double> relative = {{DType::kF64, 1e-12},
                                            {DType::kF32, 2e-5},
                                            {DType::kBF16, 4e-2},
                                            {DType::kF16, 5e-3}};
  const auto found = relative.find(want.dtype());
  if (found == relative.end()) return {0, 0};
  double largest = 0;
  for (const double x : want.to_doubles()) {
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  }
  return {found->second, found->second * std::max(largest, 1e-3)};
}

class DeviceSweep : public pjrt::testing::DeviceTest {
 protected:
  std::vector<HostArray> run(const Graph& graph,
                             const std::vector<HostArray>& args) const {
    const auto plain =
        transforms::simplify(*transforms::expand_fused(graph, {}));
    const auto program =
        client().compile(stablehlo::to_module(*plain), kOptions);
    std::vector<pjrt::Buffer> buffers;
    for (const auto& a : args) buffers.push_back(client().to_device(a));
    std::vector<const pjrt::Buffer*> pointers;
    for (const auto& b : buffers) pointers.push_back(&b);
    std::vector<HostArray> out;
    for (const auto& b : program.execute(pointers)) out.push_back(b.to_host());
    return out;
  }

  void compare(Batch& b) const {
    b.graph.set_outputs(b.outs);
    const auto want = ir::evaluate(b.graph, b.args);
    const auto got = run(b.graph, b.args);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(close(got[i], want[i], device_tolerance(want[i])))
          << b.labels[i];
    }
  }

  void sweep(DType type) const {
    std::map<std::string, Batch> batches;
    for (const Row& row : sweep_rows()) {
      if (std::find(row.types.begin(), row.types.end(), type) !=
          row.types.end()) {
        add_row(batches[row.op], row, type);
      }
    }
    for (auto& [op, batch] : batches) {
      SCOPED_TRACE(op);
      try {
        compare(batch);
      } catch (const Error& e) {
        ADD_FAILURE() << e.what();
      }
    }
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
    const auto got = run(*graph, args);
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
