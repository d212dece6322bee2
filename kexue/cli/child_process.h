// This program, run a second time.
#pragma once

#include <string>
#include <vector>

namespace kexue::cli {

struct ChildResult {
  int status = 0;      // exit status; 128 + n for signal n
  std::string output;  // its stdout
};

// Runs this very file with the arguments and waits; stderr is shared.
// Errors: kIo.
ChildResult run_self(const std::vector<std::string>& arguments);

// Seconds since this process was started (not since main()), to 10 ms.
// Errors: kIo, kUnsupported without /proc.
double seconds_since_process_start();

}  // namespace kexue::cli
