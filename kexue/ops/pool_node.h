// Adding a pooling op. Private to kexue/ops.
#pragma once

#include "kexue/ir/graph.h"
#include "kexue/ops/window.h"

namespace kexue::ops::detail {

// A node of `op` whose window has an entry for every dimension of x.
Value pool(const OpDef& op, const Value& x, const WindowSpec& w);

}  // namespace kexue::ops::detail
