// Tracing functions into regions. Private to kexue/ops.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kexue/ir/graph.h"
#include "kexue/ops/support.h"

namespace kexue::ops::detail {

using Regions = std::vector<std::unique_ptr<Graph>>;

ir::TypeList types_of(const Values& values);

// f traced inside `outer` on inputs of these types. All its ops stay inside,
// also those on outer values alone. Still open: see close_regions.
std::unique_ptr<Graph> trace_region(
    Graph& outer,
    const TypeList& types,
    const std::function<Values(const Values&)>& f);

// Gives each region, after its own inputs (`operands`, one count a region),
// an input for every outer value that one of them uses; returns those values.
Values close_regions(Regions& regions, const std::vector<size_t>& operands);

// A copy of `region` that has its inputs in another order: input k of the
// copy is input order[k] of the region.
std::unique_ptr<Graph> reorder_inputs(const Graph& region,
                                      const std::vector<size_t>& order);

// Drops outputs that nobody reads from a node whose outputs are those of each
// of its regions; a rule for OpDef::prune.
Values prune_outputs(const Node& n,
                     const Values& inputs,
                     const std::vector<bool>& used);

}  // namespace kexue::ops::detail
