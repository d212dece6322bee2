#include "kexue/science/hydro.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kexue/base/error.h"

namespace kexue::science {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kMergeKelvin = 1e-5;

}  // namespace

double pipe_loss(const PipeWall& w) {
  const double outside = w.outer_m + 2 * w.foam_m;
  const double resistance =
      1 / (kPi * w.inner_m * w.inner_film) +
      std::log(w.outer_m / w.inner_m) / (2 * kPi * w.wall_w_mk) +
      std::log(outside / w.outer_m) / (2 * kPi * w.foam_w_mk) +
      1 / (kPi * outside * w.outer_film);
  return 1 / resistance;
}

double wall_ratio(double inner_m, double outer_m, double heat_j_m3k) {
  const double squares = outer_m * outer_m / (inner_m * inner_m);
  return heat_j_m3k / kWaterHeatByVolume * (squares - 1);
}

double hot_fraction(double use_c, double hot_c, double cold_c) {
  return (use_c - cold_c) / (hot_c - cold_c);
}

Pipe::Pipe(double length_m,
           double diameter_m,
           double loss_w_mk,
           double ambient_c,
           double start_c)
    : volume_(kPi / 4 * diameter_m * diameter_m * length_m),
      tau_(loss_w_mk > 0 ? kWaterHeatByVolume * kPi / 4 * diameter_m *
                               diameter_m / loss_w_mk
                         : kInfinite),
      ambient_(ambient_c),
      ring_(16) {
  if (!(length_m > 0) || !(diameter_m > 0) || !(loss_w_mk >= 0)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a pipe of {} m, {} m wide with {} W/(m K), wanted "
                            "positive sizes",
                            length_m,
                            diameter_m,
                            loss_w_mk));
  }
  ring_[0] = {volume_, start_c - ambient_c, 0};
}

double Pipe::excess_at(const Slug& s, double now) const {
  return s.excess * std::exp(-(now - s.since) / tau_);
}

void Pipe::cool(Slug& s, double now) {
  const double after = excess_at(s, now);
  lost_ += kWaterHeatByVolume * s.volume * (s.excess - after);
  s.excess = after;
  s.since = now;
}

double Pipe::take(double volume, double now, bool from_far_end) {
  double left = volume;
  double sum = 0;
  while (left > 0 && count_ > 0) {
    Slug& s = slug(from_far_end ? count_ - 1 : 0);
    cool(s, now);
    const double part = std::min(left, s.volume);
    sum += part * s.excess;
    left -= part;
    // What rounding leaves of a slug is no slug.
    if (s.volume - part > 1e-12 * volume_) {
      s.volume -= part;
      break;
    }
    if (!from_far_end) first_ = (first_ + 1) % ring_.size();
    --count_;
  }
  return sum;
}

void Pipe::add(double volume, double excess, double now, bool at_far_end) {
  if (count_ > 0) {
    Slug& near = slug(at_far_end ? count_ - 1 : 0);
    if (std::abs(excess_at(near, now) - excess) < kMergeKelvin) {
      cool(near, now);
      const double total = near.volume + volume;
      near.excess = (near.excess * near.volume + excess * volume) / total;
      near.volume = total;
      return;
    }
  }
  if (count_ == ring_.size()) {
    std::vector<Slug> larger;
    for (size_t i = 0; i < count_; ++i) larger.push_back(slug(i));
    larger.resize(2 * ring_.size());
    ring_ = std::move(larger);
    first_ = 0;
  }
  if (!at_far_end) first_ = (first_ + ring_.size() - 1) % ring_.size();
  ++count_;
  slug(at_far_end ? count_ - 1 : 0) = {volume, excess, now};
}

double Pipe::push(double volume, double in_c, double now) {
  if (volume <= 0) return outlet(now);
  const double inside = std::min(volume, volume_);
  const double sum = take(inside, now, true);
  add(inside, in_c - ambient_, now, false);
  // More than the pipe holds: the rest goes straight through.
  return ambient_ + (sum + (volume - inside) * (in_c - ambient_)) / volume;
}

double Pipe::push_back(double volume, double in_c, double now) {
  if (volume <= 0) return ambient_ + excess_at(slug(0), now);
  const double inside = std::min(volume, volume_);
  const double sum = take(inside, now, false);
  add(inside, in_c - ambient_, now, true);
  return ambient_ + (sum + (volume - inside) * (in_c - ambient_)) / volume;
}

double Pipe::outlet(double now) const {
  return ambient_ + excess_at(slug(count_ - 1), now);
}

double Pipe::outlet_below_at(double limit_c, double now) const {
  const double excess = excess_at(slug(count_ - 1), now);
  const double limit = limit_c - ambient_;
  if (excess < limit) return now;
  if (limit <= 0 || std::isinf(tau_)) return kInfinite;
  return now + tau_ * std::log(excess / limit);
}

double Pipe::stored(double reference_c, double now) {
  double sum = 0;
  for (size_t i = 0; i < count_; ++i) {
    cool(slug(i), now);
    sum += slug(i).volume * (slug(i).excess + ambient_ - reference_c);
  }
  return kWaterHeatByVolume * sum;
}

double MixedTank::rate(double flow_m3s) const {
  return flow_m3s / volume_m3 + loss_w_k / capacity();
}

double MixedTank::target(double power_w, double flow_m3s, double in_c) const {
  return (flow_m3s / volume_m3 * in_c + power_w / capacity() +
          loss_w_k / capacity() * ambient_c) /
         rate(flow_m3s);
}

double MixedTank::after(double from_c,
                        double seconds,
                        double power_w,
                        double flow_m3s,
                        double in_c) const {
  const double r = rate(flow_m3s);
  if (r == 0) return from_c + power_w / capacity() * seconds;
  const double to = target(power_w, flow_m3s, in_c);
  return to + (from_c - to) * std::exp(-r * seconds);
}

double MixedTank::mean(double from_c,
                       double seconds,
                       double power_w,
                       double flow_m3s,
                       double in_c) const {
  const double r = rate(flow_m3s);
  if (r * seconds == 0) return from_c + power_w / capacity() * seconds / 2;
  const double to = target(power_w, flow_m3s, in_c);
  return to - (from_c - to) * std::expm1(-r * seconds) / (r * seconds);
}

double MixedTank::seconds_to(double from_c,
                             double to_c,
                             double power_w,
                             double flow_m3s,
                             double in_c) const {
  const double r = rate(flow_m3s);
  if (r == 0) {
    const double t = (to_c - from_c) * capacity() / power_w;
    return t >= 0 ? t : kInfinite;
  }
  const double end = target(power_w, flow_m3s, in_c);
  const double ratio = (to_c - end) / (from_c - end);
  return ratio > 0 && ratio <= 1 ? -std::log(ratio) / r : kInfinite;
}

double buffer_volume(double plug_m3, double tank_c, double in_c, double use_c) {
  return plug_m3 / std::log((tank_c - in_c) / (use_c - in_c));
}

}  // namespace kexue::science
