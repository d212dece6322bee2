// Private to cli: the commands, group by group, and options that they share.
//
// CLI11 costs seconds to compile: only what declares commands includes it.
#pragma once

#include <functional>
#include <span>

#include "kexue/cli/commands.h"
#include "kexue/cli/console.h"

namespace CLI {
class App;
}

namespace kexue::cli {

using Run = std::function<int(Console&)>;

struct Command {
  const char* name;
  const char* about;
  const char* example;
  // Adds the options to the app; what it returns runs the command.
  Run (*declare)(CLI::App& app);
};

struct CommandGroup {
  const char* title;  // in --help
  std::span<const Command> commands;
};

CommandGroup training_commands();
CommandGroup text_commands();
CommandGroup exact_commands();
CommandGroup tool_commands();

// --plugin and --threads.
void add_device(CLI::App& app, DeviceOptions& o);
// Options of every command that runs a trained model on lines of text.
// `input_help` says whether there is a default.
void add_text(CLI::App& app,
              TextOptions& o,
              const char* input,
              const char* input_help,
              const char* precision);

inline constexpr const char* kLines =
    "lines of UTF-8 text; default -: standard input";

}  // namespace kexue::cli
