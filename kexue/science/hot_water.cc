// The simulation itself.
#include <algorithm>
#include <cmath>
#include <optional>

#include "kexue/science/heated_tank.h"
#include "kexue/science/hot_water.h"
#include "kexue/science/hydro.h"

namespace kexue::science {
namespace {

constexpr double kDay = 86'400;
constexpr double kTraceSeconds = 60;
constexpr double kBufferBand = 5;

enum class Trigger { kNever, kThermostat, kButton };

// The pipe, larger by the heat that its wall holds.
Pipe pipe_of(const HotWaterScenario& s, bool is_thin) {
  const double inner = is_thin ? s.thin_diameter_m : s.diameter_m;
  double ratio = 0;
  if (s.outer_m > 0) {
    const double outer = inner + s.outer_m - s.diameter_m;
    ratio = wall_ratio(inner, outer, s.wall_j_m3k);
  }
  return Pipe(s.pipe_m,
              inner * std::sqrt(1 + ratio),
              is_thin ? s.thin_loss_w_mk : s.loss_w_mk,
              s.ambient_c,
              s.cold_c);
}

// Of a draw while it runs.
struct Tally {
  DrawReport report;
  double volume = 0, heat = 0;  // heat: m3 K

  void add(double part, double c) {
    report.lowest_c = volume > 0 ? std::min(report.lowest_c, c) : c;
    volume += part;
    heat += part * c;
    report.mean_c = heat / volume;
  }
};

// One scheme on one home.
class Simulation final {
 public:
  Simulation(const HotWaterScenario& s, Scheme scheme)
      : s_(s),
        scheme_(scheme),
        hot_(pipe_of(s, scheme == Scheme::kB)),
        back_(pipe_of(s, false)) {
    if (scheme == Scheme::kH) {
      buffer_.emplace(MixedTank{s.tank_m3, s.tank_loss_w_k, s.ambient_c},
                      s.tank_c,
                      kBufferBand,
                      s.tank_w);
    }
    if (s.heater_tank_m3 > 0) {
      boiler_.emplace(
          MixedTank{s.heater_tank_m3, s.heater_tank_loss_w_k, s.ambient_c},
          s.set_c,
          s.heater_band_k,
          s.heater_w);
    }
    out_.scheme = scheme;
    out_.warmest_return_c = out_.warmest_cold_c = s.cold_c;
  }

  SchemeReport run() {
    const double before = stored();
    for (int day = 0; day < s_.days; ++day) {
      for (size_t i = 0; i < s_.draws.size(); ++i) {
        const Draw& d = s_.draws[i];
        idle_until(step_at(day * kDay + d.at_s), day, !d.is_cold);
        if (d.is_cold) {
          cold_draw(d, day);
        } else {
          hot_draw(d, day);
        }
      }
      idle_until(step_at((day + 1) * kDay), day, false);
    }
    finish(before, stored());
    return out_;
  }

 private:
  void finish(double before, double after) {
    const double bought = buffer_ ? buffer_->heated() : 0;
    if (boiler_) out_.heat_j = boiler_->heated();
    out_.hot_loss_j = hot_.lost();
    out_.return_loss_j = back_.lost();
    out_.tank_loss_j =
        (buffer_ ? buffer_->lost() : 0) + (boiler_ ? boiler_->lost() : 0);
    out_.loss_j = out_.hot_loss_j + out_.return_loss_j + out_.tank_loss_j;
    const double in = out_.heat_j + bought;
    const double gone = delivered_ + drained_ + out_.loss_j + after - before;
    out_.balance_error = in > 0 ? std::abs(in - gone) / in : 0;
    out_.electric_j = out_.pump_s * s_.pump_w + bought;
    out_.cost = out_.heat_j * s_.heat_price + out_.electric_j * s_.power_price +
                (out_.cold_m3 + out_.drained_m3) * s_.water_price;
  }

  // Time is a whole number of steps.
  int64_t step_at(double seconds) const {
    return std::llround(seconds / s_.step_s);
  }
  double now() const { return static_cast<double>(step_count_) * s_.step_s; }

  bool is_cold_return() const {
    return scheme_ == Scheme::kC1 || scheme_ == Scheme::kC2 ||
           scheme_ == Scheme::kC3;
  }

