// Private to train: the report's parts.
#pragma once

#include <string>
#include <vector>

#include "kexue/report/chart.h"
#include "kexue/train/detail/run_record.h"

namespace kexue::train::detail {

using report::Chart;
using report::TimeSplit;

// Steps that the smoothed curves look back: a fiftieth of the run.
double smoothing_window(const RunRecord& run);
// Those that have anything to show; `thin`: with few enough points for a page.
std::vector<Chart> charts_of(const RunRecord& run, bool thin = true);
TimeSplit time_split_of(const RunRecord& run);
// Of all tokens in the batches; NaN without steps.
double padding_share(const RunRecord& run);

std::string report_page(const RunRecord& run);

}  // namespace kexue::train::detail
