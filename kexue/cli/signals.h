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

// A mapped file that another process shortens raises SIGBUS where its bytes are
// read: from now on that ends the program with a message that names the file,
// as an error on stdout if `json`, and status 3. Any other SIGBUS stays what it
// is.
void make_lost_mappings_errors(bool json);

}  // namespace kexue::cli
