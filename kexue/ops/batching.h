// Running a graph on many examples at once. transforms/batch.h is the public
// face; structured ops (scan) and fused ops need it for their rules.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/ir/graph.h"

namespace kexue::ops {

// Values of a batched program: those that differ from example to example have
// a leading axis over the examples.
struct Batched {
  Values values;
  std::vector<bool> batched;
};

// The outputs of `graph` for `size` examples, written into `into` node by node
// with each op's batch rule. args: one value for each input of the graph.
// Nodes that depend on no batched argument are copied once.
Batched batch_graph(const Graph& graph,
                    const Batched& args,
                    int64_t size,
                    Graph& into);

// Which outputs batch_graph would give a leading axis.
std::vector<bool> batched_outputs(const Graph& graph,
                                  const std::vector<bool>& batched_inputs);

// The rule of an op that has none: its composition, or a loop over examples.
Values batch_composition(const BatchContext& c);
Values batch_by_loop(const BatchContext& c);

// x once for each example: [...] -> [size,...].
Value repeat(const Value& x, int64_t size);
// [size,dims...]
std::vector<int64_t> with_lead(int64_t size, const std::vector<int64_t>& dims);

}  // namespace kexue::ops
