// Compiled programs against the host evaluator.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kexue/ir/graph.h"
#include "kexue/pjrt/client.h"
#include "tests/ops/sweep_rows.h"
#include "tests/support/check_close.h"

namespace kexue::testing {

// The outputs of `graph`, fused ops composed, compiled by the plugin.
std::vector<HostArray> run_on_device(const pjrt::Client& client,
                                     const Graph& graph,
                                     const std::vector<HostArray>& args);

// The compiler may keep more digits than the types between ops have, and its
// functions are not the C library's; both matter most in 16 bits. Relative to
// the largest finite element: gradients are sums with cancellation.
Tolerance device_tolerance(const HostArray& want);

struct DeviceCounts {
  int64_t values = 0;     // outputs compared
  int64_t gradients = 0;  // first gradients compared
  std::vector<std::string> failures;
};

// All rows that have `type`, those of one op in one program, with first
// gradients where the row has derivatives.
DeviceCounts check_on_device(const pjrt::Client& client, DType type);

}  // namespace kexue::testing
