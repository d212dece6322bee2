// Question: what does hot water without waiting cost?
// Source:   articles 9405 (2023-01-04) and 10869 (2025-04-22)
// Command:  kexue recipe run zero-cold-water
// Budget:   1 s on one core, 20 MB
// Expected: below; the figures of one day from a cold start
#include <fmt/format.h>

#include <algorithm>

#include "kexue/science/hot_water.h"
#include "recipes/recipe.h"

namespace kexue::recipes {
namespace {

using science::Scheme;

constexpr double kKwh = 3.6e6;

void run(Context& context) {
  auto scenario =
      science::read_hot_water(science::hot_water_example(), "example");
  scenario.days = 1;
  report::Table table{.columns = {"scheme",
                                  "waits s",
                                  "heat kWh",
                                  "loss kWh",
                                  "pump min",
                                  "drained L"}};
  double worst = 0;
  for (const Scheme scheme : {Scheme::kN,
                              Scheme::kR1,
                              Scheme::kR1T,
                              Scheme::kR1B,
                              Scheme::kR3,
                              Scheme::kC3,
                              Scheme::kD}) {
    const auto r = science::simulate(scenario, scheme);
    const std::string name = to_string(scheme);
    worst = std::max(worst, r.balance_error);
    context.check("waiting, " + name, r.waiting_s);
    context.check("heat, " + name, r.heat_j / kKwh);
    context.check("loss, " + name, r.loss_j / kKwh);
    table.rows.push_back({name,
                          fmt::format("{}", fmt::join(r.waits_s, ", ")),
                          fmt::format("{:.3f}", r.heat_j / kKwh),
                          fmt::format("{:.3f}", r.loss_j / kKwh),
                          fmt::format("{:.2f}", r.pump_s / 60),
                          fmt::format("{:.1f}", r.drained_m3 * 1e3)});
    if (scheme == Scheme::kD) context.check("drained, D", r.drained_m3 * 1e3);
    if (scheme == Scheme::kR1) context.check("pump, R1", r.pump_s / 60);
  }
  context.check("energy balance, worst", worst);
  context.page().table(table);
}

}  // namespace

Recipe zero_cold_water() {
  const std::string other = "independent program, same rules";
  Recipe out{.name = "zero-cold-water",
             .title = "Hot water at a distant tap without waiting",
             .question =
                 "A tap 15 m from the heater, six draws a day: what do the "
                 "schemes of zero cold water save in waiting, and what do "
                 "they cost in heat?",
             .source = "articles 9405 (2023-01-04) and 10869 (2025-04-22)",
             .method =
                 "Plug flow in slugs that cool exactly, so the front stays "
                 "sharp; thermostats, windows and buttons as state machines; "
                 "one day from a cold start in steps of 0.25 s.",
             .budget = "1 s on one core, 20 MB; --quick is the same",
             .run = run};
  struct Row {
    const char* scheme;
    double waiting, heat, loss;
  };
  for (const Row& r : {Row{"N", 126, 6.186, 0.594},
                       Row{"R1", 21.75, 10.706, 4.540},
                       Row{"R1T", 28, 7.545, 1.596},
                       Row{"R1B", 0, 7.334, 1.170},
                       Row{"R3", 0, 6.754, 0.628},
                       Row{"C3", 0, 6.754, 0.628},
                       Row{"D", 0, 6.756, 0.604}}) {
    const std::string name = r.scheme;
    out.expected.push_back({"waiting, " + name, r.waiting, 0.25, other});
    out.expected.push_back({"heat, " + name, r.heat, 0.0006, other});
    out.expected.push_back({"loss, " + name, r.loss, 0.0006, other});
  }
  out.expected.push_back({"drained, D", 14.0, 0.05, other});
  out.expected.push_back({"pump, R1", 36.2, 0.05, other});
  out.expected.push_back({"energy balance, worst",
                          0,
                          1e-9,
                          "conservation of energy",
                          Bound::kAtMost});
  return out;
}

}  // namespace kexue::recipes
