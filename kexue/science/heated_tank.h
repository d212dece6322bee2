// A mixed tank with a thermostat of its own.
#pragma once

#include "kexue/science/hydro.h"

namespace kexue::science {

// Heated from `set - band` until `set`, where it starts. Time goes from call
// to call; every stretch between two switchings is taken in closed form.
class HeatedTank final {
 public:
  HeatedTank(const MixedTank& tank, double set_c, double band_k, double power_w)
      : tank_(tank),
        set_c_(set_c),
        band_k_(band_k),
        power_w_(power_w),
        now_c_(set_c) {}

  // Nothing flows until `now`.
  void rest_until(double now) { pass(now - now_, 0, 0); }
  // Flow through it for `seconds` from now on; returns the mean temperature of
  // what leaves.
  double pass(double seconds, double flow_m3s, double in_c);
  // J that came in beside pass().
  void add(double joules) { now_c_ += joules / tank_.capacity(); }

  double temperature() const { return now_c_; }
  double stored(double reference_c) const {
    return tank_.capacity() * (now_c_ - reference_c);
  }
  double heated() const { return heated_j_; }  // J, since the start
  double lost() const { return lost_j_; }

 private:
  double power();
  double advance(double seconds, double power, double flow, double in_c);

  MixedTank tank_;
  double set_c_, band_k_, power_w_;
  double now_c_;
  double now_ = 0;
  bool is_heating_ = false;
  double heated_j_ = 0, lost_j_ = 0;
};

}  // namespace kexue::science
