// What a scenario must fulfil before it is simulated.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/science/hot_water.h"

namespace kexue::science {
namespace {

constexpr double kDay = 86'400;

class Check final {
 public:
  Check(const HotWaterScenario& s, const std::string& where)
      : s_(s), where_(where) {}

  void run() const {
    signs();
    sizes();
    temperatures();
    heater();
    tank("tank.set", s_.tank_c, s_.tank_w, s_.tank_loss_w_k);
    times();
    draws();
  }

 private:
  [[noreturn]] void refuse(const std::string& place,
                           const std::string& text) const {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: {}: {}", where_, place, text));
  }

  void signs() const {
    const std::pair<const char*, double> positive[] = {
        {"home.length", s_.pipe_m},
        {"home.diameter", s_.diameter_m},
        {"pump.flow", s_.pump_m3s},
        {"pump.power", s_.pump_w},
        {"control.max_run", s_.max_run_s},
        {"run.step", s_.step_s},
        {"tank.volume", s_.tank_m3},
        {"tank.power", s_.tank_w},
        {"thin.diameter", s_.thin_diameter_m}};
    for (const auto& [place, value] : positive) {
      if (!(value > 0))
        refuse(place, fmt::format("got {}, wanted more than 0", value));
    }
    const std::pair<const char*, double> not_negative[] = {
        {"home.loss", s_.loss_w_mk},
        {"home.outer", s_.outer_m},
        {"thin.loss", s_.thin_loss_w_mk},
        {"heater.power", s_.heater_w},
        {"heater.tank", s_.heater_tank_m3},
        {"heater.tank_loss", s_.heater_tank_loss_w_k},
        {"heater.min_flow", s_.heater_min_m3s},
        {"heater.delay", s_.heater_delay_s},
        {"control.lead", s_.lead_s},
        {"control.pull", s_.cold_pull},
        {"tank.loss", s_.tank_loss_w_k},
        {"prices.heat", s_.heat_price},
        {"prices.power", s_.power_price},
        {"prices.water", s_.water_price}};
    for (const auto& [place, value] : not_negative) {
      if (!(value >= 0))
        refuse(place, fmt::format("got {}, wanted 0 or more", value));
    }
  }

  // Nothing that a home has, and what would leave the range of numbers.
  void sizes() const {
    const std::tuple<const char*, double, double> at_most[] = {
        {"home.length", s_.pipe_m, 1e4},
        {"home.diameter", s_.diameter_m, 1},
        {"home.loss", s_.loss_w_mk, 1e4},
        {"home.outer", s_.outer_m, 2},
        {"thin.diameter", s_.thin_diameter_m, 1},
        {"thin.loss", s_.thin_loss_w_mk, 1e4},
        {"heater.power", s_.heater_w, 1e8},
        {"heater.tank", s_.heater_tank_m3, 1e3},
        {"heater.tank_loss", s_.heater_tank_loss_w_k, 1e4},
        {"heater.min_flow", s_.heater_min_m3s, 1},
        {"heater.delay", s_.heater_delay_s, 3600},
        {"pump.flow", s_.pump_m3s, 1},
        {"pump.power", s_.pump_w, 1e6},
        {"control.lead", s_.lead_s, kDay},
        {"control.max_run", s_.max_run_s, kDay},
        {"control.pull", s_.cold_pull, 1},
        {"tank.volume", s_.tank_m3, 1e3},
        {"tank.power", s_.tank_w, 1e8},
        {"tank.loss", s_.tank_loss_w_k, 1e4}};
    for (const auto& [place, value, limit] : at_most) {
      if (value > limit)
        refuse(place, fmt::format("got {}, wanted at most {}", value, limit));
    }
    if (s_.pump_m3s < 1e-7) refuse("pump.flow", "less than 0.006 L/min");
    if (s_.outer_m > 0 && s_.outer_m <= s_.diameter_m) {
      refuse("home.outer",
             fmt::format("{} m is not more than home.diameter, {} m",
                         s_.outer_m,
                         s_.diameter_m));
    }
  }

  void below(const char* place,
             double low,
             double high,
             const char* other) const {
    if (low < high) return;
    refuse(place, fmt::format("{} C is not below {}, {} C", low, other, high));
  }