  double stored() {
    double sum = hot_.stored(s_.cold_c, now()) + back_.stored(s_.cold_c, now());
    for (auto* tank : {&buffer_, &boiler_}) {
      if (!*tank) continue;
      (*tank)->rest_until(now());
      sum += (*tank)->stored(s_.cold_c);
    }
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

  // What comes out of the heater for water of in_c; `running` is how long it
  // has flowed.
  double heat(double in_c, double flow, double running) {
    if (running <= 0) is_lit_ = false;
    if (boiler_) {
      boiler_->rest_until(now());
      return boiler_->pass(s_.step_s, flow, in_c);
    }
    double out = in_c;
    if (flow >= s_.heater_min_m3s && running >= s_.heater_delay_s) {
      if (!is_lit_) ++out_.heater_starts;
      is_lit_ = true;
      out = std::max(in_c, s_.set_c);
      if (s_.heater_w > 0) {
        out = std::min(out, in_c + s_.heater_w / (kWaterHeatByVolume * flow));
      }
    }
    out_.heat_j += kWaterHeatByVolume * flow * s_.step_s * (out - in_c);
    return out;
  }

  // Hot water at the tap, behind the buffer tank if there is one.
  double hot_water(double flow, double running) {
    const double t = now();
    const double c =
        hot_.push(flow * s_.step_s, heat(s_.cold_c, flow, running), t);
    if (!buffer_) return c;
    buffer_->rest_until(t);
    return buffer_->pass(s_.step_s, flow, c);
  }

  // Cold water at the tap: only a pipe that serves as return gets warm.
  double cold_water(double flow) {
    if (!is_cold_return()) return s_.cold_c;
    return back_.push_back(flow * s_.step_s, s_.cold_c, now());
  }

  void deliver(double volume, double c, Tally& tally) {
    delivered_ += kWaterHeatByVolume * volume * (c - s_.cold_c);
    tally.add(volume, c);
  }

  // Part of the tap's water that is hot, so that the mixture is just right.
  double part_of_hot() const {
    const double c = buffer_ ? buffer_->temperature() : hot_.outlet(now());
    if (!s_.is_mixed || c <= s_.use_c) return 1;
    return hot_fraction(s_.use_c, c, s_.cold_c);
  }

  void hot_draw(const Draw& d, int day) {
    const int64_t steps = step_at(d.for_s);
    const bool traced = day == s_.days - 1 && out_.trace.empty();
    Tally tally;
    for (int64_t i = 0; i < steps; ++i) {
      const double running = static_cast<double>(i) * s_.step_s;
      const double hot = part_of_hot();
      double c = hot_water(hot * d.flow_m3s, running);
      const bool is_hot = c >= s_.use_c;
      if (hot < 1) c = hot * c + (1 - hot) * cold_water((1 - hot) * d.flow_m3s);
      deliver(d.flow_m3s * s_.step_s, c, tally);
      if (!is_hot) tally.report.wait_s += s_.step_s;
      if (traced && running <= kTraceSeconds) {
        out_.trace.emplace_back(running + s_.step_s, c);
      }
      ++step_count_;
    }
    tally.report.before_hot_m3 = tally.report.wait_s * d.flow_m3s;
    if (day == 0) {
      out_.waits_s.push_back(tally.report.wait_s);
      out_.draws.push_back(tally.report);
    }
    out_.waiting_s += tally.report.wait_s;
    out_.cold_m3 += tally.report.before_hot_m3;
  }

  // Part of a cold draw that comes through the valve between the pipes.
  double part_pulled() const {
    const bool is_open =
        scheme_ == Scheme::kC1 ||
        (scheme_ == Scheme::kC2 && hot_.outlet(now()) < s_.stop_c);
    return is_open ? s_.cold_pull : 0;
  }

  void cold_draw(const Draw& d, int day) {
    const int64_t steps = step_at(d.for_s);
    Tally tally;
    tally.report.is_cold = true;
    double running = 0;
    for (int64_t i = 0; i < steps; ++i) {
      const double pulled = part_pulled();
      double c = 0;
      if (pulled > 0) {
        c = pulled * hot_water(pulled * d.flow_m3s, running);
        running += s_.step_s;
        out_.pulled_j += kWaterHeatByVolume * d.flow_m3s * s_.step_s *
                         (c - pulled * s_.cold_c);
      }
      if (pulled < 1) {
        c += (1 - pulled) * cold_water((1 - pulled) * d.flow_m3s);
      }
      deliver(d.flow_m3s * s_.step_s, c, tally);
      out_.warmest_cold_c = std::max(out_.warmest_cold_c, c);
      ++step_count_;
    }
    if (day == 0) out_.draws.push_back(tally.report);
  }

  void idle_until(int64_t end, int day, bool is_before_hot) {
    if (trigger() == Trigger::kThermostat) {
      keep_warm_until(end, day);
    } else if (trigger() == Trigger::kButton && !s_.presses.empty()) {
      for (const double at : s_.presses) {
        const int64_t press = step_at(day * kDay + at);
        if (press < step_count_ || press >= end) continue;
        step_count_ = press;
        press_until(end);
      }
    } else if (trigger() == Trigger::kButton && is_before_hot) {
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

  // Where the probe sits that ends a run.
  bool has_reached_stop() const {
    const bool at_return = s_.stops_at_return &&
                           (scheme_ == Scheme::kR3 || scheme_ == Scheme::kR4);
    return (at_return ? back_ : hot_).outlet(now()) >= s_.stop_c;
  }

  void press_until(int64_t end) {
    const int64_t begin = step_count_;
    const int64_t last = std::min(end, begin + longest_run());
    while (step_count_ < last) {
      if (!is_timed() && has_reached_stop()) return;
      circulate(begin);
    }
    if (!is_timed() && last < end && !has_reached_stop()) ++out_.timeouts;
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
      const double missed = kWaterHeatByVolume * volume * (in_c - returned);
      if (boiler_) {
        boiler_->add(-missed);
      } else {
        out_.heat_j += missed;
      }
      out_.warmest_return_c = std::max(out_.warmest_return_c, c);
      out_.pump_s += s_.step_s;
    }
    ++step_count_;
  }

  const HotWaterScenario& s_;
  Scheme scheme_;
  Pipe hot_;
  Pipe back_;                         // the return or cold pipe
  std::optional<HeatedTank> buffer_;  // at the tap
  std::optional<HeatedTank> boiler_;  // the heater, if it has a tank
  bool is_lit_ = false;
  SchemeReport out_;
  int64_t step_count_ = 0;
  double delivered_ = 0, drained_ = 0;
};

}  // namespace

SchemeReport simulate(const HotWaterScenario& scenario, Scheme scheme) {
  scenario.check("scenario");
  return Simulation(scenario, scheme).run();
}

}  // namespace kexue::science
