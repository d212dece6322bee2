#include "tests/ops/device_check.h"

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/stablehlo/emitter.h"
#include "kexue/transforms/simplify.h"
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

void add_row(Batch& b, const Row& row, DType type, DeviceCounts& counts) {
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
    ++counts.values;
  }
  if (row.order == 0) return;
  const Values floats = float_values(in);
  const Values grads = transforms::gradients(weighted_sum(outs), floats);
  for (size_t i = 0; i < grads.size(); ++i) {
    b.outs.push_back(grads[i]);
    b.labels.push_back(label + ", gradient " + std::to_string(i));
    ++counts.gradients;
  }
}

void compare(const pjrt::Client& client, Batch& b, DeviceCounts& counts) {
  b.graph.set_outputs(b.outs);
  const auto want = ir::evaluate(b.graph, b.args);
  const auto got = run_on_device(client, b.graph, b.args);
  for (size_t i = 0; i < want.size(); ++i) {
    const auto same = close(got.at(i), want[i], device_tolerance(want[i]));
    if (!same) counts.failures.push_back(b.labels[i] + ": " + same.message());
  }
}

}  // namespace

std::vector<HostArray> run_on_device(const pjrt::Client& client,
                                     const Graph& graph,
                                     const std::vector<HostArray>& args) {
  const auto plain = transforms::simplify(*transforms::expand_fused(graph, {}));
  const auto program = client.compile(stablehlo::to_module(*plain), kOptions);
  std::vector<pjrt::Buffer> buffers;
  for (const auto& a : args) buffers.push_back(client.to_device(a));
  std::vector<const pjrt::Buffer*> pointers;
  for (const auto& b : buffers) pointers.push_back(&b);
  std::vector<HostArray> out;
  for (const auto& b : program.execute(pointers)) out.push_back(b.to_host());
  return out;
}

Tolerance device_tolerance(const HostArray& want) {
  const std::map<DType, double> relative = {{DType::kF64, 1e-12},
                                            {DType::kC128, 1e-12},
                                            {DType::kF32, 2e-5},
                                            {DType::kC64, 2e-5},
                                            {DType::kBF16, 4e-2},
                                            {DType::kF16, 5e-3}};
  const auto found = relative.find(want.dtype());
  if (found == relative.end()) return {0, 0};
  double largest = 0;
  for (const double x : parts(want)) {
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  }
  return {found->second, found->second * std::max(largest, 1e-3)};
}

DeviceCounts check_on_device(const pjrt::Client& client, DType type) {
  DeviceCounts counts;
  std::map<std::string, Batch> batches;
  for (const Row& row : sweep_rows()) {
    if (std::find(row.types.begin(), row.types.end(), type) !=
        row.types.end()) {
      add_row(batches[row.op], row, type, counts);
    }
  }
  for (auto& [op, batch] : batches) {
    try {
      compare(client, batch, counts);
    } catch (const Error& e) {
      counts.failures.push_back(op + ": " + e.what());
    }
  }
  return counts;
}

}  // namespace kexue::testing
