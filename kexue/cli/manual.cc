// The manual page, in roff with the man macros.
#include <string_view>

#include "kexue/cli/program_page.h"

namespace kexue::cli {
namespace {

// Text as it is: a leading period or quote would be a request, a plain hyphen
// may be shown as a dash that nobody can paste.
std::string literal(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + literal(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + literal(text) + "\\fR";
}

std::string names_of(const OptionPage& option) {
  if (option.positional()) return italic(option.label);
  std::string out;
  for (const auto& name : option.names) {
    if (!out.empty()) out += ", ";
    out += bold(name);
  }
  if (option.value != OptionPage::Value::kNone) {
    out += ' ';
    out += italic(option.label);
  }
  return out;
}

std::string choices_of(const OptionPage& option) {
  std::string list;
  for (const auto& choice : option.choices) {
    if (!list.empty()) list += ", ";
    list += bold(choice);
  }
  return list;
}

std::string entry(const OptionPage& option) {
  std::string text = literal(option.about);
  const auto add = [&](const std::string& part) {
    if (!text.empty()) text += "; ";
    text += part;
  };
  if (!option.choices.empty()) add("one of " + choices_of(option));
  if (!option.range.empty()) add("in " + literal(option.range));
  if (!option.preset.empty()) add("default " + bold(option.preset));
  if (option.required) add("required");
  if (option.repeats) add("may be given several times");
  return ".TP\n" + names_of(option) + "\n" + text + "\n";
}

void append_command(std::string& out,
                    const std::string& above,
                    const CommandPage& command) {
  const std::string name = above + " " + command.name;
  out += ".SS " + literal(name) + "\n";
  if (!command.about.empty()) out += literal(command.about) + ".\n";
  for (const auto& option : command.options) {
    if (option.names.size() != 2 || option.names[1] != "--help") {
      out += entry(option);
    }
  }
  if (!command.example.empty()) {
    out += ".PP\nExample:\n.PP\n.RS\n.nf\n" + literal(command.example) +
           "\n.fi\n.RE\n";
  }
  for (const auto& below : command.commands) append_command(out, name, below);
}

constexpr const char* kEnd = R"(.SH OUTPUT
Results go to stdout; notices, warnings and progress go to stderr.
With \fB\-\-json\fR results are JSON: one document, or a line for each line of
input.
.SH EXIT STATUS
.TP
0
done
.TP
1
the result of a recipe left its tolerance
.TP
2
wrong use, something not found, or not supported
.TP
3
broken data, or a failing disk
.TP
4
a device or its plugin failed, or memory ran out
.TP
70
an error of the program itself
.TP
130
interrupted; what was done up to then is saved
.SH ENVIRONMENT
.TP
.B KEXUE_PLUGIN
the PJRT plugin to load; \fB\-\-plugin\fR comes first
.TP
.B KEXUE_CACHE
folder of compiled programs, models and plugins; default \fI.cache/kexue\fR
.SH FILES
.TP
.I $KEXUE_CACHE/plugin, ~/.cache/kexue/plugin, /usr/lib/kexue, \
/usr/local/lib/kexue
are searched for a plugin, in this order; \fBkexue doctor\fR shows the result
)";

}  // namespace

std::string manual(const CommandPage& program, const std::string& version) {
  std::string out =
      ".TH KEXUE 1 \"\" \"kexue " + literal(version) + "\" \"User Commands\"\n";
  out += ".SH NAME\nkexue \\- train and run Transformers\n";
  out += ".SH SYNOPSIS\n" + bold(program.name) + " " + italic("COMMAND") +
         " [" + italic("OPTIONS") + "]\n";
  out += ".SH DESCRIPTION\n" + literal(program.about) + "\n";
  for (const auto& option : program.options) out += entry(option);
  out += ".SH COMMANDS\n";
  for (const auto& command : program.commands) {
    append_command(out, program.name, command);
  }
  return out + kEnd;
}

}  // namespace kexue::cli
