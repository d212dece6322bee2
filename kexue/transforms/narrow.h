// Kernels that round their own results.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kexue/ir/graph.h"

namespace kexue::transforms {

// Where all that is read of a kernel's f32 result is its rounding to one
// 16-bit type, lets the kernel write that type: no f32 copy is stored, and no
// pass over it is needed. Concerns ops whose attribute `dtype` names the type
// of results, with a kernel among `kernels` for both types; regions too.
// Numerics: no result changes; both ways round the same f32 values once.
std::unique_ptr<Graph> narrow_results(const Graph& graph,
                                      const std::vector<std::string>& kernels);

}  // namespace kexue::transforms
