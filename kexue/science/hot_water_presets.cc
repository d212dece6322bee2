// Scenario files to start from: the published comparison, and one for each
// scheme.
#include <fmt/format.h>

#include <vector>

#include "kexue/science/hot_water.h"

namespace kexue::science {
namespace {

// What speaks for a scheme and against it, and the keys that it needs beside
// those that all have.
struct Preset {
  Scheme scheme;
  const char* notes;
  std::vector<const char*> keys;
};

constexpr const char* kHome = R"toml([home]
length = "15 m"
diameter = "15.4 mm"
loss = "0.25 W/(m K)"     # or outer, wall and foam, from which it follows
# outer = "20 mm"
# wall = "ppr"            # its heat makes waits longer; or "copper"
# foam = "9 mm"
ambient = "15 C"
cold = "15 C"
use = "40 C"
# mixed = true            # hot draws are mixed to the temperature of use
)toml";

constexpr const char* kHeater = R"toml([heater]
set = "50 C"
# power = "20 kW"         # without it: always enough
# min_flow = "2.5 L/min"  # what lights it,
# delay = "3 s"           # and how long that takes
# tank = "60 L"           # a heater with a tank, of this power,
# tank_loss = "1.5 W/K"   # heated from set - band
# band = "5 K"

)toml";

constexpr const char* kPrices = R"toml([prices]
heat = "0.35 /kWh"
power = "0.6 /kWh"
water = "3 /m3"

)toml";

constexpr const char* kPump = R"toml([pump]
flow = "6 L/min"
power = "30 W"

)toml";

constexpr const char* kThermostat = R"toml([control]
on = "42 C"               # the tap's end is colder: the pump starts
off = "45 C"              # and stops
)toml";

constexpr const char* kWindows =
    R"toml(windows = ["06:30-08:00", "17:30-22:30"]
)toml";

constexpr const char* kTimed = R"toml([control]
lead = "60 s"             # the button is pressed so long ahead
# presses = ["06:59", "19:59"]    # in place of lead: a schedule, a sensor
)toml";

constexpr const char* kStopped = R"toml([control]
lead = "60 s"             # the button is pressed so long ahead
# presses = ["06:59", "19:59"]    # in place of lead: a schedule, a sensor
stop = "40 C"             # the valve closes
max_run = "5 min"         # the pump stops at the latest
)toml";

constexpr const char* kProbe =
    R"toml(# probe = "return"        # the thermostat sits on the return pipe
)toml";

constexpr const char* kPull =
    R"toml(pull = 0.5                # part of a cold draw that comes as hot
)toml";

constexpr const char* kTank = R"toml([tank]
volume = "6 L"            # V / ln((set - cold) / (use - cold)) is enough
set = "60 C"
power = "1.5 kW"
loss = "0.8 W/K"

)toml";

constexpr const char* kThin = R"toml([thin]
diameter = "11 mm"
loss = "0.15 W/(m K)"

)toml";

constexpr const char* kDraws = R"toml([[draw]]
at = "07:00"
for = "480 s"
flow = "8 L/min"

[[draw]]
at = "07:20"
for = "30 s"
flow = "6 L/min"

[[draw]]
at = "12:00"
for = "30 s"
flow = "6 L/min"

[[draw]]
at = "18:00"
for = "120 s"
flow = "6 L/min"

[[draw]]
at = "20:00"
for = "480 s"
flow = "8 L/min"

[[draw]]
at = "22:00"
for = "60 s"
flow = "6 L/min"
)toml";

// For the schemes whose cold pipe is the return.
constexpr const char* kCistern = R"toml(
[[draw]]
at = "22:10"              # a cistern beside the tap
for = "60 s"
flow = "6 L/min"
water = "cold"
)toml";

