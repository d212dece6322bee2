#include "kexue/science/detail/quantity.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace kexue::science::detail {

const Kind kLength = {
    "a length", "15 m", {{"m", 1}, {"cm", 1e-2}, {"mm", 1e-3}}};
const Kind kFlow = {"a flow",
                    "6 L/min",
                    {{"L/min", 1e-3 / 60},
                     {"L/s", 1e-3},
                     {"L/h", 1e-3 / 3600},
                     {"m3/h", 1.0 / 3600}}};
const Kind kTemperature = {"a temperature", "40 C", {{"C", 1}}};
const Kind kLoss = {"a loss of a pipe", "0.25 W/(m K)", {{"W/(m K)", 1}}};
const Kind kTankLoss = {"a loss of a tank", "1.5 W/K", {{"W/K", 1}}};
const Kind kPower = {"a power", "30 W", {{"W", 1}, {"kW", 1e3}}};
const Kind kTime = {"a time", "60 s", {{"s", 1}, {"min", 60}, {"h", 3600}}};
const Kind kVolume = {"a volume", "6 L", {{"L", 1e-3}, {"m3", 1}}};
const Kind kDegrees = {"a difference", "5 K", {{"K", 1}}};
const Kind kEnergyPrice = {
    "a price of energy", "0.6 /kWh", {{"/kWh", 1 / 3.6e6}, {"/MJ", 1e-6}}};
const Kind kWaterPrice = {
    "a price of water", "3 /m3", {{"/m3", 1}, {"/L", 1e3}}};

std::optional<Quantity> parse_quantity(std::string_view text,
                                       const Kind& kind) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  std::string_view unit(rest, static_cast<size_t>(end - rest));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& u : kind.units) {
    if (unit == u.name) return Quantity{value * u.factor, u};
  }
  return std::nullopt;
}

std::string wanted(const Kind& kind) {
  return fmt::format(
      "{} with its unit, such as \"{}\"", kind.what, kind.example);
}

std::string known_units(const Kind& kind) {
  std::string out;
  for (const Unit& u : kind.units) {
    out += (out.empty() ? "" : ", ") + std::string(u.name);
  }
  return out;
}

const std::vector<Field>& fields() {
  using S = HotWaterScenario;
  static const std::vector<Field> all = {
      {"home", "length", &S::pipe_m, &kLength},
      {"home", "diameter", &S::diameter_m, &kLength},
      {"home", "loss", &S::loss_w_mk, &kLoss},
      {"home", "ambient", &S::ambient_c, &kTemperature},
      {"home", "cold", &S::cold_c, &kTemperature},
      {"home", "use", &S::use_c, &kTemperature},
      {"heater", "set", &S::set_c, &kTemperature},
      {"heater", "power", &S::heater_w, &kPower},
      {"home", "outer", &S::outer_m, &kLength},
      {"heater", "tank", &S::heater_tank_m3, &kVolume},
      {"heater", "tank_loss", &S::heater_tank_loss_w_k, &kTankLoss},
      {"heater", "band", &S::heater_band_k, &kDegrees},
      {"heater", "min_flow", &S::heater_min_m3s, &kFlow},
      {"heater", "delay", &S::heater_delay_s, &kTime},
      {"pump", "flow", &S::pump_m3s, &kFlow},
      {"pump", "power", &S::pump_w, &kPower},
      {"control", "on", &S::on_c, &kTemperature},
      {"control", "off", &S::off_c, &kTemperature},
      {"control", "stop", &S::stop_c, &kTemperature},
      {"control", "lead", &S::lead_s, &kTime},
      {"control", "max_run", &S::max_run_s, &kTime},
      {"tank", "volume", &S::tank_m3, &kVolume},
      {"tank", "set", &S::tank_c, &kTemperature},
      {"tank", "power", &S::tank_w, &kPower},
      {"tank", "loss", &S::tank_loss_w_k, &kTankLoss},
      {"thin", "diameter", &S::thin_diameter_m, &kLength},
      {"thin", "loss", &S::thin_loss_w_mk, &kLoss},
      {"prices", "heat", &S::heat_price, &kEnergyPrice},
      {"prices", "power", &S::power_price, &kEnergyPrice},
      {"prices", "water", &S::water_price, &kWaterPrice},
      {"run", "step", &S::step_s, &kTime}};
  return all;
}

}  // namespace kexue::science::detail
