// kexue hot-water SCENARIO.toml: schemes for hot water at a distant tap.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/task_bar.h"
#include "kexue/io/atomic_file.h"
#include "kexue/report/page.h"
#include "kexue/science/hot_water.h"

namespace kexue::cli {
namespace {

using science::HotWaterScenario;
using science::SchemeReport;
using Json = nlohmann::ordered_json;

constexpr uint64_t kScenarioBytes = uint64_t{1} << 20;
constexpr double kJoulesPerKwh = 3.6e6;

double per_year(double total, const HotWaterScenario& s) {
  return total * 365 / s.days;
}
double kwh(double joules, const HotWaterScenario& s) {
  return per_year(joules, s) / kJoulesPerKwh;
}

Json json_of(const SchemeReport& r, const HotWaterScenario& s) {
  return {{"scheme", to_string(r.scheme)},
          {"description", description(r.scheme)},
          {"waiting_seconds_per_day", r.waiting_s / s.days},
          {"waits_first_day_seconds", r.waits_s},
          {"litres_per_year", per_year(r.cold_m3 + r.drained_m3, s) * 1e3},
          {"drained_litres_per_year", per_year(r.drained_m3, s) * 1e3},
          {"kwh_per_year", kwh(r.heat_j + r.electric_j, s)},
          {"heat_kwh_per_year", kwh(r.heat_j, s)},
          {"electric_kwh_per_year", kwh(r.electric_j, s)},
          {"loss_kwh_per_year", kwh(r.loss_j, s)},
          {"pump_hours_per_year", per_year(r.pump_s, s) / 3600},
          {"warmest_return_c", r.warmest_return_c},
          {"cost_per_year", per_year(r.cost, s)},
          {"energy_balance_error", r.balance_error}};
}

std::vector<std::string> cells_of(const SchemeReport& r,
                                  const HotWaterScenario& s) {
  return {to_string(r.scheme),
          fmt::format("{:.1f}", r.waiting_s / s.days),
          fmt::format("{:.0f}", per_year(r.cold_m3 + r.drained_m3, s) * 1e3),
          fmt::format("{:.1f}", kwh(r.heat_j, s)),
          fmt::format("{:.2f}", kwh(r.electric_j, s)),
          fmt::format("{:.1f}", kwh(r.loss_j, s)),
          fmt::format("{:.1f}", per_year(r.pump_s, s) / 3600),
          fmt::format("{:.2f}", per_year(r.cost, s)),
          fmt::format("{:.0e}", r.balance_error),
          description(r.scheme)};
}

const std::vector<std::string> kColumns = {"scheme",
                                           "wait s/day",
                                           "water L/a",
                                           "heat kWh/a",
                                           "power kWh/a",
                                           "loss kWh/a",
                                           "pump h/a",
                                           "cost /a",
                                           "balance",
                                           ""};

void print_table(const std::vector<SchemeReport>& reports,
                 const HotWaterScenario& s,
                 Console& console) {
  std::string head;
  for (const auto& name : kColumns) head += fmt::format("{:>11} ", name);
  console.print_line(head.substr(0, head.find_last_not_of(' ') + 1));
  for (const SchemeReport& r : reports) {
    const auto cells = cells_of(r, s);
    std::string line;
    for (size_t i = 0; i + 1 < cells.size(); ++i) {
      line += fmt::format("{:>11} ", cells[i]);
    }
    console.print_line(line + " " + cells.back());
  }
}

// Degrees at the tap in the first seconds of the first draw.
report::Chart trace_chart(const std::vector<SchemeReport>& reports) {
  report::Chart chart{.id = "trace",
                      .title = "At the tap",
                      .y_title = "degrees Celsius, first draw of the last day"};
  chart.x_title = "seconds";
  chart.from_zero = false;
  int colour = 0;
  for (const SchemeReport& r : reports) {
    if (chart.x.empty()) {
      for (const auto& [x, y] : r.trace) chart.x.push_back(x);
    }
    report::Curve curve{.name = to_string(r.scheme), .colour = colour++ % 5};
    for (const auto& [x, y] : r.trace) curve.y.push_back(y);
    chart.curves.push_back(std::move(curve));
    if (colour == 5) break;  // more lines than colours say nothing
  }
  return chart;
}

void write_page(const std::string& path,
                const std::vector<SchemeReport>& reports,
                const HotWaterScenario& s) {
  report::Page page("Hot water at a distant tap");
  for (const auto& text : science::hot_water_warnings(s, reports)) {
    page.warning(text);
  }
  report::Table table{.columns = kColumns};
  report::Bars waits{.title = "Waiting", .unit = "seconds a day"};
  report::Bars energy{.title = "Heat and electricity", .unit = "kWh a year"};
  for (const SchemeReport& r : reports) {
    table.rows.push_back(cells_of(r, s));
    waits.rows.emplace_back(to_string(r.scheme), r.waiting_s / s.days);
    energy.rows.emplace_back(to_string(r.scheme),
                             kwh(r.heat_j + r.electric_j, s));
  }
  page.table(table);
  page.chart(trace_chart(reports));
  page.bars(waits);
  page.bars(energy);
  io::write_file(path, page.html());
}

}  // namespace

int run_hot_water(const HotWaterOptions& o, Console& console) {
  if (o.example) {
    console.print(science::hot_water_example());
    return 0;
  }
  HotWaterScenario s =
      o.scenario.empty()
          ? science::read_hot_water(science::hot_water_example(), "example")
          : science::read_hot_water(io::read_file(o.scenario, kScenarioBytes),
                                    o.scenario);
  if (!o.schemes.empty()) {
    s.schemes.clear();
    for (const auto& name : o.schemes) {
      s.schemes.push_back(science::scheme_named(name));
    }
  }
  std::vector<SchemeReport> reports;
  TaskBar bar(console);
  for (const auto scheme : s.schemes) {
    reports.push_back(science::simulate(s, scheme));
    bar.update(static_cast<double>(reports.size()),
               static_cast<double>(s.schemes.size()),
               std::string("scheme ") + to_string(scheme));
  }
  bar.end();
  for (const auto& text : science::hot_water_warnings(s, reports)) {
    console.note("kexue: warning: " + text);
  }
  if (!o.page.empty()) write_page(o.page, reports, s);
  if (!console.json()) {
    print_table(reports, s, console);
    return 0;
  }
  Json out = {{"days", s.days}, {"step_seconds", s.step_s}};
  out["schemes"] = Json::array();
  for (const SchemeReport& r : reports) out["schemes"].push_back(json_of(r, s));
  console.print_line(out.dump());
  return 0;
}

}  // namespace kexue::cli
