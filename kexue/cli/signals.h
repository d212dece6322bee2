// Ctrl-C while something must not be lost.
#pragma once

#include <atomic>

namespace kexue::cli {

// From now on the first SIGINT or SIGTERM sets the flag that is returned; the
// second ends the process at once with status 130.
const std::atomic<bool>& stop_on_signals();

// Writing to a closed pipe, or beyond the file size limit, becomes an error of
// write() and no longer kills.
void make_write_failures_errors();

}  // namespace kexue::cli
