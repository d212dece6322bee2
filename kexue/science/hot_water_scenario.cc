// Names, checks and warnings of scenarios.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/science/hot_water.h"

namespace kexue::science {
namespace {

constexpr double kDay = 86'400;
constexpr double kFilterLimit = 38;

struct SchemeRow {
  Scheme scheme;
  const char* name;
  const char* text;
};
constexpr SchemeRow kSchemes[] = {
    {Scheme::kN, "N", "nothing: wait for the pipe to empty"},
    {Scheme::kR1, "R1", "return pipe, thermostat all day"},
    {Scheme::kR1T, "R1T", "return pipe, thermostat inside the windows"},
    {Scheme::kR1B, "R1B", "return pipe, button, fills both pipes"},
    {Scheme::kR2, "R2", "return pipe, button, fills the hot pipe"},
    {Scheme::kR3, "R3", "return pipe, button, stops when hot"},
    {Scheme::kR4, "R4", "R3 with a check valve"},
    {Scheme::kC1, "C1", "cold pipe as return, button, fixed time"},
    {Scheme::kC2, "C2", "cold pipe as return, thermostatic valve"},
    {Scheme::kC3, "C3", "cold pipe as return, solenoid valve"},
    {Scheme::kD, "D", "button, drains to the sewer until hot"},
    {Scheme::kH, "H", "electric buffer tank at the tap"},
    {Scheme::kB, "B", "thinner, better insulated pipe"}};

const SchemeRow& row_of(Scheme scheme) {
  for (const SchemeRow& row : kSchemes) {
    if (row.scheme == scheme) return row;
  }
  return kSchemes[0];
}

[[noreturn]] void refuse(const std::string& where,
                         const char* place,
                         const std::string& text) {
  throw Error(Code::kInvalidArgument,
              fmt::format("{}: {}: {}", where, place, text));
}

}  // namespace

std::vector<Scheme> all_schemes() {
  std::vector<Scheme> out;
  for (const SchemeRow& row : kSchemes) out.push_back(row.scheme);
  return out;
}

const char* to_string(Scheme scheme) {
  return row_of(scheme).name;
}

const char* description(Scheme scheme) {
  return row_of(scheme).text;
}

Scheme scheme_named(const std::string& name) {
  std::string known;
  for (const SchemeRow& row : kSchemes) {
    if (name == row.name) return row.scheme;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(Code::kNotFound,
              fmt::format("no scheme \"{}\"", io::printable(name)),
              "known are " + known);
}

void HotWaterScenario::check(const std::string& where) const {
  const std::pair<const char*, double> positive[] = {
      {"home.length", pipe_m},
      {"home.diameter", diameter_m},
      {"pump.flow", pump_m3s},
      {"pump.power", pump_w},
      {"control.max_run", max_run_s},
      {"run.step", step_s},
      {"tank.volume", tank_m3},
      {"tank.power", tank_w},
      {"thin.diameter", thin_diameter_m}};
  for (const auto& [place, value] : positive) {
    if (!(value > 0))
      refuse(where, place, fmt::format("got {}, wanted more than 0", value));
  }
  const std::pair<const char*, double> not_negative[] = {
      {"home.loss", loss_w_mk},
      {"thin.loss", thin_loss_w_mk},
      {"heater.power", heater_w},
      {"heater.min_flow", heater_min_m3s},
      {"heater.delay", heater_delay_s},
      {"control.lead", lead_s},
      {"tank.loss", tank_loss_w_k},
      {"prices.heat", heat_price},
      {"prices.power", power_price},
      {"prices.water", water_price}};
  for (const auto& [place, value] : not_negative) {
    if (!(value >= 0))
      refuse(where, place, fmt::format("got {}, wanted 0 or more", value));
  }
  const auto below =
      [&](const char* place, double low, double high, const char* other) {
        if (low < high) return;
        refuse(where,
               place,
               fmt::format("{} C is not below {}, {} C", low, other, high));
      };
  below("home.cold", cold_c, use_c, "home.use");
  below("home.use", use_c, set_c, "heater.set");
  below("control.on", on_c, off_c, "control.off");
  if (stop_c > set_c) {
    refuse(where,
           "control.stop",
           fmt::format(
               "stop temperature unreachable: {} C is above heater.set, {} C",
               stop_c,
               set_c));
  }
  if (off_c > set_c) {
    refuse(where,
           "control.off",
           fmt::format(
               "stop temperature unreachable: {} C is above heater.set, {} C",
               off_c,
               set_c));
  }
  below("home.ambient", ambient_c, tank_c, "tank.set");
  const double reach =
      ambient_c + (tank_loss_w_k > 0 ? tank_w / tank_loss_w_k : 1e9);
  below("tank.set", tank_c, reach, "what its power reaches");
  if (days < 1 || days > 3660)
    refuse(where, "run.days", fmt::format("got {}, wanted 1 to 3660", days));
  if (step_s > 10 || step_s < 0.01)
    refuse(where,
           "run.step",
           fmt::format("got {} s, wanted 0.01 s to 10 s", step_s));
  if (draws.empty()) refuse(where, "draw", "no draw");
  double end = 0;
  for (size_t i = 0; i < draws.size(); ++i) {
    const Draw& d = draws[i];
    const std::string place = fmt::format("draw[{}]", i);
    if (!(d.for_s > 0) || !(d.flow_m3s > 0))
      refuse(where, place.c_str(), "time and flow must be more than 0");
    if (d.at_s < 0 || d.at_s + d.for_s > kDay)
      refuse(where, place.c_str(), "not within 00:00 to 24:00");
    if (d.at_s < end)
      refuse(
          where, place.c_str(), "begins before the draw in front of it ends");
    end = d.at_s + d.for_s;
  }
  double window_end = 0;
  for (const auto& [from, to] : windows) {
    if (!(from < to) || from < window_end || to > kDay) {
      refuse(where,
             "control.windows",
             "windows must rise and stay within 00:00 to 24:00");
    }
    window_end = to;
  }
}

std::vector<std::string> hot_water_warnings(
    const HotWaterScenario& scenario,
    const std::vector<SchemeReport>& reports) {
  std::vector<std::string> out;
  for (const SchemeReport& r : reports) {
    const std::string name = to_string(r.scheme);
    if (r.timeouts > 0) {
      out.push_back(
          fmt::format("{}: the pump reached its longest run {} times "
                      "before the stop temperature",
                      name,
                      r.timeouts));
    }
    if (scenario.ro_filter && name[0] == 'C' &&
        std::max(r.warmest_return_c, scenario.stop_c) > kFilterLimit) {
      out.push_back(
          fmt::format("{}: water of up to {:.1f} C may enter the cold "
                      "pipe, a reverse osmosis filter takes {} C",
                      name,
                      std::max(r.warmest_return_c, scenario.stop_c),
                      kFilterLimit));
    }
  }
  return out;
}

}  // namespace kexue::science
