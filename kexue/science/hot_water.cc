// The simulation itself.
#include <algorithm>
#include <cmath>

#include "kexue/science/hot_water.h"
#include "kexue/science/hydro.h"

namespace kexue::science {
namespace {

constexpr double kDay = 86'400;
constexpr double kTraceSeconds = 60;

enum class Trigger { kNever, kThermostat, kButton };

// One scheme on one home.
class Simulation final {
 public:
  Simulation(const HotWaterScenario& s, Scheme scheme)
      : s_(s),
        scheme_(scheme),
        hot_(s.pipe_m,
             scheme == Scheme::kB ? s.thin_diameter_m : s.diameter_m,
             scheme == Scheme::kB ? s.thin_loss_w_mk : s.loss_w_mk,
             s.ambient_c,
             s.cold_c),
        back_(s.pipe_m, s.diameter_m, s.loss_w_mk, s.ambient_c, s.cold_c),
        tank_{s.tank_m3, s.tank_loss_w_k, s.ambient_c},
        tank_c_(s.tank_c) {
    out_.scheme = scheme;
    out_.warmest_return_c = s.cold_c;
    step_count_ = 0;
  }

  SchemeReport run() {
    const double before = stored();
    for (int day = 0; day < s_.days; ++day) {
      for (size_t i = 0; i < s_.draws.size(); ++i) {
        const Draw& d = s_.draws[i];
        idle_until(step_at(day * kDay + d.at_s), day);
        draw(d, day, i == 0 && day == s_.days - 1);
      }
      idle_until(step_at((day + 1) * kDay), day);
    }
    const double after = stored();
    out_.loss_j = hot_.lost() + back_.lost() + tank_lost_;
    const double in = out_.heat_j + tank_j_;
    const double gone = delivered_ + drained_ + out_.loss_j + after - before;
    out_.balance_error = in > 0 ? std::abs(in - gone) / in : 0;
    out_.electric_j = out_.pump_s * s_.pump_w + tank_j_;
    out_.cost = out_.heat_j * s_.heat_price + out_.electric_j * s_.power_price +
                (out_.cold_m3 + out_.drained_m3) * s_.water_price;
    return out_;
  }

 private:
  // Time is a whole number of steps.
  int64_t step_at(double seconds) const {
    return std::llround(seconds / s_.step_s);
  }
  double now() const { return static_cast<double>(step_count_) * s_.step_s; }

  bool has_tank() const { return scheme_ == Scheme::kH; }

  double stored() {
    double sum = hot_.stored(s_.cold_c, now()) + back_.stored(s_.cold_c, now());
    if (has_tank()) sum += tank_.capacity() * (tank_c_ - s_.cold_c);
    return sum;
  }

  Trigger trigger() const {
    switch (scheme_) {
      case Scheme::kN:
      case Scheme::kH:
      case Scheme::kB:
        return Trigger::kNever;
      case Scheme::kR1:
      case Scheme::kR1T:
        return Trigger::kThermostat;
      default:
        return Trigger::kButton;
    }
  }

  // Heat that the heater gives to water of in_c; `running` is how long it has
  // flowed. Returns the temperature behind the heater.
  double heat(double in_c, double flow, double running) {
    double out = in_c;
    if (flow >= s_.heater_min_m3s && running >= s_.heater_delay_s) {
      out = std::max(in_c, s_.set_c);
      if (s_.heater_w > 0) {
        out = std::min(out, in_c + s_.heater_w / (kWaterHeatByVolume * flow));
      }
    }
    out_.heat_j += kWaterHeatByVolume * flow * s_.step_s * (out - in_c);
    return out;
  }

  void draw(const Draw& d, int day, bool traced) {
    const int64_t steps = step_at(d.for_s);
    const double volume = d.flow_m3s * s_.step_s;
    int64_t cold = 0;
    for (int64_t i = 0; i < steps; ++i) {
      const double running = static_cast<double>(i) * s_.step_s;
      double c = hot_.push(volume, heat(s_.cold_c, d.flow_m3s, running), now());
      if (has_tank()) c = through_tank(c, d.flow_m3s);
      delivered_ += kWaterHeatByVolume * volume * (c - s_.cold_c);
      if (c < s_.use_c) ++cold;
      if (traced && running <= kTraceSeconds) {
        out_.trace.emplace_back(running + s_.step_s, c);
      }
      ++step_count_;
    }
    const double wait = static_cast<double>(cold) * s_.step_s;
    if (day == 0) out_.waits_s.push_back(wait);
    out_.waiting_s += wait;
    out_.cold_m3 += wait * d.flow_m3s;
  }

  double tank_power() {
    if (tank_c_ < s_.tank_c - 5) heating_ = true;
    if (tank_c_ >= s_.tank_c) heating_ = false;
    return heating_ ? s_.tank_w : 0;
  }

  // The tank over some seconds; returns its mean temperature.
  double tank_step(double seconds, double power, double flow, double in_c) {
    const double mean = tank_.mean(tank_c_, seconds, power, flow, in_c);
    tank_c_ = tank_.after(tank_c_, seconds, power, flow, in_c);
    tank_j_ += power * seconds;
    tank_lost_ += tank_.loss_w_k * (mean - tank_.ambient_c) * seconds;
    return mean;
  }