  void temperatures() const {
    const std::tuple<const char*, double, double, double> ranges[] = {
        {"home.ambient", s_.ambient_c, -50, 100},
        {"home.cold", s_.cold_c, 0, 100},
        {"heater.set", s_.set_c, 0, 100},
        {"tank.set", s_.tank_c, 0, 100}};
    for (const auto& [place, value, low, high] : ranges) {
      if (!(value >= low && value <= high)) {
        refuse(place,
               fmt::format("got {} C, wanted {} C to {} C", value, low, high));
      }
    }
    below("home.cold", s_.cold_c, s_.use_c, "home.use");
    below("home.use", s_.use_c, s_.set_c, "heater.set");
    below("control.on", s_.on_c, s_.off_c, "control.off");
    // A tank may be as cold as its thermostat lets it.
    const double sure =
        s_.heater_tank_m3 > 0 ? s_.set_c - s_.heater_band_k : s_.set_c;
    for (const auto& [place, value] : {std::pair{"control.stop", s_.stop_c},
                                       std::pair{"control.off", s_.off_c}}) {
      if (value <= sure) continue;
      refuse(place,
             fmt::format("stop temperature unreachable: {} C is above "
                         "heater.set{}, {} C",
                         value,
                         sure < s_.set_c ? " - heater.band" : "",
                         sure));
    }
  }

  void heater() const {
    if (s_.heater_tank_m3 <= 0) return;
    if (!(s_.heater_w > 0)) refuse("heater.power", "a tank needs a power");
    if (!(s_.heater_band_k >= 0.1 && s_.heater_band_k <= 100)) {
      refuse("heater.band",
             fmt::format("got {} K, wanted 0.1 K to 100 K", s_.heater_band_k));
    }
    if (s_.heater_min_m3s > 0 || s_.heater_delay_s > 0) {
      refuse("heater.tank", "has neither heater.min_flow nor heater.delay");
    }
    tank("heater.set", s_.set_c, s_.heater_w, s_.heater_tank_loss_w_k);
  }

  void tank(const char* place, double set, double watt, double loss) const {
    below("home.ambient", s_.ambient_c, set, place);
    const double reach = s_.ambient_c + (loss > 0 ? watt / loss : 1e9);
    below(place, set, reach, "what its power reaches");
  }

  void times() const {
    if (s_.days < 1 || s_.days > 3660)
      refuse("run.days", fmt::format("got {}, wanted 1 to 3660", s_.days));
    if (!(s_.step_s <= 10 && s_.step_s >= 0.01)) {
      refuse("run.step",
             fmt::format("got {} s, wanted 0.01 s to 10 s", s_.step_s));
    }
    if (s_.schemes.empty()) refuse("run.schemes", "no scheme");
    double end = 0;
    for (const auto& [from, to] : s_.windows) {
      if (!(from < to) || from < end || to > kDay) {
        refuse("control.windows",
               "windows must rise and stay within 00:00 to 24:00");
      }
      end = to;
    }
    double last = -1;
    for (const double at : s_.presses) {
      if (!(at > last && at < kDay)) {
        refuse("control.presses", "times must rise, from 00:00 to 23:59");
      }
      last = at;
    }
  }

  void draws() const {
    if (s_.draws.empty()) refuse("draw", "no draw");
    double end = 0;
    for (size_t i = 0; i < s_.draws.size(); ++i) {
      const Draw& d = s_.draws[i];
      const std::string place = fmt::format("draw[{}]", i);
      if (!(d.for_s > 0) || !(d.flow_m3s > 0))
        refuse(place, "time and flow must be more than 0");
      if (d.flow_m3s > 1) refuse(place, "more than 1 m3 in a second");
      if (!(d.at_s >= 0 && d.at_s + d.for_s <= kDay))
        refuse(place, "not within 00:00 to 24:00");
      if (d.at_s < end)
        refuse(place, "begins before the draw in front of it ends");
      end = d.at_s + d.for_s;
    }
  }

  const HotWaterScenario& s_;
  const std::string& where_;
};

}  // namespace

void HotWaterScenario::check(const std::string& where) const {
  Check(*this, where).run();
}

}  // namespace kexue::science
