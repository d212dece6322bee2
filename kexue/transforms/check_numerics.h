// Which op was the first to make a number that is none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kexue/ir/graph.h"

namespace kexue::transforms {

// One float op of a checked graph.
struct CheckedOp {
  std::string op;
  std::string scope;
  std::string line;  // of the user's source; "" if unknown
  int order = 0;     // 0: forward; n: the backward pass of the n-th derivative

  // "log in encoder/ffn at model.cc:12 (forward)"
  std::string str() const;
};

// A graph that computes what another computes and watches every op.
struct CheckedGraph {
  // One more output, the last: i32[], the index in `ops` of the first op, in
  // the order of execution, that has a NaN or an infinity in an output though
  // it is not a constant; -1 if there is none. Loops are followed turn by
  // turn; only the branches that run count.
  std::unique_ptr<Graph> graph;
  std::vector<CheckedOp> ops;
};

// Slow, for the one run that explains an accident: each op is followed by a
// reduction. Infinities made on purpose (a mask of -inf) count as well, unless
// they come from constants alone.
CheckedGraph check_numerics(const Graph& graph);

}  // namespace kexue::transforms
