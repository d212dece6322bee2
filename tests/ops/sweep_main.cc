// `./dev sweep [OP...]`: every row of the op sweep, with its counts.
//
// Value: an independent formula, f64, host evaluator. Gradient and second
// order: central differences along random directions, f64. Then each row and
// its first gradients, compiled by the plugin, against the evaluator.
#include <cstdio>
#include <set>

#include "kexue/ops/op_table.h"
#include "tests/ops/device_check.h"
#include "tests/pjrt/device_fixture.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

struct HostCounts {
  int64_t values = 0;
  int64_t gradients = 0;
  int64_t second = 0;
  std::vector<std::string> failures;
};

::testing::AssertionResult value_matches(const Row& row) {
  const auto x = make_inputs(row, DType::kF64);
  std::vector<Doubles> raw;
  for (const auto& a : x) raw.push_back(parts(a));
  const auto got = evaluate_at(
      [&](const Values& v) { return row.build(v, DType::kF64); }, x)[0];
  const auto want = from_parts(got.type(), row.want(raw));
  const bool wide = is_inexact(got.dtype());
  return close(got, want, wide ? Tolerance{1e-12, 1e-12} : Tolerance{0, 0});
}

void check_row(const Row& row, HostCounts& counts) {
  const auto note = [&](const char* what,
                        const ::testing::AssertionResult& result) {
    if (!result) {
      counts.failures.push_back(row.name + ", " + what + ": " +
                                result.message());
    }
  };
  try {
    if (row.want) {
      ++counts.values;
      note("value", value_matches(row));
    }
    if (row.order == 0) return;
    ++counts.gradients;
    if (row.order > 1) ++counts.second;
    const auto f = [&](const Values& x) {
      return weighted_sum(row.build(x, DType::kF64));
    };
    note("gradient", check_grads(f, make_inputs(row, DType::kF64), row.order));
  } catch (const Error& e) {
    counts.failures.push_back(row.name + ": " + e.what());
  }
}

size_t report(const char* title, const std::vector<std::string>& failures) {
  for (const auto& f : failures) std::printf("FAILED %s\n", f.c_str());
  std::printf("%s: %zu failures\n", title, failures.size());
  return failures.size();
}

int sweep() {
  std::set<std::string> with_rows;
  HostCounts host;
  for (const Row& row : sweep_rows()) {
    with_rows.insert(row.op);
    check_row(row, host);
  }
  size_t failed = 0;
  for (const OpDef* op : ops::op_table()) {
    if (with_rows.contains(std::string(op->name))) continue;
    std::printf("FAILED %s: op without a row\n", op->name.data());
    ++failed;
  }
  std::printf(
      "ops %zu, rows %zu\n", ops::op_table().size(), sweep_rows().size());
  std::printf("host: value %ld, gradient %ld, second order %ld\n",
              static_cast<long>(host.values),
              static_cast<long>(host.gradients),
              static_cast<long>(host.second));
  failed += report("host", host.failures);
  const std::string path = pjrt::testing::plugin_path();
  if (path.empty()) {
    std::printf("device: skipped, no PJRT plugin found\n");
    return failed == 0 ? 0 : 1;
  }
  const auto client = pjrt::Client::create(pjrt::Plugin::load(path));
  for (const DType type :
       {DType::kF64, DType::kF32, DType::kBF16, DType::kF16}) {
    const DeviceCounts counts = check_on_device(client, type);
    std::printf("device %s: value %ld, gradient %ld\n",
                kexue::name(type).data(),
                static_cast<long>(counts.values),
                static_cast<long>(counts.gradients));
    failed += report("device", counts.failures);
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kexue::testing

int main() {
  return kexue::testing::sweep();
}
