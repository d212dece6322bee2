// kexue hot-water SCENARIO.toml: schemes for hot water at a distant tap.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/task_bar.h"
#include "kexue/io/atomic_file.h"
#include "kexue/report/page.h"
#include "kexue/science/hot_water.h"
#include "kexue/science/hot_water_compare.h"

namespace kexue::cli {
namespace {

using science::HotWaterScenario;
using science::HotWaterSweep;
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

Json draws_of(const SchemeReport& r) {
  Json out = Json::array();
  for (const science::DrawReport& d : r.draws) {
    out.push_back({{"water", d.is_cold ? "cold" : "hot"},
                   {"wait_seconds", d.wait_s},
                   {"litres_before_hot", d.before_hot_m3 * 1e3},
                   {"lowest_c", d.lowest_c},
                   {"mean_c", d.mean_c}});
  }
  return out;
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
          {"hot_pipe_loss_kwh_per_year", kwh(r.hot_loss_j, s)},
          {"return_pipe_loss_kwh_per_year", kwh(r.return_loss_j, s)},
          {"tank_loss_kwh_per_year", kwh(r.tank_loss_j, s)},
          {"pulled_kwh_per_year", kwh(r.pulled_j, s)},
          {"heater_starts_per_year",
           per_year(static_cast<double>(r.heater_starts), s)},
          {"pump_hours_per_year", per_year(r.pump_s, s) / 3600},
          {"longest_runs", r.timeouts},
          {"warmest_return_c", r.warmest_return_c},
          {"warmest_cold_c", r.warmest_cold_c},
          {"draws_first_day", draws_of(r)},
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

void print_rows(const std::vector<std::string>& head,
                const std::vector<std::vector<std::string>>& rows,
                Console& console) {
  std::string line;
  for (const auto& name : head) line += fmt::format("{:>11} ", name);
  console.print_line(line.substr(0, line.find_last_not_of(' ') + 1));
  for (const auto& cells : rows) {
    line.clear();
    for (size_t i = 0; i + 1 < cells.size(); ++i) {
      line += fmt::format("{:>11} ", cells[i]);
    }
    console.print_line(line + " " + cells.back());
  }
}

report::Table table_of(const std::vector<SchemeReport>& reports,
                       const HotWaterScenario& s) {
  report::Table out{.columns = kColumns};
  for (const SchemeReport& r : reports) out.rows.push_back(cells_of(r, s));
  return out;
}

report::Table table_of(const std::vector<science::PayBack>& all) {
  report::Table out{
      .columns = {"scheme", "kit", "saved /a", "hours /a", "pays back", ""}};
  for (const science::PayBack& p : all) {
    out.rows.push_back(
        {to_string(p.scheme),
         fmt::format("{:.0f}", p.kit_price),
         fmt::format("{:.2f}", p.saved),
         fmt::format("{:.1f}", p.hours_saved),
         std::isfinite(p.years) ? fmt::format("{:.1f} a", p.years) : "never",
         "hours: of waiting, saved"});
  }
  return out;
}

// Years that never end are null.
Json json_of(const science::PayBack& p) {
  Json out = {{"scheme", to_string(p.scheme)},
              {"kit_price", p.kit_price},
              {"saved_per_year", p.saved},
              {"hours_saved_per_year", p.hours_saved}};
  out["years"] = std::isfinite(p.years) ? Json(p.years) : Json(nullptr);
  return out;
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
                const std::vector<science::PayBack>& paid,
                const HotWaterScenario& s) {
  report::Page page("Hot water at a distant tap");
  for (const auto& text : science::hot_water_warnings(s, reports)) {
    page.warning(text);
  }
  report::Bars waits{.title = "Waiting", .unit = "seconds a day"};
  report::Bars energy{.title = "Heat and electricity", .unit = "kWh a year"};
  for (const SchemeReport& r : reports) {
    waits.rows.emplace_back(to_string(r.scheme), r.waiting_s / s.days);
    energy.rows.emplace_back(to_string(r.scheme),
                             kwh(r.heat_j + r.electric_j, s));
  }
  page.table(table_of(reports, s));
  if (!paid.empty()) page.table(table_of(paid));
  page.chart(trace_chart(reports));
  page.bars(waits);
  page.bars(energy);
  io::write_file(path, page.html());
}

std::vector<SchemeReport> simulate_all(const HotWaterScenario& s,
                                       TaskBar& bar,
                                       double done,
                                       double of) {
  std::vector<SchemeReport> out;
  for (const auto scheme : s.schemes) {
    out.push_back(science::simulate(s, scheme));
    bar.update(done + static_cast<double>(out.size()),
               of,
               std::string("scheme ") + to_string(scheme));
  }
  return out;
}

using SweepReports = std::vector<std::vector<SchemeReport>>;

// One line a scheme over the values.
report::Chart sweep_chart(const HotWaterSweep& sweep,
                          const SweepReports& reports,
                          const char* title,
                          const char* unit,
                          const std::function<double(const SchemeReport&)>& y) {
  report::Chart chart{.id = "sweep", .title = title, .y_title = unit};
  chart.x_title = sweep.key + ", " + sweep.unit;
  for (size_t i = 0; i < reports.size(); ++i) chart.x.push_back(sweep.shown(i));
  for (size_t k = 0; k < reports[0].size() && k < 5; ++k) {
    report::Curve curve{.name = to_string(reports[0][k].scheme),
                        .colour = static_cast<int>(k)};
    for (const auto& row : reports) curve.y.push_back(y(row[k]));
    chart.curves.push_back(std::move(curve));
  }
  return chart;
}

void write_sweep_page(const std::string& path,
                      const HotWaterSweep& sweep,
                      const SweepReports& reports,
                      const report::Table& table,
                      const HotWaterScenario& s) {
  report::Page page("Hot water, " + sweep.key);
  page.table(table);
  const auto wait = [&](const SchemeReport& r) { return r.waiting_s / s.days; };
  const auto energy = [&](const SchemeReport& r) {
    return kwh(r.heat_j + r.electric_j, s);
  };
  const auto cost = [&](const SchemeReport& r) { return per_year(r.cost, s); };
  page.chart(sweep_chart(sweep, reports, "Waiting", "seconds a day", wait));
  page.chart(sweep_chart(
      sweep, reports, "Heat and electricity", "kWh a year", energy));
  page.chart(sweep_chart(sweep, reports, "Running cost", "a year", cost));
  io::write_file(path, page.html());
}

int run_sweep(const HotWaterOptions& o,
              const HotWaterScenario& s,
              Console& console) {
  HotWaterSweep sweep = science::read_hot_water_sweep(o.sweep);
  std::sort(sweep.values.begin(), sweep.values.end());
  TaskBar bar(console);
  SweepReports reports;
  report::Table table{.columns = kColumns};
  table.columns.insert(table.columns.begin(), sweep.key);
  Json points = Json::array();
  const auto count = static_cast<double>(s.schemes.size());
  for (size_t i = 0; i < sweep.values.size(); ++i) {
    const HotWaterScenario at = science::swept(s, sweep, i);
    reports.push_back(
        simulate_all(at,
                     bar,
                     static_cast<double>(i) * count,
                     count * static_cast<double>(sweep.values.size())));
    Json point = {{"value", sweep.shown(i)}, {"schemes", Json::array()}};
    for (const SchemeReport& r : reports.back()) {
      auto cells = cells_of(r, at);
      cells.insert(cells.begin(),
                   fmt::format("{:g} {}", sweep.shown(i), sweep.unit));
      table.rows.push_back(std::move(cells));
      point["schemes"].push_back(json_of(r, at));
    }
    points.push_back(std::move(point));
  }
  bar.end();
  if (!o.page.empty()) write_sweep_page(o.page, sweep, reports, table, s);
  if (console.json()) {
    const Json out = {{"key", sweep.key},
                      {"unit", sweep.unit},
                      {"days", s.days},
                      {"points", points}};
    console.print_line(out.dump());
  } else {
    print_rows(table.columns, table.rows, console);
  }
  return 0;
}

int run_once(const HotWaterOptions& o,
             const HotWaterScenario& s,
             Console& console) {
  TaskBar bar(console);
  const auto reports =
      simulate_all(s, bar, 0, static_cast<double>(s.schemes.size()));
  bar.end();
  for (const auto& text : science::hot_water_warnings(s, reports)) {
    console.note("kexue: warning: " + text);
  }
  std::vector<science::PayBack> paid;
  if (!s.kit_prices.empty()) paid = science::pay_back(s, reports);
  if (!o.page.empty()) write_page(o.page, reports, paid, s);
  if (!console.json()) {
    print_rows(kColumns, table_of(reports, s).rows, console);
    if (paid.empty()) return 0;
    const report::Table table = table_of(paid);
    console.print_line("");
    print_rows(table.columns, table.rows, console);
    return 0;
  }
  Json out = {{"days", s.days}, {"step_seconds", s.step_s}};
  out["schemes"] = Json::array();
  for (const SchemeReport& r : reports) out["schemes"].push_back(json_of(r, s));
  if (!paid.empty()) out["pay_back"] = Json::array();
  for (const auto& p : paid) out["pay_back"].push_back(json_of(p));
  console.print_line(out.dump());
  return 0;
}

}  // namespace

int run_hot_water(const HotWaterOptions& o, Console& console) {
  if (o.example) {
    console.print(science::hot_water_example());
    return 0;
  }
  if (!o.preset.empty()) {
    console.print(science::hot_water_preset(science::scheme_named(o.preset)));
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
  return o.sweep.empty() ? run_once(o, s, console) : run_sweep(o, s, console);
}

}  // namespace kexue::cli
