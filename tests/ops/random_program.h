// Random programs made of the sweep's rows: whatever op has a row takes part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kexue/ir/graph.h"
#include "kexue/pjrt/client.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {

// A graph of 5 to 40 nodes and, as its last outputs, the gradients of a
// weighted sum of what the program computed.
struct RandomProgram {
  std::unique_ptr<Graph> graph;
  std::vector<HostArray> args;
  std::vector<std::string> rows;  // the blocks it is made of, in order
  int64_t nodes = 0;              // without the gradients
};

// The same program for the same seed and float type (f64 or f32). Each block
// is a row of the sweep whose float inputs are earlier results, resized and
// squashed into the row's range; small fixed offsets keep ties away.
RandomProgram random_program(uint64_t seed, DType type);

// Runs the program on the evaluator and the plugin; "" if they agree, else
// what differs. `ill` counts outputs whose own conditioning forbids a
// comparison: a change of the inputs by a few roundings moves them.
std::string disagreement(const pjrt::Client& client,
                         uint64_t seed,
                         DType type,
                         int64_t* ill);

}  // namespace kexue::testing
