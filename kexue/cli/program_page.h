// The table of commands as plain data, and what is made from it: the manual
// page and the completion of shells. A new command needs no second place.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace kexue::cli {

// One option, or one positional argument.
struct OptionPage {
  enum class Value { kNone, kText, kFile, kFolder };  // kNone: a flag

  std::vector<std::string> names;  // "-h", "--help"; none: positional
  std::string label;               // of the value: "FILE", "INT"
  Value value = Value::kNone;
  std::vector<std::string> choices;
  std::string range;  // "0 - 1024"; empty: any
  std::string preset;
  std::string about;
  bool required = false;
  bool repeats = false;

  bool positional() const { return names.empty(); }
};

struct CommandPage {
  std::string name;
  std::string about;
  std::string example;
  std::vector<OptionPage> options;
  std::vector<CommandPage> commands;  // its own: "kexue recipe list"
};

// What is hidden from --help is hidden here.
CommandPage describe(const CLI::App& app);

// roff with the man macros, for `man -l`.
std::string manual(const CommandPage& program, const std::string& version);

// A script that the shell loads. Each completes commands, options, values
// with a fixed list, and paths.
std::string bash_completion(const CommandPage& program);
std::string zsh_completion(const CommandPage& program);
std::string fish_completion(const CommandPage& program);

}  // namespace kexue::cli
