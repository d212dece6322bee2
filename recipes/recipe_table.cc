// The only place that knows all recipes.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "recipes/recipe.h"

namespace kexue::recipes {

#define KEXUE_RECIPE(function) Recipe function();
#include "recipes/recipe_list.inc"
#undef KEXUE_RECIPE

namespace {

// Letters that the two have in common at their starts, less their lengths'
// difference: good enough to find what was meant.
int likeness(std::string_view a, std::string_view b) {
  int score = 0;
  for (const char c : a) score += b.find(c) != std::string_view::npos ? 1 : -1;
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  score += 3 * static_cast<int>(differ.first - a.begin());
  const auto longer = std::max(a.size(), b.size());
  return score - static_cast<int>(longer - std::min(a.size(), b.size()));
}

}  // namespace

const std::vector<Recipe>& all_recipes() {
  static const std::vector<Recipe> all = {
#define KEXUE_RECIPE(function) function(),
#include "recipes/recipe_list.inc"
#undef KEXUE_RECIPE
  };
  return all;
}

const Recipe& find_recipe(const std::string& name) {
  const auto& all = all_recipes();
  for (const Recipe& recipe : all) {
    if (recipe.name == name) return recipe;
  }
  const std::string start = name.substr(0, 64);
  const auto nearest = std::max_element(
      all.begin(), all.end(), [&](const auto& a, const auto& b) {
        return likeness(start, a.name) < likeness(start, b.name);
      });
  throw Error(Code::kNotFound,
              fmt::format("no recipe \"{}\"", io::printable(start)),
              fmt::format("did you mean \"{}\"? kexue recipe list shows all",
                          nearest->name));
}

}  // namespace kexue::recipes
