// What a training run says at its end.
#pragma once

#include <string>
#include <vector>

#include "kexue/train/fine_tune.h"

namespace kexue::cli {

// The last evaluation of each split, in the order they were first made.
std::vector<train::EvalReport> last_evals(const train::FineTuneResult& result);

// One JSON object.
std::string json_of(const train::FineTuneResult& result);

}  // namespace kexue::cli
