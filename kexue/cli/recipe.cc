// kexue recipe list | show NAME | run NAME.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/cli/commands.h"
#include "kexue/cli/task_bar.h"
#include "recipes/runner.h"

namespace kexue::cli {
namespace {

class Follower final : public recipes::Observer {
 public:
  explicit Follower(Console& console) : console_(&console), bar_(console) {}

  void message(const std::string& line) override {
    console_->note("kexue: " + line);
  }
  void progress(double done, double total, const std::string& what) override {
    bar_.update(done, total, what);
  }

 private:
  Console* console_;
  TaskBar bar_;
};

int list(Console& console) {
  const auto& all = recipes::all_recipes();
  if (console.json()) {
    console.print("[");
    const char* separator = "";
    for (const auto& recipe : all) {
      console.print(separator + recipes::to_json(recipe));
      separator = ",\n";
    }
    console.print_line("]");
    return 0;
  }
  size_t width = 0;
  for (const auto& recipe : all) width = std::max(width, recipe.name.size());
  for (const auto& recipe : all) {
    console.print_line(
        fmt::format("{:<{}}  {}", recipe.name, width, recipe.title));
  }
  return 0;
}

int show(const std::string& name, Console& console) {
  const auto& recipe = recipes::find_recipe(name);
  console.print(console.json() ? recipes::to_json(recipe) + "\n"
                               : recipes::to_text(recipe));
  return 0;
}

int run(const RecipeOptions& o, Console& console) {
  const auto& recipe = recipes::find_recipe(o.name);
  recipes::Result result;
  {
    Follower follower(console);
    result = recipes::run_recipe(
        recipe,
        {.quick = o.quick,
         .seed = o.seed,
         .seeds = o.seeds,
         .folder = o.folder,
         .device = {.plugin = o.device.plugin, .threads = o.device.threads}},
        &follower);
  }
  console.print(console.json() ? recipes::to_json(result) + "\n"
                               : recipes::to_text(result));
  return result.passed() ? 0 : 1;
}

}  // namespace

int run_recipe(const RecipeOptions& options, Console& console) {
  if (options.action == "list") return list(console);
  if (options.name.empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("recipe {}: the name is missing", options.action),
                "kexue recipe list shows all");
  }
  return options.action == "show" ? show(options.name, console)
                                  : run(options, console);
}

}  // namespace kexue::cli
