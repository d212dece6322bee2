// Private to train: the part of a report that shows what rows were taken for.
#pragma once

#include <string>

#include "kexue/report/page.h"
#include "kexue/train/detail/predictions.h"

namespace kexue::train::detail {

// Confusion matrix, reliability diagram or scatter, and samples. Adds the
// charts' specs.
std::string predictions_html(const Predictions& predictions,
                             report::Specs* specs);

}  // namespace kexue::train::detail