const Preset& preset_of(Scheme scheme) {
  static const Preset all[] = {
      {Scheme::kN, "# For: free. Against: the wait is volume / flow.\n", {}},
      {Scheme::kR1,
       "# For: silent, the cold pipe is untouched. Against: a third pipe must\n"
       "# have been laid; it is heated all day, too.\n",
       {kPump, kThermostat}},
      {Scheme::kR1T,
       "# For: as R1, and cold outside the windows. Against: the windows must\n"
       "# be right.\n",
       {kPump, kThermostat, kWindows}},
      {Scheme::kR1B,
       "# For: nothing runs without need. Against: the run fills the return\n"
       "# pipe as well.\n",
       {kPump, kTimed}},
      {Scheme::kR2,
       "# For: only the hot pipe is heated. Against: the right time is hard "
       "to\n"
       "# hit, a warm pipe needs less than a cold one.\n",
       {kPump, kTimed}},
      {Scheme::kR3,
       "# For: stops exactly, the valve needs no electricity. Against: the\n"
       "# price of the valve.\n",
       {kPump, kStopped, kProbe}},
      {Scheme::kR4,
       "# For: as R3, and nothing flows back into the cold line. Against: one\n"
       "# more valve.\n",
       {kPump, kStopped, kProbe}},
      {Scheme::kC1,
       "# For: no third pipe. Against: who opens the cold tap, or flushes a\n"
       "# cistern, pulls hot water; the whole cold pipe may become hot.\n",
       {kPump, kTimed, kPull}},
      {Scheme::kC2,
       "# For: the cold pipe gets little warmer than the valve allows. "
       "Against:\n"
       "# draws of cold water may still light the heater.\n",
       {kPump, kStopped, kPull}},
      {Scheme::kC3,
       "# For: the cold pipe stays cold and draws pull nothing. Against: "
       "mains\n"
       "# or a battery at the tap, and a link to the pump.\n",
       {kPump, kStopped}},
      {Scheme::kD,
       "# For: cheapest, no pump, the lines stay apart. Against: the water is\n"
       "# lost.\n",
       {"[pump]                    # what the valve lets through\n"
        "flow = \"6 L/min\"\n\n",
        kStopped}},
      {Scheme::kH,
       "# For: no plumbing. Against: power, and the tank's own losses.\n",
       {kTank}},
      {Scheme::kB,
       "# For: the wait goes with the square of the diameter. Against: loss "
       "of\n"
       "# pressure.\n",
       {kThin}}};
  for (const Preset& p : all) {
    if (p.scheme == scheme) return p;
  }
  return all[0];
}

}  // namespace

std::string hot_water_preset(Scheme scheme) {
  const Preset& preset = preset_of(scheme);
  const std::string name = to_string(scheme);
  const bool is_cold_return = name[0] == 'C';
  const bool has_pump = name[0] == 'R' || is_cold_return;
  std::string out = fmt::format("# {}: {}.\n", name, description(scheme));
  out += preset.notes;
  out += kHome;
  out +=
      is_cold_return ? "ro_filter = true          # it takes 38 C\n\n" : "\n";
  out += kHeater;
  for (const char* part : preset.keys) out += part;
  if (out[out.size() - 2] != '\n') out += '\n';
  out += kPrices;
  if (scheme != Scheme::kN) {
    out += "[kit]                     # price of the parts, for the pay-back\n";
    out += fmt::format("{}{} = 700\n\n", has_pump ? "" : "# ", name);
  }
  out += fmt::format(
      "[run]\ndays = 365\nstep = \"0.25 s\"\nschemes = [{}]\n\n",
      scheme == Scheme::kN ? "\"N\"" : fmt::format("\"N\", \"{}\"", name));
  out += kDraws;
  if (is_cold_return) out += kCistern;
  return out;
}

std::string_view hot_water_example() {
  static const std::string text =
      std::string(
          R"toml(# A tap 15 m from the heater, six draws a day. Every quantity has its unit.
[home]
length = "15 m"
diameter = "15.4 mm"
loss = "0.25 W/(m K)"     # 9 mm of foam on a 20 mm pipe of PPR
ambient = "15 C"
cold = "15 C"
use = "40 C"
ro_filter = false

[heater]
set = "50 C"

[pump]
flow = "6 L/min"
power = "30 W"

[control]
on = "40 C"               # R1, R1T: thermostat at the tap
off = "45 C"
stop = "40 C"             # R3, R4, C2, C3, D
lead = "60 s"             # the button is pressed so long ahead
max_run = "5 min"
windows = ["06:30-08:00", "17:30-22:30"]    # R1T

[tank]                    # H
volume = "6 L"
set = "60 C"
power = "1.5 kW"
loss = "0.8 W/K"

[thin]                    # B
diameter = "11 mm"
loss = "0.15 W/(m K)"

[prices]
heat = "0.35 /kWh"
power = "0.6 /kWh"
water = "3 /m3"

[run]
days = 365
step = "0.25 s"

)toml") +
      kDraws;
  return text;
}

}  // namespace kexue::science
