// The commands by name.
#pragma once

#include <string>
#include <vector>

#include "kexue/cli/console.h"

namespace kexue::cli {

// Hidden ones included.
std::vector<std::string> command_names();

// Parses the words behind the program's name and does what they ask for.
// Returns the exit status. Errors: kInvalidArgument with the command whose
// --help shows the options; what the command throws.
int run_command(const std::vector<std::string>& words, Console& console);

}  // namespace kexue::cli
