// How long a start takes when every program is in the cache.
#pragma once

#include <string>

#include "kexue/cli/commands.h"

namespace kexue::cli {

// Seconds from the start of a process: medians over several processes.
struct WarmStart {
  double first_step_begin_s = 0;  // model, data and programs are there
  double first_step_end_s = 0;
};

// Runs this program again, three times, up to the end of the first training
// step of the config: the work of `kexue train`, model and data included.
// Errors: kInternal if such a process fails.
WarmStart warm_start(const std::string& config, const DeviceOptions& device);

}  // namespace kexue::cli
