// The JSON of a run folder. Private to kexue/train.
#pragma once

#include <string>

#include "kexue/runtime/session.h"
#include "kexue/train/fine_tune.h"

namespace kexue::train::detail {

// One line of metrics.jsonl each; numbers that are not finite become null.
std::string to_json(const StepReport& report);
std::string to_json(const EvalReport& report);
std::string to_json(const FineTuneResult& result);
std::string error_json(const std::string& text, int64_t step);

// environment.json: plugin, platform, processor, flags, versions, threads.
std::string environment_json(const runtime::Session& session,
                             const RunConfig& config);

}  // namespace kexue::train::detail
