#include "kexue/cli/program_page.h"

#include <CLI/CLI.hpp>
#include <string_view>

namespace kexue::cli {
namespace {

// "TEXT:{f32,bf16}" -> "f32", "bf16": how CLI11 tells of a value's check.
std::vector<std::string> choices_of(std::string_view type) {
  const size_t begin = type.find(":{");
  const size_t end = type.rfind('}');
  std::vector<std::string> out;
  if (begin == type.npos || end == type.npos || end < begin) return out;
  std::string_view rest = type.substr(begin + 2, end - begin - 2);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    out.emplace_back(rest.substr(0, comma));
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  return out;
}

// "INT:INT in [0 - 1024]" -> "0 - 1024".
std::string range_of(std::string_view type) {
  const size_t begin = type.find(" in [");
  const size_t end = type.rfind(']');
  if (begin == type.npos || end == type.npos || end < begin) return "";
  return std::string(type.substr(begin + 5, end - begin - 5));
}

// By the names that the table gives to values.
OptionPage::Value kind_of(std::string_view label) {
  const auto has = [&](std::string_view part) {
    return label.find(part) != label.npos;
  };
  if (has("FILE") || has(".toml")) return OptionPage::Value::kFile;
  if (has("DIR") || has("RUN")) return OptionPage::Value::kFolder;
  return OptionPage::Value::kText;
}

OptionPage describe(const CLI::Option& option) {
  OptionPage page;
  for (const auto& name : option.get_snames()) page.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) {
    page.names.push_back("--" + name);
  }
  page.about = option.get_description();
  page.required = option.get_required();
  if (option.get_items_expected_max() == 0) return page;
  const std::string type = option.get_type_name();
  page.label = type.substr(0, type.find(':'));
  if (page.label.empty()) page.label = "VALUE";
  page.choices = choices_of(type);
  page.range = range_of(type);
  page.preset = option.get_default_str();
  page.value = kind_of(page.label);
  page.repeats =
      option.get_expected_max() > 1 ||
      option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return page;
}

// "Example:\n  kexue doctor --json" -> "kexue doctor --json".
std::string example_of(const CLI::App& app) {
  const std::string footer = app.get_footer();
  const size_t at = footer.find("Example:\n");
  if (at == footer.npos) return "";
  const size_t text = footer.find_first_not_of(' ', at + 9);
  return text == footer.npos ? "" : footer.substr(text);
}

}  // namespace

CommandPage describe(const CLI::App& app) {
  CommandPage page;
  page.name = app.get_name();
  page.about = app.get_description();
  page.example = example_of(app);
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) page.options.push_back(describe(*option));
  }
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name().empty() || command->get_group().empty()) continue;
    page.commands.push_back(describe(*command));
  }
  return page;
}

}  // namespace kexue::cli
