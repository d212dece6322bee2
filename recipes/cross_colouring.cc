// Question: how many colourings has the cross, 27216 or 54432?
// Source:   article 9291 (2022-10-09)
// Command:  kexue recipe run cross-colouring
// Budget:   below 1 s on one core, 30 MB
// Expected: below, all exact
#include <fmt/format.h>

#include <chrono>

#include "kexue/science/colouring.h"
#include "kexue/science/cross_split.h"
#include "recipes/recipe.h"

namespace kexue::recipes {
namespace {

using science::Engine;
using Clock = std::chrono::steady_clock;

void check_engines(Context& context) {
  report::Table times{.columns = {"engine", "count", "seconds"}};
  for (const Engine engine : science::kEngines) {
    const auto begin = Clock::now();
    const auto count = science::count_colourings(science::cross(), engine);
    const std::chrono::duration<double> spent = Clock::now() - begin;
    const char* name = science::to_string(engine);
    context.check_exact(fmt::format("the puzzle, {}", name), count);
    times.rows.push_back({name, count, fmt::format("{:.6f}", spent.count())});
  }
  context.page().table(times);
}

void check_hand_count(Context& context) {
  const auto split = science::cross_split(science::cross());
  context.check_exact("equal centre sides adjacent", split.adjacent);
  context.check_exact("equal centre sides opposite", split.opposite);
  context.page().paragraph(
      "54432 is 2 * 27216: it takes the two equal sides of the centre for "
      "distinguishable, 72 centres in place of 36, and counts each colouring "
      "twice.");
}

void check_others(Context& context) {
  for (int k = 4; k <= 6; ++k) {
    context.check_exact(
        fmt::format("the puzzle, {} colours", k),
        science::count_colourings(science::cross(k), Engine::kEliminate));
  }
  context.check_exact("up to permutations of colours",
                      science::count_orbits(science::cross(), false, true));
  context.check_exact("chain of 6, neighbours differ",
                      science::count_strip({.squares = 6, .window = 2}));
  context.check_exact(
      "ring of 6, neighbours differ",
      science::count_strip({.squares = 6, .is_ring = true, .window = 2}));
}

void run(Context& context) {
  check_engines(context);
  check_hand_count(context);
  check_others(context);
  for (const auto& x :
       science::sample_colourings(science::cross(), 6, context.seed())) {
    context.page().picture(science::colouring_svg(science::cross(), x),
                           "a random valid colouring");
  }
}

}  // namespace

Recipe cross_colouring() {
  const std::string two = "two independent programs";
  return {
      .name = "cross-colouring",
      .title = "Colourings of the cross",
      .question =
          "A plus of five squares, 16 segments in three colours: each "
          "square has one colour twice and the others once, and along "
          "both lines the doubled colours differ. Are there 27216 or "
          "54432 colourings?",
      .source = "article 9291 (2022-10-09)",
      .method =
          "Three engines that share the rules alone: all 3^16 "
          "colourings as bits, elimination of variables from sums of "
          "products, and a transfer from cell to cell.",
      .budget = "below 1 s on one core, 30 MB; --quick is the same",
      .expected =
          {exactly("the puzzle, enumerate", "27216", "article"),
           exactly("the puzzle, eliminate", "27216", "article"),
           exactly("the puzzle, transfer", "27216", "article"),
           exactly("equal centre sides adjacent", "17496", "article: by hand"),
           exactly("equal centre sides opposite", "9720", "article: by hand"),
           exactly("the puzzle, 4 colours", "19160064", two),
           exactly("the puzzle, 5 colours", "1062882000", two),
           exactly("the puzzle, 6 colours", "19667681280", two),
           exactly("up to permutations of colours", "4536", "27216 / 3!"),
           exactly("chain of 6, neighbours differ", "801414", two),
           exactly("ring of 6, neighbours differ", "160446", two)},
      .run = run};
}

}  // namespace kexue::recipes
