#include "kexue/science/hot_water.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "kexue/science/heated_tank.h"
#include "kexue/science/hot_water_compare.h"
#include "kexue/science/hydro.h"
#include "tests/support/error_matchers.h"

namespace kexue::science {
namespace {

constexpr double kLitre = 1e-3;
constexpr double kPerMinute = kLitre / 60;
constexpr double kKwh = 3.6e6;

HotWaterScenario one_day(double loss = 0.25, double step = 0.25) {
  auto s = read_hot_water(hot_water_example(), "example");
  s.days = 1;
  s.loss_w_mk = loss;
  s.step_s = step;
  return s;
}

TEST(Pipe, FrontArrivesWhenTheVolumeHasPassed) {
  Pipe pipe(15, 0.0154, 0.25, 15, 15);
  EXPECT_NEAR(pipe.volume() / kLitre, 2.793975, 1e-6);
  EXPECT_NEAR(pipe.volume() / (8 * kPerMinute), 20.9548, 1e-4);
  EXPECT_NEAR(pipe.volume() / (6 * kPerMinute), 27.9398, 1e-4);
  EXPECT_NEAR(pipe.tau(), 3118.8216, 1e-4);
  Pipe wide(20, 0.02, 0, 15, 15);
  EXPECT_NEAR(wide.volume() / kLitre, 6.283185, 1e-6);
  // The outlet is cold to the last drop, then T = Ta + (Tin - Ta) e^(-t/tau).
  const double dt = 0.001;
  const double dv = 8 * kPerMinute * dt;
  double last = 15;
  int steps = 0;
  while (last < 40) last = pipe.push(dv, 50, dt * steps++);
  EXPECT_NEAR(steps * dt, 20.9548, 2 * dt);
  for (int i = 0; i < 10; ++i) last = pipe.push(dv, 50, dt * steps++);
  EXPECT_NEAR(last, 49.765626, 1e-4);
}

TEST(Pipe, SteadyOutlet) {
  for (const auto& [flow, want] :
       {std::pair{8.0, 49.6879}, std::pair{3.0, 49.1738}}) {
    Pipe pipe(20, 0.02, 0.25, 15, 15);
    double out = 0;
    for (int i = 0; i < 30'000; ++i) {
      out = pipe.push(flow * kPerMinute * 0.01, 50, 0.01 * i);
    }
    EXPECT_NEAR(out, want, 2e-4);
  }
}

TEST(Pipe, RestingWaterCools) {
  // Minutes from 50 to 40 degrees at 15.
  for (const auto& [loss, minutes] : {std::pair{0.25, 17.490},
                                      std::pair{0.15, 29.150},
                                      std::pair{0.4, 10.931},
                                      std::pair{0.8, 5.466}}) {
    Pipe pipe(15, 0.0154, loss, 15, 50);
    EXPECT_NEAR(pipe.outlet_below_at(40, 0) / 60, minutes, 5e-4);
    EXPECT_NEAR(pipe.outlet(minutes * 60), 40, 1e-3);
  }
  Pipe pipe(15, 0.0154, 0.25, 15, 45);
  EXPECT_NEAR(pipe.outlet_below_at(40, 0), 568.63, 5e-3);
  EXPECT_TRUE(std::isinf(Pipe(1, 0.1, 0, 15, 50).outlet_below_at(40, 0)));
  EXPECT_NEAR(Pipe(15, 0.0154, 0.25, 15, 50).stored(15, 0), 409345, 1);
}

TEST(Pipe, ReversingTheFlowRestoresTheProfile) {
  Pipe pipe(15, 0.0154, 0, 15, 20);
  const double part = pipe.volume() / 3;
  pipe.push(part, 50, 0);
  pipe.push(part, 30, 0);
  // 30, 50, 20 from the near end; out comes 20, then it goes back in.
  EXPECT_DOUBLE_EQ(pipe.push(part / 2, 10, 0), 20);
  EXPECT_DOUBLE_EQ(pipe.push_back(part / 2, 20, 0), 10);
  EXPECT_DOUBLE_EQ(pipe.push(part, 0, 0), 20);
  EXPECT_DOUBLE_EQ(pipe.push(part, 0, 0), 50);
  EXPECT_DOUBLE_EQ(pipe.push(part, 0, 0), 30);
  EXPECT_EQ(pipe.lost(), 0);
  // More than it holds goes straight through.
  EXPECT_NEAR(pipe.push(2 * pipe.volume(), 60, 0), 30, 1e-9);
}

TEST(Pipe, LossOfInsulation) {
  const double want[] = {0.56222, 0.25358, 0.17503, 0.14516};
  const double foam[] = {0, 0.009, 0.020, 0.030};
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(
        pipe_loss({.inner_m = 0.0154, .outer_m = 0.02, .foam_m = foam[i]}),
        want[i],
        5e-6);
  }
}

TEST(Tank, ClosedForms) {
  const MixedTank tank{0.06, 1.5, 20};
  EXPECT_NEAR(tank.seconds_to(15, 60, 2000) / 60, 95.447, 5e-4);
  EXPECT_NEAR(tank.seconds_to(55, 60, 2000) / 60, 10.768, 5e-4);
  EXPECT_NEAR(tank.seconds_to(60, 55, 0) / 3600, 6.2107, 5e-5);
  EXPECT_NEAR(tank.after(15, 95.447 * 60, 2000), 60, 1e-3);
  const double on = tank.seconds_to(55, 60, 2000);
  const double off = tank.seconds_to(60, 55, 0);
  EXPECT_NEAR(on / (on + off), 0.028084, 5e-7);
  EXPECT_NEAR(on / (on + off) * 2000 * 86400 / kKwh, 1.34806, 5e-6);
  const MixedTank bare{0.06, 0, 20};
  EXPECT_NEAR(
      bare.seconds_to(60, 40, 0, 6 * kPerMinute, 15) / 60, 5.8779, 5e-5);
  // The mean is the integral over the time.
  double sum = 0;
  for (int i = 0; i < 1000; ++i) sum += tank.after(15, 3.6 * (i + 0.5), 2000);
  EXPECT_NEAR(tank.mean(15, 3600, 2000), sum / 1000, 1e-5);
  EXPECT_NEAR(hot_fraction(40, 50, 15), 0.714286, 5e-7);
  EXPECT_NEAR(buffer_volume(2.793975, 60, 15, 40), 4.7534, 5e-5);
}

TEST(Tank, ThermostatHoldsIt) {
  HeatedTank tank({0.06, 1.5, 20}, 60, 5, 2000);
  const double days = 1000;
  for (int i = 1; i <= 5000; ++i) {
    tank.rest_until(i * days / 5000 * 86'400);
    EXPECT_GE(tank.temperature(), 55 - 1e-9);
    EXPECT_LE(tank.temperature(), 60 + 1e-9);
  }
  EXPECT_NEAR(tank.heated() / days / kKwh, 1.34806, 2e-3);
  EXPECT_NEAR(tank.heated() - tank.lost() - tank.stored(60), 0, 1);
  // More power than it needs, with flow: the switch is not overrun.
  HeatedTank strong({0.06, 1.5, 20}, 60, 5, 3e7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(strong.pass(10, 1e-4, 15), 60 + 1e-9);
    EXPECT_GE(strong.temperature(), 55 - 1e-9);
  }
  // A tank that is never drawn from, warmer than its thermostat asks for.
  HeatedTank warm({0.06, 1.5, 70}, 60, 5, 2000);
  warm.rest_until(1e6);
  EXPECT_EQ(warm.heated(), 0);
}

TEST(Pipe, WallsHoldHeat) {
  EXPECT_NEAR(1 + wall_ratio(0.0154, 0.020, kHeatOfPpr), 1.2836, 5e-5);
  EXPECT_NEAR(1 + wall_ratio(0.0139, 0.0159, kHeatOfCopper), 1.2542, 5e-5);
}

struct Want {
  std::vector<double> waits;
  double heat, loss, pump_min, drained_l;
};

TEST(Schemes, OneDayAsAnIndependentProgramHasIt) {
  const std::map<Scheme, Want> table = {
      {Scheme::kN, {{21, 0, 28, 28, 21, 28}, 6.186, 0.594, 0, 0}},
      {Scheme::kR1, {{0, 0, 21.75, 0, 0, 0}, 10.706, 4.540, 36.2, 0}},
      {Scheme::kR1T, {{0, 0, 28, 0, 0, 0}, 7.545, 1.596, 8.87, 0}},
      {Scheme::kR1B, {{0, 0, 0, 0, 0, 0}, 7.334, 1.170, 5.6, 0}},
      {Scheme::kR3, {{0, 0, 0, 0, 0, 0}, 6.754, 0.628, 2.33, 0}},
      {Scheme::kC3, {{0, 0, 0, 0, 0, 0}, 6.754, 0.628, 2.33, 0}},
      {Scheme::kD, {{0, 0, 0, 0, 0, 0}, 6.756, 0.604, 0, 14.0}}};
  for (const auto& [scheme, want] : table) {
    const auto r = simulate(one_day(), scheme);
    EXPECT_EQ(r.waits_s, want.waits) << to_string(scheme);
    EXPECT_NEAR(r.heat_j / kKwh, want.heat, 6e-4) << to_string(scheme);
    EXPECT_NEAR(r.loss_j / kKwh, want.loss, 6e-4) << to_string(scheme);
    EXPECT_NEAR(r.pump_s / 60, want.pump_min, 0.05) << to_string(scheme);
    EXPECT_NEAR(r.drained_m3 / kLitre, want.drained_l, 0.05);
  }
  const auto r1 = simulate(one_day(0.15), Scheme::kR1);
  EXPECT_NEAR(r1.heat_j / kKwh, 8.977, 6e-4);
  EXPECT_NEAR(r1.loss_j / kKwh, 2.719, 6e-4);
  EXPECT_EQ(r1.waiting_s, 0);
  EXPECT_NEAR(simulate(one_day(0.15), Scheme::kN).loss_j / kKwh, 0.512, 6e-4);
}

TEST(Schemes, EnergyBalanceCloses) {
  for (const Scheme scheme : all_schemes()) {
    auto s = one_day();
    s.days = 7;
    EXPECT_LT(simulate(s, scheme).balance_error, 1e-9) << to_string(scheme);
    s.loss_w_mk = 0;
    s.heater_w = 15'000;
    s.heater_min_m3s = 2 * kPerMinute;
    s.heater_delay_s = 3;
    const auto r = simulate(s, scheme);
    EXPECT_LT(r.balance_error, 1e-9) << to_string(scheme);
    if (scheme != Scheme::kH && scheme != Scheme::kB) {
      EXPECT_EQ(r.loss_j, 0);
    }
  }
}

// But for R1, whose draws may fall on its threshold (on = use).
TEST(Schemes, StepSizeMovesWaitsByOneStepOnly) {
  for (const Scheme scheme : all_schemes()) {
    if (scheme == Scheme::kR1) continue;
    const auto fine = simulate(one_day(0.25, 0.1), scheme);
    const auto rough = simulate(one_day(0.25, 1), scheme);
    for (size_t i = 0; i < fine.waits_s.size(); ++i) {
      EXPECT_NEAR(fine.waits_s[i], rough.waits_s[i], 1.1) << to_string(scheme);
    }
    EXPECT_NEAR(fine.heat_j / rough.heat_j, 1, 1e-3) << to_string(scheme);
  }
  auto warm = one_day(0.25, 0.1);
  warm.on_c = 42;  // a margin above what is used
  auto rough = warm;
  rough.step_s = 1;
  EXPECT_EQ(simulate(warm, Scheme::kR1).waiting_s, 0);
  EXPECT_EQ(simulate(rough, Scheme::kR1).waiting_s, 0);
}

TEST(Schemes, BufferTankFromItsOwnFormulaNeverWaits) {
  auto s = one_day();
  s.tank_m3 = 1.05 * buffer_volume(2.793975e-3, 55, 15, 40);
  EXPECT_EQ(simulate(s, Scheme::kH).waiting_s, 0);
  s.tank_m3 = 0.7 * buffer_volume(2.793975e-3, 60, 15, 40);
  EXPECT_GT(simulate(s, Scheme::kH).waiting_s, 0);
}

TEST(Schemes, PumpThatNeverGetsThereStopsAndSaysSo) {
  auto s = one_day();
  s.lead_s = 20;
  s.max_run_s = 10;
  const auto r = simulate(s, Scheme::kR3);
  EXPECT_GT(r.timeouts, 0);
  const auto warnings = hot_water_warnings(s, {r});
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("longest run"), std::string::npos);
  auto filter = one_day();
  filter.has_ro_filter = true;
  EXPECT_EQ(hot_water_warnings(filter, {simulate(filter, Scheme::kC1)}).size(),
            1u);
  EXPECT_TRUE(
      hot_water_warnings(filter, {simulate(filter, Scheme::kN)}).empty());
}

// One draw of cold water on a day without losses.
HotWaterScenario cold_day(double seconds) {
  auto s = one_day(0);
  s.draws = {{.at_s = 3600,
              .for_s = seconds,
              .flow_m3s = 6 * kPerMinute,
              .is_cold = true}};
  return s;
}

TEST(ColdDraws, PullHotWaterThroughAPlainValve) {
  const double per_litre = 4186 * 35;
  const double plug = 2.793975;
  // Half of 6 L/min for a minute is 3 L, the plug and a little hot water.
  auto r = simulate(cold_day(60), Scheme::kC1);
  EXPECT_NEAR(r.heat_j, 3 * per_litre, 1);
  EXPECT_NEAR(r.pulled_j, (3 - plug) * per_litre, 1);
  EXPECT_NEAR(r.warmest_cold_c, 15 + 35 / 2.0, 1e-6);
  EXPECT_EQ(r.heater_starts, 1);
  EXPECT_TRUE(r.waits_s.empty());
  ASSERT_EQ(r.draws.size(), 1u);
  EXPECT_TRUE(r.draws[0].is_cold);
  EXPECT_NEAR(r.draws[0].mean_c, 15 + 35 * (3 - plug) / 6, 1e-5);
  // A thermostatic valve closes when it gets warm.
  r = simulate(cold_day(600), Scheme::kC2);
  EXPECT_NEAR(r.heat_j, plug * per_litre, 0.02 * per_litre);
  EXPECT_EQ(r.heater_starts, 1);
  EXPECT_NEAR(simulate(cold_day(600), Scheme::kC1).heat_j, 30 * per_litre, 1);
  // Nothing else lets it through, nor lights the heater at half the flow.
  for (const Scheme scheme : {Scheme::kN, Scheme::kR4, Scheme::kC3}) {
    r = simulate(cold_day(60), scheme);
    EXPECT_EQ(r.heat_j, 0) << to_string(scheme);
    EXPECT_EQ(r.warmest_cold_c, 15) << to_string(scheme);
  }
  auto lazy = cold_day(60);
  lazy.heater_min_m3s = 4 * kPerMinute;
  EXPECT_EQ(simulate(lazy, Scheme::kC1).heater_starts, 0);
}

// A run of C1 fills the cold pipe; the next cold draw gets that water.
TEST(ColdDraws, GetWhatTheRunLeftInTheColdPipe) {
  auto s = one_day();
  s.draws = {{.at_s = 3600, .for_s = 30, .flow_m3s = 1e-4},
             {.at_s = 3660, .for_s = 10, .flow_m3s = 1e-4, .is_cold = true}};
  s.cold_pull = 0;
  EXPECT_GT(simulate(s, Scheme::kC1).warmest_cold_c, 45);
  EXPECT_LT(simulate(s, Scheme::kC3).warmest_cold_c, 40);
}

TEST(Schemes, WallsMakeTheWaitLonger) {
  auto s = one_day();
  s.outer_m = 0.02;
  s.wall_j_m3k = kHeatOfPpr;
  const auto r = simulate(s, Scheme::kN);
  EXPECT_NEAR(r.waits_s[0], 20.9548 * 1.2836, 0.26);
  EXPECT_EQ(r.waits_s[2], 30);  // all of the draw: 27.9398 * 1.2836 is more
}

TEST(Schemes, MixedDrawsTakeLessHotWater) {
  auto s = one_day(0);
  s.draws = {{.at_s = 3600, .for_s = 480, .flow_m3s = 8 * kPerMinute}};
  s.is_mixed = true;
  const auto r = simulate(s, Scheme::kN);
  const double litres = 2.794 + 0.714286 * 8 * (480 - 20.95) / 60;
  EXPECT_NEAR(r.heat_j / (litres * 4186 * 35), 1, 2e-3);
  EXPECT_NEAR(r.draws[0].lowest_c, 15, 1e-9);
  EXPECT_EQ(r.draws[0].wait_s, 21);
}

TEST(Schemes, PressesStandForTheLead) {
  auto s = one_day();
  const auto ahead = simulate(s, Scheme::kR3);
  for (const Draw& d : s.draws) s.presses.push_back(d.at_s - s.lead_s);
  const auto pressed = simulate(s, Scheme::kR3);
  EXPECT_EQ(pressed.waits_s, ahead.waits_s);
  EXPECT_DOUBLE_EQ(pressed.heat_j, ahead.heat_j);
  s.presses.push_back(86'000);  // for nobody
  EXPECT_GT(simulate(s, Scheme::kR3).heat_j, ahead.heat_j);
}

TEST(Schemes, ProbeOnTheReturnPipeFillsBothPipes) {
  auto s = one_day();
  s.stops_at_return = true;
  const auto r = simulate(s, Scheme::kR3);
  EXPECT_EQ(r.waiting_s, 0);
  // Longer than the hot pipe's volume, not longer than that of both.
  EXPECT_GT(r.pump_s / 60, 2 * 2.33);
  EXPECT_LT(r.pump_s / 60, 5.6);
}

TEST(Schemes, TankHeaterBalances) {
  for (const Scheme scheme : all_schemes()) {
    auto s = one_day();
    s.days = 7;
    s.heater_tank_m3 = 0.06;
    s.heater_w = 4000;
    s.off_c = 44;
    const auto r = simulate(s, scheme);
    EXPECT_LT(r.balance_error, 1e-9) << to_string(scheme);
    EXPECT_GT(r.tank_loss_j, 0);
    EXPECT_NEAR(r.hot_loss_j + r.return_loss_j + r.tank_loss_j, r.loss_j, 1);
  }
}

// The published reckoning: 32 L a day are 35 a year, so a kit of 700 takes 20
// years and a pump of 350 ten.
TEST(Compare, PayBackOfTheArticle) {
  auto s = one_day(100);  // cold again within the hour
  s.pipe_m = 45;          // 8.4 L, more than a draw
  s.draws.clear();
  for (int i = 0; i < 4; ++i) {
    s.draws.push_back(
        {.at_s = 3600.0 * (6 + i), .for_s = 60, .flow_m3s = 8 * kPerMinute});
  }
  s.heat_price = s.power_price = 0;
  s.kit_prices = {{Scheme::kR3, 700}, {Scheme::kR4, 350}};
  const auto none = simulate(s, Scheme::kN);
  EXPECT_NEAR(none.cold_m3 / kLitre, 32, 1e-9);
  const SchemeReport r4{.scheme = Scheme::kR4};  // free but for its kit
  SchemeReport r3{.scheme = Scheme::kR3};
  const auto paid = pay_back(s, {r3, r4});
  ASSERT_EQ(paid.size(), 2u);
  EXPECT_NEAR(paid[0].saved, 35.04, 1e-9);
  EXPECT_NEAR(paid[0].years, 20, 0.05);
  EXPECT_NEAR(paid[1].years, 10, 0.05);
  r3.cost = 1;  // a day
  EXPECT_TRUE(std::isinf(pay_back(s, {none, r3})[0].years));
}

TEST(Compare, Sweep) {
  const auto sweep = read_hot_water_sweep("home.length=500 cm:15 m:3");
  EXPECT_EQ(sweep.values, (std::vector<double>{5, 10, 15}));
  EXPECT_EQ(sweep.unit, "m");
  const auto s = one_day();
  const double waits[] = {7, 14, 21};  // 6.985, 13.970, 20.955
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(simulate(swept(s, sweep, i), Scheme::kN).waits_s[0], waits[i]);
  }
  EXPECT_EQ(read_hot_water_sweep("thin.diameter=8 mm:12 mm:2").shown(1), 12);
  for (const auto& [text, part] : {std::pair{"home.length", "KEY=FROM:TO"},
                                   std::pair{"home.len=1 m:2 m:3", "home.len"},
                                   std::pair{"home.length=1 m:2 kg:3", "2 kg"},
                                   std::pair{"home.length=1 m:2 m:1", "2 to"},
                                   std::pair{"home.length=1 m:2 m:x", "2 to"},
                                   std::pair{"=", "KEY=FROM:TO"}}) {
    EXPECT_ERROR(read_hot_water_sweep(text), Code::kInvalidArgument, part);
  }
  EXPECT_ERROR(swept(s, read_hot_water_sweep("home.length=0 m:1 m:2"), 0),
               Code::kInvalidArgument,
               "--sweep home.length=0 m",
               "more than 0");
}

TEST(File, EveryPresetRunsAsTheExampleDoes) {
  auto example = one_day();
  example.on_c = 42;  // the preset keeps a margin
  for (const Scheme scheme : all_schemes()) {
    const std::string text = hot_water_preset(scheme);
    auto s = read_hot_water(text, "preset");
    EXPECT_EQ(s.schemes.back(), scheme) << text;
    s.days = 1;
    const auto r = simulate(s, scheme);
    const auto wanted = simulate(example, scheme);
    EXPECT_EQ(r.waits_s, wanted.waits_s) << to_string(scheme);
    const bool has_cold_draw = to_string(scheme)[0] == 'C';
    if (has_cold_draw) continue;
    EXPECT_DOUBLE_EQ(r.heat_j, wanted.heat_j) << to_string(scheme);
    EXPECT_DOUBLE_EQ(r.cost, wanted.cost) << to_string(scheme);
  }
}

// The example with one line replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text(hot_water_example());
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(File, UnitsAreRead) {
  const auto s =
      read_hot_water(changed("length = \"15 m\"", "length = \"1500 cm\""), "f");
  EXPECT_DOUBLE_EQ(s.pipe_m, 15);
  EXPECT_DOUBLE_EQ(s.pump_m3s, 1e-4);
  EXPECT_DOUBLE_EQ(s.tank_w, 1500);
  EXPECT_EQ(s.windows.size(), 2u);
  EXPECT_EQ(s.draws.size(), 6u);
  EXPECT_EQ(s.draws[1].at_s, 7 * 3600 + 1200);
}

TEST(File, OtherKeysAreRead) {
  std::string text = changed("loss = \"0.25 W/(m K)\"",
                             "outer = \"20 mm\"\nwall = \"ppr\"\n"
                             "foam = \"9 mm\"\nmixed = true");
  text += "water = \"cold\"\n[kit]\nR3 = 700\n";
  const auto s = read_hot_water(text, "f");
  EXPECT_NEAR(s.loss_w_mk, 0.25358, 5e-6);
  EXPECT_EQ(s.wall_j_m3k, kHeatOfPpr);
  EXPECT_TRUE(s.is_mixed);
  EXPECT_TRUE(s.draws.back().is_cold);
  EXPECT_EQ(s.kit_prices.at(Scheme::kR3), 700);
  const auto t = read_hot_water(
      changed("lead = \"60 s\"",
              "presses = [\"06:59\", \"12:00\"]\nprobe = \"return\"\n"
              "pull = 0.25"),
      "f");
  EXPECT_EQ(t.presses, (std::vector<double>{25'140, 43'200}));
  EXPECT_TRUE(t.stops_at_return);
  EXPECT_EQ(t.cold_pull, 0.25);
  const auto tank = read_hot_water(
      changed("set = \"50 C\"",
              "set = \"50 C\"\ntank = \"60 L\"\npower = \"2 kW\"\n"
              "band = \"4 K\""),
      "f");
  EXPECT_DOUBLE_EQ(tank.heater_tank_m3, 0.06);
  EXPECT_EQ(tank.heater_band_k, 4);
}

TEST(File, EveryMistakeIsNamedWithItsPlace) {
  const std::string cases[][4] = {
      {"length = \"15 m\"", "length = 15", "f:3: home.length", "\"15 m\""},
      {"length = \"15 m\"",
       "length = \"15 kg\"",
       "f:3: home.length",
       "\"15 kg\""},
      {"length = \"15 m\"", "length = \"15\"", "f:3: home.length", "unit"},
      {"length = \"15 m\"", "length = \"nan m\"", "f:3: home.length", "nan"},
      {"length = \"15 m\"", "length = \"-15 m\"", "home.length", "-15"},
      {"length = \"15 m\"", "lenght = \"15 m\"", "home.lenght", "unknown key"},
      {"set = \"50 C\"", "set = \"39 C\"", "home.use", "not below"},
      {"stop = \"40 C\"",
       "stop = \"51 C\"",
       "control.stop",
       "stop temperature unreachable"},
      {"at = \"07:20\"", "at = \"07:01\"", "draw[1]", "begins before"},
      {"at = \"07:20\"", "at = \"24:01\"", "draw[1].at", "\"24:00\""},
      {"at = \"22:00\"", "at = \"24:00\"", "draw[5]", "not within"},
      {"at = \"07:20\"", "when = \"07:20\"", "draw[1].when", "unknown key"},
      {"days = 365", "days = 0", "run.days", "3660"},
      {"step = \"0.25 s\"", "step = \"0 s\"", "run.step", "more than 0"},
      {"water = \"3 /m3\"", "water = \"-3 /m3\"", "prices.water", "0 or more"},
      {"\"06:30-08:00\"", "\"06:30\"", "control.windows", "06:30-08:00"},
      {"[pump]", "[bump]", "bump.flow", "unknown key"},
      {"length = \"15 m\"", "length = \"1e300 m\"", "home.length", "10000"},
      {"cold = \"15 C\"", "cold = \"-5 C\"", "home.cold", "0 C to 100 C"},
      {"set = \"50 C\"", "set = \"120 C\"", "heater.set", "0 C to 100 C"},
      {"loss = \"0.25 W/(m K)\"",
       "outer = \"20 mm\"",
       "home.outer",
       "home.wall"},
      {"loss = \"0.25 W/(m K)\"",
       "outer = \"15 mm\"\nwall = \"ppr\"",
       "home.outer",
       "home.diameter"},
      {"loss = \"0.25 W/(m K)\"",
       "loss = \"1 W/(m K)\"\nouter = \"20 mm\"\nwall = \"ppr\"\n"
       "foam = \"9 mm\"",
       "home.foam",
       "home.loss"},
      {"loss = \"0.25 W/(m K)\"", "wall = \"tin\"", "f:5", "ppr or copper"},
      {"set = \"50 C\"",
       "set = \"50 C\"\ntank = \"60 L\"",
       "heater.power",
       "a tank needs a power"},
      {"set = \"50 C\"",
       "set = \"50 C\"\ntank = \"60 L\"\npower = \"2 kW\"\n"
       "band = \"12 K\"",
       "control.stop",
       "heater.band"},
      {"days = 365",
       "days = 365\nschemes = [\"N\", \"Q\"]",
       "run.schemes",
       "\"Q\""},
      {"days = 365", "days = 365\nschemes = []", "run.schemes", "no scheme"},
      {"lead = \"60 s\"",
       "presses = [\"12:00\", \"11:00\"]",
       "control.presses",
       "rise"},
      {"lead = \"60 s\"", "pull = 1.5", "control.pull", "at most 1"},
      {"[pump]", "[kit]\nR3 = -1\n[pump]", "kit.R3", "0 or more"},
      {"[pump]", "[kit]\nR9 = 1\n[pump]", "kit.R9", "a scheme"},
      {"at = \"07:20\"",
       "at = \"07:20\"\nwater = \"warm\"",
       "draw[1].water",
       "hot or cold"}};
  for (const auto& c : cases) {
    EXPECT_ERROR(read_hot_water(changed(c[0], c[1]), "f"),
                 Code::kInvalidArgument,
                 c[2],
                 c[3]);
  }
  EXPECT_ERROR(read_hot_water("[home\n", "f"), Code::kInvalidArgument, "f:1");
  EXPECT_ERROR(
      read_hot_water("[home]\n", "f"), Code::kInvalidArgument, "no draw");
  EXPECT_ERROR(scheme_named("R9"), Code::kNotFound, "\"R9\"", "R1T");
}

}  // namespace
}  // namespace kexue::science
