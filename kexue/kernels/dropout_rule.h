// Private to the folder: dropout's options in the form the row kernels take.
#pragma once

#include "kexue/base/random.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels::detail {

// Errors: kInvalidArgument unless 0 <= threshold <= 65536.
DropoutRule dropout_rule(int64_t threshold, Key key);

}  // namespace kexue::kernels::detail
