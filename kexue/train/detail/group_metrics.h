// Figures of groups of parameters, as graph code. Private to kexue/train.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kexue/base/dtype.h"
#include "kexue/nn/param.h"

namespace kexue::train::detail {

// "encoder.ffn" of "encoder.ffn.inner.weight": at most two parts of the name,
// the last one left out; the name itself if it has but one.
std::string group_of(const std::string& parameter);

// One step of all parameters, in their order.
struct GroupStep {
  const Values& before;
  const Values& after;
  const Values& grads;  // f32, of the mean loss
  DType compute = DType::kF32;
};

// f32[] each, groups in the order of their first parameter:
//   grad_norm/G       length of the group's gradient
//   zero_gradients/G  share of its elements that are 0: in 16 bits, those that
//                     flushed are among them
//   moved/G           share of the parameters that the update changed
//   moved_low/G       the same, as the compute type sees them; 16-bit only
// Numerics: counts are exact below 2^31 parameters a group.
std::vector<std::pair<std::string, Value>> group_metrics(
    const nn::ParamList& params, const GroupStep& step);

}  // namespace kexue::train::detail
