// Private to train: parts of a model whose gradients are watched.
#pragma once

#include <vector>

#include "kexue/nn/param.h"
#include "kexue/optim/statistics.h"
#include "kexue/train/engine.h"
#include "kexue/train/metric_values.h"

namespace kexue::train::detail {

// embedding, attention, ffn, norm, head, by the parameters' names; those that
// the model has.
std::vector<optim::Group> gradient_groups(const nn::ParamList& params);

// What a step reports for them: {"embedding", norm}, ...
MetricValues group_norms(const Metrics& metrics);

}  // namespace kexue::train::detail
