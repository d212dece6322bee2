// Private to train: memory of this process, as the kernel counts it.
#pragma once

#include <cstdint>

namespace kexue::train::detail {

// Bytes resident now, and at most since the start; 0 if not known.
int64_t resident_bytes();
int64_t peak_resident_bytes();

}  // namespace kexue::train::detail
