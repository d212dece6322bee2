// Mixed precision as a graph rewrite: models are written once, in f32.
#pragma once

#include <memory>
#include <string>

#include "kexue/base/dtype.h"
#include "kexue/ir/graph.h"

namespace kexue::transforms {

// What runs in which type. Masters (the graph's inputs and outputs) keep the
// types they are written in; casts go between.
struct Precision {
  DType compute = DType::kF32;  // of products (Cast::kCompute)
  // true: results of products and elementwise glue stay in `compute`, as
  // autocast does; products then round once to it. false: products return f32
  // and everything between them is f32 (faster where the device has 16-bit
  // products but no 16-bit elementwise code).
  bool low_glue = false;
  bool operator==(const Precision&) const = default;
};

// Applies the policy by op class (ir::Cast). f32 returns an equal graph.
// Numerics: sums, softmax, norms, losses and everything of class kF32 run in
//           f32. Integer, f64 and complex values are left alone.
// Errors:   kInvalidArgument, naming op, scope and line: an i32, i64 or u32
//           value that the graph itself casts to 16 bits; a constant in f16
//           glue that would become 0 or infinite.
std::unique_ptr<Graph> apply_precision(const Graph& graph,
                                       const Precision& precision);

}  // namespace kexue::transforms