  double through_tank(double in_c, double flow) {
    return tank_step(s_.step_s, tank_power(), flow, in_c);
  }

  // Heating and cooling in turn, each to its end in closed form.
  void rest_tank(double seconds) {
    while (seconds > 1e-9) {
      const double power = tank_power();
      const double limit = power > 0 ? s_.tank_c : s_.tank_c - 5;
      double part = tank_.seconds_to(tank_c_, limit, power);
      const bool ends = part <= seconds;
      part = std::min(part, seconds);
      tank_step(part, power, 0, 0);
      // On the limit but for rounding: the switch must see it.
      if (ends) {
        heating_ = power <= 0;
        if (power > 0) tank_c_ = std::max(tank_c_, s_.tank_c);
      }
      seconds -= part;
    }
  }

  void idle_until(int64_t end, int day) {
    const int64_t begin = step_count_;
    if (has_tank()) {
      rest_tank(static_cast<double>(end - begin) * s_.step_s);
    } else if (trigger() == Trigger::kThermostat) {
      keep_warm_until(end, day);
    } else if (trigger() == Trigger::kButton &&
               end < step_at((day + 1) * kDay)) {
      // Pressed ahead of the draw, or as soon as the last one is over.
      step_count_ = std::max(step_count_, end - step_at(s_.lead_s));
      press_until(end);
    }
    step_count_ = std::max(step_count_, end);
  }

  // The thermostat's next stretch: all day, or the next window.
  std::pair<int64_t, int64_t> stretch(int64_t end, int day) const {
    if (scheme_ == Scheme::kR1) return {step_count_, end};
    for (const auto& [from, to] : s_.windows) {
      const int64_t last = std::min(end, step_at(day * kDay + to));
      const int64_t first = std::max(step_count_, step_at(day * kDay + from));
      if (first < last) return {first, last};
    }
    return {end, end};
  }

  void keep_warm_until(int64_t end, int day) {
    while (step_count_ < end) {
      const auto [first, last] = stretch(end, day);
      step_count_ = first;
      while (step_count_ < last) {
        const double cold_at = hot_.outlet_below_at(s_.on_c, now());
        if (!(cold_at < static_cast<double>(last) * s_.step_s)) break;
        step_count_ = std::max(
            step_count_, static_cast<int64_t>(std::ceil(cold_at / s_.step_s)));
        const int64_t begin = step_count_;
        while (step_count_ < last && hot_.outlet(now()) < s_.off_c) {
          circulate(begin);
        }
        if (step_count_ == begin) ++step_count_;  // just not below yet
      }
      step_count_ = last;
    }
  }

  int64_t longest_run() const {
    const double fill = hot_.volume() / s_.pump_m3s;
    switch (scheme_) {
      case Scheme::kR2:
        return step_at(fill);
      case Scheme::kR1B:
      case Scheme::kC1:
        return step_at(2 * fill);
      default:
        return step_at(s_.max_run_s);
    }
  }

  bool is_timed() const {
    return scheme_ == Scheme::kR2 || scheme_ == Scheme::kR1B ||
           scheme_ == Scheme::kC1;
  }

  void press_until(int64_t end) {
    const int64_t begin = step_count_;
    const int64_t last = std::min(end, begin + longest_run());
    while (step_count_ < last) {
      if (!is_timed() && hot_.outlet(now()) >= s_.stop_c) return;
      circulate(begin);
    }
    if (!is_timed() && last < end && hot_.outlet(now()) < s_.stop_c) {
      ++out_.timeouts;
    }
  }

  // One step of the pump, or of the drain.
  void circulate(int64_t begin) {
    const double flow = s_.pump_m3s;
    const double volume = flow * s_.step_s;
    const double t = now();
    const double running = static_cast<double>(step_count_ - begin) * s_.step_s;
    if (scheme_ == Scheme::kD) {
      const double c = hot_.push(volume, heat(s_.cold_c, flow, running), t);
      drained_ += kWaterHeatByVolume * volume * (c - s_.cold_c);
      out_.drained_m3 += volume;
    } else {
      // The heater gets what leaves the return pipe in this step.
      const double in_c = back_.outlet(t);
      const double c = hot_.push(volume, heat(in_c, flow, running), t);
      const double returned = back_.push(volume, c, t);
      // The mean of the step, not only its first drop.
      out_.heat_j += kWaterHeatByVolume * volume * (in_c - returned);
      out_.warmest_return_c = std::max(out_.warmest_return_c, c);
      out_.pump_s += s_.step_s;
    }
    ++step_count_;
  }

  const HotWaterScenario& s_;
  Scheme scheme_;
  Pipe hot_;
  Pipe back_;  // the return or cold pipe
  MixedTank tank_;
  double tank_c_;
  bool heating_ = false;
  SchemeReport out_;
  int64_t step_count_ = 0;
  double delivered_ = 0, drained_ = 0, tank_j_ = 0, tank_lost_ = 0;
};

}  // namespace

SchemeReport simulate(const HotWaterScenario& scenario, Scheme scheme) {
  scenario.check("scenario");
  return Simulation(scenario, scheme).run();
}

}  // namespace kexue::science
