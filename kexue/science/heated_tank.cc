#include "kexue/science/heated_tank.h"

#include <algorithm>

namespace kexue::science {

double HeatedTank::power() {
  if (now_c_ < set_c_ - band_k_) is_heating_ = true;
  if (now_c_ >= set_c_) is_heating_ = false;
  return is_heating_ ? power_w_ : 0;
}

double HeatedTank::advance(double seconds,
                           double power,
                           double flow,
                           double in_c) {
  const double mean = tank_.mean(now_c_, seconds, power, flow, in_c);
  now_c_ = tank_.after(now_c_, seconds, power, flow, in_c);
  heated_j_ += power * seconds;
  lost_j_ += tank_.loss_w_k * (mean - tank_.ambient_c) * seconds;
  now_ += seconds;
  return mean;
}

double HeatedTank::pass(double seconds, double flow_m3s, double in_c) {
  double sum = 0;
  double left = seconds;
  while (left > 1e-9) {
    const double power = this->power();
    const double limit = power > 0 ? set_c_ : set_c_ - band_k_;
    const double to_limit =
        tank_.seconds_to(now_c_, limit, power, flow_m3s, in_c);
    const double part = std::min(to_limit, left);
    sum += part * advance(part, power, flow_m3s, in_c);
    // On the limit but for rounding: the switch must see it.
    if (to_limit <= left) {
      is_heating_ = power <= 0;
      if (power > 0) now_c_ = std::max(now_c_, set_c_);
    }
    left -= part;
  }
  return seconds > 0 ? sum / seconds : now_c_;
}

}  // namespace kexue::science
