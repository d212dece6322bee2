// Batch rules of the ops that are not elementwise. Private to kexue/ops.
#pragma once

#include "kexue/ir/graph.h"

namespace kexue::ops::detail {

// Shape ops: the same op with one more axis in front.
Values batch_broadcast(const BatchContext& c);
Values batch_reshape(const BatchContext& c);
Values batch_transpose(const BatchContext& c);
Values batch_concatenate(const BatchContext& c);
Values batch_slice(const BatchContext& c);
Values batch_pad(const BatchContext& c);
// Ops with the attribute `axes`: reductions, reverse.
Values batch_over_axes(const BatchContext& c);

// A start for each example: read by index.
Values batch_dynamic_slice(const BatchContext& c);
Values batch_dynamic_update_slice(const BatchContext& c);

// Indices for each example: the examples' rows in one table.
Values batch_take(const BatchContext& c);
Values batch_scatter_add(const BatchContext& c);

// One more letter.
Values batch_matmul(const BatchContext& c);

// One loop over steps for all examples. Carries that no turn makes different
// between examples stay single.
Values batch_scan(const BatchContext& c);

// Together while the predicate is the same for all examples, else one by one.
Values batch_case(const BatchContext& c);
Values batch_while(const BatchContext& c);

}  // namespace kexue::ops::detail
