#include "kexue/cli/command_table.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string>
#include <vector>

#include "kexue/cli/command_group.h"
#include "kexue/cli/version.h"

namespace kexue::cli {
namespace {

// In the order of --help.
std::array<CommandGroup, 4> groups() {
  return {
      training_commands(), text_commands(), tool_commands(), exact_commands()};
}

}  // namespace

void add_device(CLI::App& app, DeviceOptions& o) {
  app.add_option(
         "--plugin", o.plugin, "PJRT plugin; default: search, see doctor")
      ->type_name("FILE");
  app.add_option("--threads", o.threads, "threads of our kernels; 0: all cores")
      ->check(CLI::Range(0, 1024));
}

void add_text(CLI::App& app,
              TextOptions& o,
              const char* input,
              const char* input_help,
              const char* precision) {
  app.add_option("--model", o.model, "folder with config, weights, tokenizer")
      ->type_name("DIR")
      ->required();
  auto* in = app.add_option(input, o.input, input_help)->type_name("FILE");
  if (std::string_view(input_help).find("default") == std::string_view::npos) {
    in->required();
  }
  app.add_option(precision, o.precision, "arithmetic of products")
      ->check(CLI::IsMember({"f32", "bf16", "fp16"}))
      ->capture_default_str();
  app.add_option("--batch-size", o.batch_size, "texts computed together")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--max-length",
                 o.max_length,
                 "tokens of a text; 0: what the model can take")
      ->check(CLI::Range(0, 1 << 20));
  app.add_flag("--skip-bad",
               o.skip_bad,
               "leave out lines that are empty or not UTF-8, and count them");
  add_device(app, o.device);
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const CommandGroup& group : groups()) {
    for (const Command& c : group.commands) names.emplace_back(c.name);
  }
  return names;
}

int run_command(const std::vector<std::string>& words, Console& console) {
  CLI::App app("Train and run Transformers: whole steps as XLA programs.",
               "kexue");
  app.set_version_flag("--version", std::string("kexue ") + kVersion);
  app.require_subcommand(1);
  app.footer(
      "kexue COMMAND --help shows the options and an example.\n"
      "Exit status: 0; 1 a recipe missed a number; 2 wrong use or missing "
      "file; 3 broken data or "
      "disk; 4 device; 70 our bug; 130 interrupted.");
  Run chosen;
  bool ignored = false;  // Console knows it
  for (const CommandGroup& group : groups()) {
    for (const Command& command : group.commands) {
      CLI::App* sub = app.add_subcommand(command.name, command.about);
      const Run action = command.declare(*sub);
      sub->add_flag("--json", ignored, "results as JSON, for programs");
      sub->footer(std::string("Example:\n  ") + command.example);
      sub->group(*command.about == '\0' ? "" : group.title);
      sub->callback([&chosen, action] { chosen = action; });
    }
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Success& e) {
    // --help, --version: e.what() names the kind, the text is the app's.
    std::ostringstream text;
    app.exit(e, text, text);
    console.print(text.str());
    return 0;
  } catch (const CLI::ParseError& e) {
    const std::string command =
        app.get_subcommands().empty()
            ? ""
            : " " + app.get_subcommands().front()->get_name();
    throw Error(Code::kInvalidArgument,
                e.what(),
                "kexue" + command + " --help shows the options");
  }
  return chosen(console);
}

}  // namespace kexue::cli
