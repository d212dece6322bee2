// How a training step is spread over the devices of a mesh.
#pragma once

#include <string>

#include "kexue/base/sharding.h"
#include "kexue/nn/param.h"

namespace kexue::train {

// What is split along the data axis beside the batch.
enum class Zero {
  kNone,    // every device of the axis keeps all slots and parameters
  kSlots,   // ZeRO-1: slots, and with them the update
  kParams,  // ZeRO-3: parameters too; gathered where they are used
};

// Rows of a batch are split along `data_axis`, parameters as `rules` say.
// Axes that the mesh lacks are ignored, so one set of rules serves data
// parallel, tensor parallel and mixed runs. The loss and its gradient are those
// of the whole batch: nothing else changes for the user.
//
// Source: Shoeybi et al. 2019, arXiv:1909.08053 (tensor parallel);
//         Rajbhandari et al. 2019, arXiv:1910.02054 (ZeRO).
struct Parallel {
  Mesh mesh = {};  // none: one device
  std::string data_axis = "data";
  nn::ShardingRules rules = {};
  Zero zero = Zero::kNone;

  bool active() const { return mesh.devices() > 1; }
};

// Errors (all three): kInvalidArgument naming the tensor if an axis does not
// divide its dimension.
Sharding param_sharding(const Parallel& parallel, const nn::NamedParam& param);
// The parameter's for a slot of its shape, else none; with ZeRO the largest
// dimension that divides evenly is split along the data axis as well (none
// does: it stays whole, as biases may).
Sharding slot_sharding(const Parallel& parallel,
                       const nn::NamedParam& param,
                       const Shape& slot);
// Rows along the data axis; a scalar is replicated.
Sharding batch_sharding(const Parallel& parallel,
                        const std::string& field,
                        const TensorType& type);

}  // namespace kexue::train
