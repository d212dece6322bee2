// The heap of a fuzz program, counted: what one input may take is limited.
#pragma once

#include <cstddef>

namespace kexue::fuzz {

// operator new aborts the program (a finding) when this much is alive. Arrays
// of tensors have memory of their own and are as large as their data in the
// file, times 8 at most; the sanitizer's limit of one allocation sees them.
inline constexpr size_t kMaxLiveBytes = size_t{256} << 20;

size_t live_bytes();
// The most that was alive since the last call.
size_t take_peak_bytes();

}  // namespace kexue::fuzz
