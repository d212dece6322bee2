// Completion for zsh: one function a command, on its _arguments.
#include <algorithm>
#include <string_view>

#include "kexue/cli/program_page.h"

namespace kexue::cli {
namespace {

using Value = OptionPage::Value;

// Text inside a specification that stands in single quotes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// ":FILE:_files" behind an option, or a whole positional argument.
std::string action(const OptionPage& option) {
  std::string out = ":";
  out += escaped(option.label);
  out += ':';
  if (!option.choices.empty()) {
    std::string words;
    for (const auto& choice : option.choices) {
      if (!words.empty()) words += ' ';
      words += escaped(choice);
    }
    out += '(';
    out += words;
    return out += ')';
  }
  if (option.value == Value::kFile) return out + "_files";
  if (option.value == Value::kFolder) return out + "_files -/";
  return out + " ";
}

std::string option_lines(const CommandPage& page) {
  std::string out;
  for (const auto& option : page.options) {
    if (option.positional()) continue;
    for (const auto& name : option.names) {
      out += "    '" + std::string(option.repeats ? "*" : "") + name;
      if (option.value != Value::kNone && name.starts_with("--")) out += "=";
      out += '[';
      out += escaped(option.about);
      out += ']';
      if (option.value != Value::kNone) out += action(option);
      out += "' \\\n";
    }
  }
  return out;
}

void append_function(std::string& out,
                     const std::string& function,
                     const CommandPage& page) {
  for (const auto& command : page.commands) {
    append_function(out, function + "_" + command.name, command);
  }
  out += function + "() {\n";
  if (page.commands.empty()) {
    out += "  _arguments \\\n" + option_lines(page);
    for (const auto& option : page.options) {
      if (!option.positional()) continue;
      // A second colon: the argument may be left out.
      out += std::string("    '") +
             (option.repeats    ? "*"
              : option.required ? ""
                                : ":") +
             action(option) + "' \\\n";
    }
    out += "    && return\n}\n\n";
    return;
  }
  out += "  local state line commands\n  commands=(\n";
  for (const auto& command : page.commands) {
    out +=
        "    '" + escaped(command.name) + ":" + escaped(command.about) + "'\n";
  }
  out += "  )\n  _arguments -C \\\n" + option_lines(page) +
         "    '1:command:->command' '*::argument:->argument' && return\n"
         "  case $state in\n"
         "    command) _describe command commands ;;\n"
         "    argument)\n      case $line[1] in\n";
  for (const auto& command : page.commands) {
    out += "        " + command.name + ") " + function + "_" + command.name +
           " ;;\n";
  }
  out += "      esac\n      ;;\n  esac\n}\n\n";
}

}  // namespace

std::string zsh_completion(const CommandPage& program) {
  std::string out =
      "#compdef kexue\n# zsh completion for kexue, made by "
      "`kexue completion zsh`.\n\n";
  append_function(out, "_kexue", program);
  // Found in $fpath the file is the function's body; sourced it is not.
  return out +
         "if [ \"$funcstack[1]\" = _kexue ]; then\n  _kexue \"$@\"\nelse\n"
         "  compdef _kexue kexue\nfi\n";
}

}  // namespace kexue::cli
