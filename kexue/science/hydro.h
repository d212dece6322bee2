// Water in pipes and tanks, with its heat. SI units but for temperatures,
// which are in degrees Celsius.
#pragma once

#include <cstddef>
#include <vector>

namespace kexue::science {

inline constexpr double kWaterDensity = 1000;  // kg/m3
inline constexpr double kWaterHeat = 4186;     // J/(kg K)
inline constexpr double kWaterHeatByVolume = kWaterDensity * kWaterHeat;

// Loss of a pipe in W/(m K), all resistances in series:
// 1 / [1/(pi di hi) + ln(do/di)/(2 pi kp) + ln(de/do)/(2 pi ki)
//      + 1/(pi de ho)], de = do + 2 foam.
// Source: textbook radial resistances.
struct PipeWall {
  double inner_m;
  double outer_m;
  double foam_m = 0;
  double inner_film = 1500;  // hi, W/(m2 K)
  double outer_film = 10;    // ho
  double wall_w_mk = 0.24;   // kp, PPR
  double foam_w_mk = 0.035;  // ki
};
double pipe_loss(const PipeWall& wall);

// Heat that a wall holds over that of the water in it:
// rho_p cp_p (do^2 - di^2) / (rho cp di^2), `heat_j_m3k` = rho_p cp_p. With the
// wall always as warm as its water a front moves at v / (1 + R), as in a pipe
// of 1 + R times the volume.
// Source: derived; instant equilibrium.
inline constexpr double kHeatOfPpr = 910.0 * 1900;     // J/(m3 K)
inline constexpr double kHeatOfCopper = 8960.0 * 385;  // J/(m3 K)
double wall_ratio(double inner_m, double outer_m, double heat_j_m3k);

// Hot fraction of water mixed from hot and cold.
double hot_fraction(double use_c, double hot_c, double cold_c);

// Plug flow with exact cooling: water is a list of slugs, so fronts stay
// sharp. Along a slug T(t) = Ta + (T0 - Ta) exp(-t / tau), tau = rho cp A / U'.
class Pipe final {
 public:
  Pipe(double length_m,
       double diameter_m,
       double loss_w_mk,
       double ambient_c,
       double start_c);

  double volume() const { return volume_; }  // m3
  double tau() const { return tau_; }        // s; infinite without loss

  // Puts `volume` of water in at one end and returns the mean temperature of
  // what leaves at the other, all at time `now`, which never goes back.
  double push(double volume, double in_c, double now);
  // The same in the opposite direction.
  double push_back(double volume, double in_c, double now);

  // Of the slug that leaves next.
  double outlet(double now) const;
  // The first time from `now` on at which a resting pipe's outlet is below.
  double outlet_below_at(double limit_c, double now) const;

  // J above `reference_c`; lost to the surroundings since the start.
  double stored(double reference_c, double now);
  double lost() const { return lost_; }

 private:
  struct Slug {
    double volume;
    double excess;  // over the ambient temperature, at `since`
    double since;
  };

  void cool(Slug& slug, double now);
  double excess_at(const Slug& slug, double now) const;
  double take(double volume, double now, bool from_far_end);
  void add(double volume, double excess, double now, bool at_far_end);
  Slug& slug(size_t i) { return ring_[(first_ + i) % ring_.size()]; }
  const Slug& slug(size_t i) const {
    return ring_[(first_ + i) % ring_.size()];
  }

  double volume_;
  double tau_;
  double ambient_;
  double lost_ = 0;
  // A ring buffer from the near end to the far end.
  std::vector<Slug> ring_;
  size_t first_ = 0;
  size_t count_ = 1;
};

// A fully mixed tank: C dT/dt = P - UA (T - Ta) - q rho cp (T - Tin).
struct MixedTank {
  double volume_m3;
  double loss_w_k;  // UA
  double ambient_c;

  double capacity() const { return kWaterHeatByVolume * volume_m3; }
  // Where T goes to, and how fast.
  double target(double power_w, double flow_m3s, double in_c) const;
  double rate(double flow_m3s) const;
  double after(double from_c,
               double seconds,
               double power_w,
               double flow_m3s = 0,
               double in_c = 0) const;
  // Mean temperature over these seconds.
  double mean(double from_c,
              double seconds,
              double power_w,
              double flow_m3s = 0,
              double in_c = 0) const;
  // Infinite if it is never reached.
  double seconds_to(double from_c,
                    double to_c,
                    double power_w,
                    double flow_m3s = 0,
                    double in_c = 0) const;
};

// Volume of a mixed tank at `tank_c` in series that keeps use_c while a plug
// of cold water passes: V / ln((Tt - Tin) / (Tuse - Tin)).
double buffer_volume(double plug_m3, double tank_c, double in_c, double use_c);

}  // namespace kexue::science
