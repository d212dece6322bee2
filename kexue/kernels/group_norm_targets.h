// kexue/kernels/group_norm.h as custom calls. Private to kexue/kernels; see
// targets.h for the list.
#pragma once

#include <vector>

#include "kexue/pjrt/ffi.h"

namespace kexue::kernels::detail {

std::vector<pjrt::FfiTarget> group_norm_targets();

}  // namespace kexue::kernels::detail
