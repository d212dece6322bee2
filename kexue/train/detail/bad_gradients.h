// Which gradient is not finite. Private to kexue/train.
#pragma once

#include <string>

#include "kexue/train/engine.h"

namespace kexue::train::detail {

// "the loss", or the first parameter (in their order) whose gradient on this
// batch is not finite, in the engine's precision, without loss scale and
// dropout; "" if all are finite then.
std::string first_bad_gradient(Engine& engine,
                               const nn::ParamList& params,
                               const LossFunction& loss,
                               const HostBatch& batch);

}  // namespace kexue::train::detail
