#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "kexue/cli/command_group.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/console.h"

namespace kexue::cli {
namespace {

Run declare_abc(CLI::App& app) {
  auto o = std::make_shared<AbcOptions>();
  app.add_option("numbers", o->numbers, "of any size")->type_name("N...");
  app.add_flag("--all", o->all, "every optimum");
  app.add_option("--table", o->table, "rows N,S,a,b,c,excess")
      ->type_name("LO:HI");
  app.add_option("--method", o->method, "how it is found")
      ->check(CLI::IsMember(
          {"auto", "pruned", "sumdiff", "parity", "sqrt", "article"}))
      ->capture_default_str();
  app.add_flag("--counts", o->counts, "candidates of each method");
  app.add_flag("--yes", o->yes, "even with more than 10^9 candidates");
  app.add_option("--plot", o->plot, "a page: candidates over N")
      ->type_name("FILE.html");
  app.add_option("--seed", o->seed, "of the plot's random numbers")
      ->capture_default_str();
  return [o](Console& console) { return run_abc(*o, console); };
}

void add_colouring_subject(CLI::App& app, ColouringOptions& o) {
  app.add_option("figure", o.figure, "segments, cells, rules; docs/science.md")
      ->type_name("FIGURE.json");
  app.add_option("--preset", o.preset, "a figure that is known")
      ->check(CLI::IsMember({"cross"}));
  app.add_option("--chain", o.chain, "squares in a row, up to 10^18")
      ->check(CLI::PositiveNumber);
  app.add_option("--ring", o.ring, "squares in a ring, up to 10^18")
      ->check(CLI::PositiveNumber);
  app.add_option("--grid", o.grid, "a block of squares")
      ->type_name("ROWSxCOLUMNS");
  app.add_option("--rule", o.rule, "of a chain's, ring's, grid's neighbours")
      ->check(CLI::IsMember({"none",
                             "all_different",
                             "neighbours_different",
                             "not_all_equal",
                             "all_equal",
                             "ends_equal",
                             "exactly_two_values"}))
      ->capture_default_str();
  app.add_option("--window", o.window, "squares in a row that the rule binds")
      ->check(CLI::Range(2, 16))
      ->capture_default_str();
  app.add_option("--cell-rule", o.cell_rule, "default: two_one_one")
      ->check(
          CLI::IsMember({"two_one_one", "strict_plurality", "at_least_three"}));
  app.add_option("--colours", o.colours, "default: the figure's, or 3")
      ->check(CLI::Range(1, 16));
}

Run declare_colourings(CLI::App& app) {
  auto o = std::make_shared<ColouringOptions>();
  add_colouring_subject(app, *o);
  app.add_option("--modulo", o->modulo, "the remainder, not the count")
      ->check(CLI::PositiveNumber);
  app.add_option("--engine", o->engine, "how it is counted")
      ->check(CLI::IsMember({"all", "enumerate", "eliminate", "transfer"}))
      ->capture_default_str();
  app.add_option("--sample", o->sample, "random valid colourings")
      ->check(CLI::PositiveNumber);
  app.add_option("--list", o->list, "different valid colourings")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", o->seed, "of --sample")->capture_default_str();
  app.add_option("--orbits", o->orbits, "also count up to symmetry")
      ->check(CLI::IsMember({"segments", "colours", "both"}));
  app.add_option("--picture", o->picture, "draw what was sampled or listed")
      ->type_name("FILE.svg|FILE.html");
  return [o](Console& console) { return run_colourings(*o, console); };
}

Run declare_hot_water(CLI::App& app) {
  auto o = std::make_shared<HotWaterOptions>();
  app.add_option("scenario", o->scenario, "default: the built-in example")
      ->type_name("SCENARIO.toml");
  app.add_option("--scheme", o->schemes, "in place of the file's; repeat it")
      ->type_name("N|R1|R1T|R1B|R2|R3|R4|C1|C2|C3|D|H|B")
      ->take_all()
      ->expected(1);
  app.add_option("--page", o->page, "tables and plots as a page, too")
      ->type_name("FILE.html");
  app.add_option("--sweep", o->sweep, "a quantity at several values")
      ->type_name("home.length=\"5 m:30 m:6\"");
  app.add_flag("--example", o->example, "print the example, to start from");
  app.add_option("--preset",
                 o->preset,
                 "print a scenario for this scheme, to start from")
      ->type_name("SCHEME");
  return [o](Console& console) { return run_hot_water(*o, console); };
}

Run declare_recipe(CLI::App& app) {
  auto o = std::make_shared<RecipeOptions>();
  app.add_option("action", o->action, "list all, show one, or run it")
      ->type_name("list|show|run")
      ->check(CLI::IsMember({"list", "show", "run"}))
      ->required();
  app.add_option("name", o->name, "of the recipe")->type_name("NAME");
  app.add_flag("--quick", o->quick, "a smaller run");
  app.add_option("--seed", o->seed, "of everything random")
      ->capture_default_str();
  app.add_option("--seeds", o->seeds, "runs, with SEED, SEED + 1, ...")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--folder",
                 o->folder,
                 "where the page and files are left; "
                 "default: runs/recipe-NAME")
      ->type_name("DIR");
  add_device(app, o->device);
  return [o](Console& console) { return run_recipe(*o, console); };
}

constexpr std::array kCommands = {
    Command{"abc",
            "The least a + b + c with N = ab + c, exact for any N",
            "kexue abc 130 2023 --all",
            declare_abc},
    Command{"colourings",
            "Exact counts of coloured figures, by three engines",
            "kexue colourings --preset cross",
            declare_colourings},
    Command{"hot-water",
            "Schemes for hot water at a distant tap: waiting, water, energy",
            "kexue hot-water --scheme N --scheme R3",
            declare_hot_water},
    Command{"recipe",
            "The methods, each with the numbers that it must reach",
            "kexue recipe run ab-plus-c --quick",
            declare_recipe},
};

}  // namespace

CommandGroup exact_commands() {
  return {"Exact answers and recipes", kCommands};
}

}  // namespace kexue::cli
