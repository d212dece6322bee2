// What a scenario must fulfil before it is simulated.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

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

  // Nothing that a home has not, and nothing that leaves the range of numbers.
  void sizes() const {
    constexpr double kAny = std::numeric_limits<double>::infinity();
    const struct {
      const char* place;
      double value;
      bool may_be_zero;
      double most;
    } all[] = {{"home.length", s_.pipe_m, false, 1e4},
               {"home.diameter", s_.diameter_m, false, 1},
               {"pump.flow", s_.pump_m3s, false, 1},
               {"pump.power", s_.pump_w, false, 1e6},
               {"control.max_run", s_.max_run_s, false, kDay},
               {"run.step", s_.step_s, false, kAny},
               {"tank.volume", s_.tank_m3, false, 1e3},
               {"tank.power", s_.tank_w, false, 1e8},
               {"thin.diameter", s_.thin_diameter_m, false, 1},
               {"home.loss", s_.loss_w_mk, true, 1e4},
               {"home.outer", s_.outer_m, true, 2},
               {"thin.loss", s_.thin_loss_w_mk, true, 1e4},
               {"heater.power", s_.heater_w, true, 1e8},
               {"heater.tank", s_.heater_tank_m3, true, 1e3},
               {"heater.tank_loss", s_.heater_tank_loss_w_k, true, 1e4},
               {"heater.min_flow", s_.heater_min_m3s, true, 1},
               {"heater.delay", s_.heater_delay_s, true, 3600},
               {"control.lead", s_.lead_s, true, kDay},
               {"control.pull", s_.cold_pull, true, 1},
               {"tank.loss", s_.tank_loss_w_k, true, 1e4},
               {"prices.heat", s_.heat_price, true, kAny},
               {"prices.power", s_.power_price, true, kAny},
               {"prices.water", s_.water_price, true, kAny}};
    for (const auto& [place, value, may_be_zero, most] : all) {
      if (may_be_zero ? !(value >= 0) : !(value > 0)) {
        refuse(place,
               fmt::format("got {}, wanted {}",
                           value,
                           may_be_zero ? "0 or more" : "more than 0"));
      }
    }
    for (const auto& [place, value, may_be_zero, most] : all) {
      if (value > most) {
        refuse(place, fmt::format("got {}, wanted at most {}", value, most));
      }
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
