// Completion for bash and fish; zsh has its own file.
#include <functional>
#include <string_view>

#include "kexue/cli/program_page.h"

namespace kexue::cli {
namespace {

using Value = OptionPage::Value;
// "recipe run" and the command of that name; "" is the program.
using Visit = std::function<void(const std::string&, const CommandPage&)>;

void each_command(const CommandPage& page,
                  const std::string& path,
                  const Visit& visit) {
  visit(path, page);
  for (const auto& command : page.commands) {
    each_command(command,
                 path.empty() ? command.name : path + " " + command.name,
                 visit);
  }
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// What completes a value in bash.
std::string bash_value(const OptionPage& option) {
  if (!option.choices.empty()) {
    return "_kexue_words " + quoted(joined(option.choices, " "));
  }
  if (option.value == Value::kFile) return "_kexue_paths -f";
  if (option.value == Value::kFolder) return "_kexue_paths -d";
  return ":";
}

std::string bash_values(const std::string& path, const CommandPage& page) {
  std::string out;
  for (const auto& option : page.options) {
    if (option.positional() || option.value == Value::kNone) continue;
    std::vector<std::string> patterns;
    for (const auto& name : option.names) {
      patterns.push_back(quoted(path + ":" + name));
    }
    out += "    " + joined(patterns, " | ") + ")\n      " + bash_value(option) +
           "\n      return\n      ;;\n";
  }
  return out;
}

std::string bash_words(const std::string& path, const CommandPage& page) {
  std::vector<std::string> words;
  std::string places;
  for (const auto& command : page.commands) words.push_back(command.name);
  for (const auto& option : page.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
    if (!option.positional()) continue;
    words.insert(words.end(), option.choices.begin(), option.choices.end());
    if (option.value == Value::kFile) places = "      _kexue_paths -f\n";
    if (option.value == Value::kFolder) places = "      _kexue_paths -d\n";
  }
  return "    " + quoted(path) + ")\n      _kexue_words " +
         quoted(joined(words, " ")) + "\n" + places + "      ;;\n";
}

constexpr const char* kBashTools =
    R"(# bash completion for kexue, made by `kexue completion bash`.

_kexue_words() {
  local found
  mapfile -t found < <(compgen -W "$1" -- "$current")
  COMPREPLY+=("${found[@]}")
}

_kexue_paths() {
  local found
  mapfile -t found < <(compgen "$1" -- "$current")
  COMPREPLY+=("${found[@]}")
  compopt -o filenames 2>/dev/null
}

_kexue() {
  local current=${COMP_WORDS[COMP_CWORD]} word path=
  local previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # --model=DIR arrives as three words.
  if [ "$current" = "=" ]; then
    current=
  elif [ "$previous" = "=" ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "${path:+$path }$word" in
)";

constexpr const char* kFishTools =
    R"(# fish completion for kexue, made by `kexue completion fish`.
complete -c kexue -f
)";

// Where in the line an entry of `path` applies, in fish.
std::string fish_condition(const std::string& path, const CommandPage& page) {
  if (path.empty()) return "__fish_use_subcommand";
  std::string out;
  size_t begin = 0;
  while (begin < path.size()) {
    const size_t end = std::min(path.find(' ', begin), path.size());
    out += (out.empty() ? "" : "; and ") +
           std::string("__fish_seen_subcommand_from ") +
           path.substr(begin, end - begin);
    begin = end + 1;
  }
  for (const auto& command : page.commands) {
    out += "; and not __fish_seen_subcommand_from " + command.name;
  }
  return out;
}

std::string fish_option(const OptionPage& option) {
  std::string out;
  for (const auto& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2)
                                  : " -s " + name.substr(1);
  }
  if (!option.choices.empty()) {
    out += (option.positional() ? " -a " : " -x -a ") +
           quoted(joined(option.choices, " "));
  } else if (option.value == Value::kFile) {
    out += option.positional() ? " -F" : " -r -F";
  } else if (option.value == Value::kFolder) {
    out += option.positional() ? "" : " -x";
    out += " -a '(__fish_complete_directories)'";
  } else if (option.value == Value::kText) {
    out += option.positional() ? "" : " -x";
  }
  if (!option.about.empty()) out += " -d " + quoted(option.about);
  return out;
}

}  // namespace

std::string bash_completion(const CommandPage& program) {
  std::vector<std::string> paths;
  std::string values;
  std::string words;
  each_command(program, "", [&](const auto& path, const auto& page) {
    if (!path.empty()) paths.push_back(quoted(path));
    values += bash_values(path, page);
    words += bash_words(path, page);
  });
  return kBashTools + ("      " + joined(paths, " | ")) +
         ")\n        path=\"${path:+$path }$word\"\n        ;;\n    esac\n"
         "  done\n  case \"$path:$previous\" in\n" +
         values + "  esac\n  case \"$path\" in\n" + words +
         "  esac\n}\n\ncomplete -F _kexue kexue\n";
}

std::string fish_completion(const CommandPage& program) {
  std::string out = kFishTools;
  each_command(program, "", [&](const auto& path, const auto& page) {
    const std::string begin =
        "complete -c kexue -n " + quoted(fish_condition(path, page));
    for (const auto& command : page.commands) {
      out += begin + " -a " + quoted(command.name) + " -d " +
             quoted(command.about) + "\n";
    }
    for (const auto& option : page.options) {
      const bool nothing = option.positional() && option.choices.empty() &&
                           option.value == Value::kText;
      if (!nothing) out += begin + fish_option(option) + "\n";
    }
  });
  return out;
}

}  // namespace kexue::cli
