// What an op is: one constant that holds all its rules.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/attrs.h"
#include "kexue/ir/value.h"

namespace kexue::stablehlo {
class Emitter;
}

namespace kexue::ir {

// What `infer` sees: the node before it exists.
struct InferContext {
  std::string_view op;
  const Values& inputs;
  const Attrs& attrs;
  const std::vector<Graph*>& regions;

  const TensorType& type(size_t i) const { return inputs[i].type(); }
};

// What `vjp` sees: a node, and the cotangent of each output.
struct VjpContext {
  Node& node;
  const Values& x;                 // inputs
  const Values& dys;               // one per output; empty where nothing flows
  const std::vector<bool>& needs;  // which inputs want a cotangent

  Value y;   // output 0
  Value dy;  // cotangent of output 0, never empty for one-output ops
};

// What `batch` sees: a node, and its inputs in the batched program.
struct BatchContext {
  const Node& node;
  const Values& x;                   // batched ones have one more leading axis
  const std::vector<bool>& batched;  // which inputs do; at least one
  int64_t size;                      // of that axis
};

struct EvalContext {
  const Node& node;
  std::span<const HostArray> x;
};

// How a precision policy treats an op; see transforms/precision.h.
enum class Cast {
  kKeep,     // no float arithmetic: types stay as written
  kFollow,   // elementwise glue: runs in the type its inputs arrive in
  kCompute,  // products: inputs are cast to the compute type
  kF32,      // statistics, exponentials, losses: always at least f32
};

using TypeList = std::vector<TensorType>;

// All rules of one op. A plain op has vjp and eval; a fused op has compose in
// their place: the composition is its definition, `kernel` names the custom
// call that may stand for it.
struct OpDef {
  std::string_view name;
  // Output types; throws kInvalidArgument with the shapes it saw.
  TypeList (*infer)(const InferContext&) = nullptr;
  // Cotangents of the inputs, written with ops; empty = zero.
  Values (*vjp)(const VjpContext&) = nullptr;
  // Writes StableHLO for the node.
  void (*lower)(stablehlo::Emitter&, const Node&) = nullptr;
  // Reference result on the host, each output rounded once.
  std::vector<HostArray> (*eval)(const EvalContext&) = nullptr;
  // The node for `size` examples at once: every output gets a leading axis of
  // that size. Without a rule a fused op is composed, any other op runs in a
  // loop over the examples.
  Values (*batch)(const BatchContext&) = nullptr;
  // Fused ops: the same outputs from plain ops.
  Values (*compose)(const Node&, const Values& inputs) = nullptr;
  // Fused ops: target of the custom call that computes this node, or "" if no
  // kernel fits its types. `lower` then writes the call.
  std::string_view (*kernel)(const Node&) = nullptr;
  // Ops with several outputs: the node again without outputs that are not
  // used; one result per old output, empty if it is gone. No results at all:
  // there is nothing to drop.
  Values (*prune)(const Node&,
                  const Values& inputs,
                  const std::vector<bool>& used) = nullptr;
  // Loops: the node as straight-line code, or nothing if it is longer than
  // `max_length` turns.
  Values (*unroll)(const Node&,
                   const Values& inputs,
                   int64_t max_length) = nullptr;
  // Ops with regions: the node again, with `state` sent through it. `regions`
  // are the node's, each with the state as a further last input and output.
  // Returns the outputs, then the state that leaves.
  Values (*thread)(const Node&,
                   const Values& inputs,
                   const Value& state,
                   std::vector<std::unique_ptr<Graph>> regions) = nullptr;
  // Multiplications and additions, where they are many; see ir/flops.h. None:
  // those of the regions, else 0.
  double (*flops)(const Node&) = nullptr;
  // With one input of the output's type the op does nothing.
  bool is_identity = false;
  // Cheaper to compute again than to keep for the backward pass.
  bool is_view = false;
  Cast cast = Cast::kFollow;
  // Float inputs that a policy leaves alone although the op is cast (bit i).
  unsigned keep_inputs = 0;
};

}  // namespace kexue::ir

namespace kexue {
using ir::Attrs;
using ir::BatchContext;
using ir::Cast;
using ir::EvalContext;
using ir::InferContext;
using ir::Node;
using ir::OpDef;
using ir::VjpContext;
}  // namespace kexue
