// Ops that hand their input on and differ in their other rules. Private to
// kexue/ops.
#pragma once

#include <vector>

#include "kexue/ops/support.h"

namespace kexue::ops::detail {

// The result has the text of the input: nothing is emitted.
inline void lower_as_input(Emitter& e, const Node& node) {
  e.bind(const_cast<Node&>(node).out(), e.get(node.inputs[0]));
}
inline std::vector<HostArray> eval_as_input(const EvalContext& c) {
  return {c.x[0]};
}

}  // namespace kexue::ops::detail
