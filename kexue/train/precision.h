// What a training run computes in, as one value.
//
// A policy is never written into a layer: the step is traced in f32, and the
// session rewrites its graph (transforms/precision.h).
#pragma once

#include "kexue/train/engine.h"

namespace kexue::precision {

struct Policy {
  DType compute = DType::kF32;
  train::LossScale loss_scale = {};
};

inline Policy f32() {
  return {};
}
// The range of f32: no loss scale is needed.
inline Policy bf16() {
  return {.compute = DType::kBF16};
}
// Gradients of at most 2^-25 become 0 without a loss scale.
inline Policy fp16(train::LossScale scale = train::LossScale::dynamic()) {
  return {.compute = DType::kF16, .loss_scale = scale};
}

inline train::EngineOptions with(const Policy& policy,
                                 train::EngineOptions options = {}) {
  options.compute = policy.compute;
  options.step.loss_scale = policy.loss_scale;
  return options;
}

// bool[]: no element of any of them is NaN or infinite.
// Errors: kInvalidArgument for an empty list.
Value all_finite(const Values& values);

}  // namespace kexue::precision
