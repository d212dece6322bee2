// Private to io: rows and columns of a weight, exchanged.
#pragma once

#include "kexue/base/host_array.h"

namespace kexue::io {

// [m,n] -> [n,m], in any dtype. Errors: kInvalidArgument for another rank.
HostArray transposed(const HostArray& a);

}  // namespace kexue::io
