// Schemes that keep hot water ready at a distant tap, on one home, compared.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kexue::science {

// N none; R a return pipe with a pump: R1 thermostat all day, R1T only inside
// the windows, R1B button and a run that fills both pipes, R2 button and a run
// that fills the hot pipe, R3 button until the far end is hot, R4 as R3 with a
// check valve (the same here: both ends of the loop meet at one junction, so
// no draw drives water through it); C the cold pipe as return: C1 button and
// fixed time, its check valve lets draws of cold water pull hot water, C2
// thermostatic valve, which lets them while it is cold, C3 solenoid valve,
// which does not; D drains to the sewer; H an electric buffer tank at the tap;
// B a thinner or better insulated pipe.
// Source: articles 9405 and 10869; H and B are standard practice.
enum class Scheme {
  kN,
  kR1,
  kR1T,
  kR1B,
  kR2,
  kR3,
  kR4,
  kC1,
  kC2,
  kC3,
  kD,
  kH,
  kB
};
std::vector<Scheme> all_schemes();
const char* to_string(Scheme scheme);    // "R1T"
const char* description(Scheme scheme);  // a line
std::string scheme_names();              // "N, R1, ..."
// Errors: kNotFound listing all.
Scheme scheme_named(const std::string& name);

struct Draw {
  double at_s;  // after midnight
  double for_s;
  double flow_m3s;
  bool is_cold = false;  // of the cold tap, or a cistern beside it
};

// SI units, temperatures in degrees Celsius.
struct HotWaterScenario {
  double pipe_m = 15, diameter_m = 0.0154, loss_w_mk = 0.25;
  double outer_m = 0, wall_j_m3k = 0;  // 0: the wall holds no heat
  double ambient_c = 15, cold_c = 15, set_c = 50, use_c = 40;
  bool is_mixed = false;      // hot draws take water of use_c, else pure hot
  double heater_w = 0;        // 0: always enough
  double heater_min_m3s = 0;  // flow that lights it
  double heater_delay_s = 0;  // until it burns
  // A heater with a mixed tank, kept between set_c - band and set_c.
  double heater_tank_m3 = 0;  // 0: instantaneous
  double heater_tank_loss_w_k = 1.5, heater_band_k = 5;
  double pump_m3s = 1e-4, pump_w = 30;
  double on_c = 40, off_c = 45, stop_c = 40;
  bool stops_at_return = false;  // the probe of R3 and R4 on the return pipe
  double lead_s = 60, max_run_s = 300;
  // Times of day at which the button is pressed, or a pulse, a presence or a
  // schedule stands for it. Empty: lead_s ahead of every hot draw.
  std::vector<double> presses = {};
  std::vector<std::pair<double, double>> windows = {};  // of R1T
  double cold_pull = 0.5;  // part of a cold draw that comes as hot: C1, C2
  double tank_m3 = 0.006, tank_c = 60, tank_w = 1500, tank_loss_w_k = 0.8;
  double thin_diameter_m = 0.011, thin_loss_w_mk = 0.15;
  double heat_price = 0, power_price = 0, water_price = 0;  // J, J, m3
  std::map<Scheme, double> kit_prices = {};                 // parts, once
  bool has_ro_filter = false;
  std::vector<Draw> draws = {};
  int days = 365;
  double step_s = 0.25;
  std::vector<Scheme> schemes = all_schemes();

  // Errors: kInvalidArgument with `where` and the place: "home.length".
  void check(const std::string& where) const;
};

// A scenario file; every quantity is text with its unit, which is checked.
// Errors: kInvalidArgument with file, line, key, got and wanted.
HotWaterScenario read_hot_water(std::string_view toml,
                                const std::string& where);
// The scenario of the published comparison, as a file.
std::string_view hot_water_example();
// A file to start from that compares one scheme with none: what it is, what
// speaks for it and against it, and the keys that it needs.
std::string hot_water_preset(Scheme scheme);

struct DrawReport {
  bool is_cold = false;
  double wait_s = 0;
  double before_hot_m3 = 0;  // run off until then
  double lowest_c = 0;
  double mean_c = 0;
};

struct SchemeReport {
  Scheme scheme = Scheme::kN;
  std::vector<double> waits_s = {};    // of the first day's hot draws
  std::vector<DrawReport> draws = {};  // of the first day
  // Over the whole run:
  double waiting_s = 0;
  double cold_m3 = 0;  // run off before it was hot
  double drained_m3 = 0;
  double heat_j = 0;      // of the heater
  double electric_j = 0;  // pump and tank
  double loss_j = 0;      // all of these:
  double hot_loss_j = 0, return_loss_j = 0, tank_loss_j = 0;
  double pulled_j = 0;        // that cold draws took out of the hot pipe
  int64_t heater_starts = 0;  // times that flow lit it
  double pump_s = 0;
  double balance_error = 0;     // of all heat in, relative
  double warmest_return_c = 0;  // that entered the return or cold pipe
  double warmest_cold_c = 0;    // that a cold draw got
  int64_t timeouts = 0;         // button runs that max_run ended
  double cost = 0;
  // At the tap in the first draw of the last day: (seconds, degrees).
  std::vector<std::pair<double, double>> trace = {};
};

// Per step: cool, decide, push flow * step. Idle time is skipped exactly, as
// resting water only cools.
//
// Numerics: a wait is a multiple of the step; everything else depends on it
//           to about one step of flow in a draw.
SchemeReport simulate(const HotWaterScenario& scenario, Scheme scheme);
// What the user should know: an RO filter behind warm cold water...
std::vector<std::string> hot_water_warnings(const HotWaterScenario& scenario,
                                            const std::vector<SchemeReport>& r);

}  // namespace kexue::science
