// Private to train: several runs on one page.
#pragma once

#include <string>
#include <vector>

#include "kexue/train/detail/run_record.h"

namespace kexue::train::detail {

inline constexpr size_t kMostRuns = 8;  // colours of the page

// The same chart of all runs, a colour for each: smoothed curves, and the
// evaluations as points. Errors: kInvalidArgument unless 2 to kMostRuns.
std::string compare_page(const std::vector<RunRecord>& runs);

}  // namespace kexue::train::detail
