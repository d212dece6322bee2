// The tasks by name. Private to kexue/train.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kexue/train/task.h"

namespace kexue::train::detail {

using Say = std::function<void(const std::string&)>;

// Each in a file of its own: task_<name>.cc.
std::unique_ptr<Task> make_classify(const RunConfig& config, const Say& say);
std::unique_ptr<Task> make_regress(const RunConfig& config, const Say& say);
std::unique_ptr<Task> make_masked_lm(const RunConfig& config, const Say& say);

}  // namespace kexue::train::detail
