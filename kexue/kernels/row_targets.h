// Kernels over rows and elements as custom calls. Private to kexue/kernels; see
// targets.h for the list.
#pragma once

#include <vector>

#include "kexue/pjrt/ffi.h"

namespace kexue::kernels::detail {

std::vector<pjrt::FfiTarget> row_targets();

}  // namespace kexue::kernels::detail
