// Scenario files: TOML whose quantities carry their units.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/science/hot_water.h"

namespace kexue::science {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr size_t kMaxDraws = 1000;

struct Unit {
  const char* name;
  double factor;  // to SI
};
struct Kind {
  const char* what;
  const char* example;
  std::vector<Unit> units;
};

const Kind kLength = {
    "a length", "15 m", {{"m", 1}, {"cm", 1e-2}, {"mm", 1e-3}}};
const Kind kFlow = {"a flow",
                    "6 L/min",
                    {{"L/min", 1e-3 / 60},
                     {"L/s", 1e-3},
                     {"L/h", 1e-3 / 3600},
                     {"m3/h", 1.0 / 3600}}};
const Kind kTemperature = {"a temperature", "40 C", {{"C", 1}}};
const Kind kLoss = {"a loss of a pipe", "0.25 W/(m K)", {{"W/(m K)", 1}}};
const Kind kTankLoss = {"a loss of a tank", "1.5 W/K", {{"W/K", 1}}};
const Kind kPower = {"a power", "30 W", {{"W", 1}, {"kW", 1e3}}};
const Kind kTime = {"a time", "60 s", {{"s", 1}, {"min", 60}, {"h", 3600}}};
const Kind kVolume = {"a volume", "6 L", {{"L", 1e-3}, {"m3", 1}}};
const Kind kEnergyPrice = {
    "a price of energy", "0.6 /kWh", {{"/kWh", 1 / 3.6e6}, {"/MJ", 1e-6}}};
const Kind kWaterPrice = {
    "a price of water", "3 /m3", {{"/m3", 1}, {"/L", 1e3}}};

// A place in the file, for messages.
class Place final {
 public:
  Place(const std::string& where, const toml::node& node, std::string key)
      : text_(fmt::format("{}:{}: {}", where, node.source().begin.line, key)) {}

  [[noreturn]] void fail(const std::string& got,
                         const std::string& wanted,
                         const std::string& hint = "") const {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: got {}, wanted {}", text_, got, wanted),
                hint);
  }

 private:
  std::string text_;
};

std::string shown(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) {
    return fmt::format("\"{}\"", io::ascii(*text, 60));
  }
  if (const auto number = node.value<double>())
    return fmt::format("{}", *number);
  return "no text";
}

std::string known_units(const Kind& kind) {
  std::string out;
  for (const Unit& u : kind.units) {
    out += (out.empty() ? "" : ", ") + std::string(u.name);
  }
  return out;
}

// "15.4 mm" as SI.
double quantity(const toml::node& node, const Place& place, const Kind& kind) {
  const std::string wanted =
      fmt::format("{} with its unit, such as \"{}\"", kind.what, kind.example);
  const auto text = node.value_exact<std::string>();
  if (!text) place.fail(shown(node), wanted);
  double value = 0;
  const char* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || !std::isfinite(value)) {
    place.fail(shown(node), wanted);
  }
  std::string unit(rest, end);
  unit.erase(0, unit.find_first_not_of(' '));
  for (const Unit& u : kind.units) {
    if (unit == u.name) return value * u.factor;
  }
  place.fail(shown(node), wanted, "units: " + known_units(kind));
}

// "07:20" in seconds after midnight.
double clock(const std::string& text, const Place& place) {
  int hours = 0;
  int minutes = 0;
  const bool has_form = text.size() == 5 && text[2] == ':';
  const auto whole = [](const char* from, int* to) {
    const auto [end, error] = std::from_chars(from, from + 2, *to);
    return error == std::errc() && end == from + 2;
  };
  if (!has_form || !whole(text.data(), &hours) ||
      !whole(text.data() + 3, &minutes) || hours < 0 || minutes < 0 ||
      minutes > 59 || hours * 60 + minutes > 24 * 60) {
    place.fail(fmt::format("\"{}\"", io::ascii(text, 40)),
               "a time from \"00:00\" to \"24:00\"");
  }
  return hours * 3600.0 + minutes * 60.0;
}

struct Field {
  const char* section;
  const char* key;
  double HotWaterScenario::*member;
  const Kind* kind;
};

const std::vector<Field>& fields() {
  using S = HotWaterScenario;
  static const std::vector<Field> all = {
      {"home", "length", &S::pipe_m, &kLength},
      {"home", "diameter", &S::diameter_m, &kLength},
      {"home", "loss", &S::loss_w_mk, &kLoss},
      {"home", "ambient", &S::ambient_c, &kTemperature},
      {"home", "cold", &S::cold_c, &kTemperature},
      {"home", "use", &S::use_c, &kTemperature},
      {"heater", "set", &S::set_c, &kTemperature},
      {"heater", "power", &S::heater_w, &kPower},
      {"heater", "min_flow", &S::heater_min_m3s, &kFlow},
      {"heater", "delay", &S::heater_delay_s, &kTime},
      {"pump", "flow", &S::pump_m3s, &kFlow},
      {"pump", "power", &S::pump_w, &kPower},
      {"control", "on", &S::on_c, &kTemperature},
      {"control", "off", &S::off_c, &kTemperature},
      {"control", "stop", &S::stop_c, &kTemperature},
      {"control", "lead", &S::lead_s, &kTime},
      {"control", "max_run", &S::max_run_s, &kTime},
      {"tank", "volume", &S::tank_m3, &kVolume},
      {"tank", "set", &S::tank_c, &kTemperature},
      {"tank", "power", &S::tank_w, &kPower},
      {"tank", "loss", &S::tank_loss_w_k, &kTankLoss},
      {"thin", "diameter", &S::thin_diameter_m, &kLength},
      {"thin", "loss", &S::thin_loss_w_mk, &kLoss},
      {"prices", "heat", &S::heat_price, &kEnergyPrice},
      {"prices", "power", &S::power_price, &kEnergyPrice},
      {"prices", "water", &S::water_price, &kWaterPrice},
      {"run", "step", &S::step_s, &kTime}};
  return all;
}

class Reader final {
 public:
  Reader(const std::string& where, HotWaterScenario& out)
      : where_(where), out_(out) {}

  void read(const toml::table& root) {
    for (const auto& [section, node] : root) {
      const std::string name(section.str());
      const Place place(where_, node, name);
      if (name == "draw") {
        read_draws(node, place);
        continue;
      }
      const toml::table* table = node.as_table();
      if (table == nullptr) place.fail(shown(node), "a section [name]");
      for (const auto& [key, value] : *table) {
        read_key(name, std::string(key.str()), value);
      }
    }
  }

 private:
  void read_key(const std::string& section,
                const std::string& key,
                const toml::node& node) {
    const std::string name = section + "." + key;
    const Place place(where_, node, io::ascii(name, 60));
    for (const Field& f : fields()) {
      if (section != f.section || key != f.key) continue;
      out_.*f.member = quantity(node, place, *f.kind);
      return;
    }
    if (name == "control.windows") {
      read_windows(node, place);
    } else if (name == "home.ro_filter") {
      const auto value = node.value_exact<bool>();
      if (!value) place.fail(shown(node), "true or false");
      out_.ro_filter = *value;
    } else if (name == "run.days") {
      const auto value = node.value_exact<int64_t>();
      if (!value || *value < 1 || *value > 3660) {
        place.fail(shown(node), "a whole number from 1 to 3660");
      }
      out_.days = static_cast<int>(*value);
    } else if (name == "run.schemes") {
      out_.schemes.clear();
      for (const std::string& scheme : texts(node, place)) {
        out_.schemes.push_back(scheme_named(scheme));
      }
    } else {
      place.fail("an unknown key", "one of " + known(section));
    }
  }

  static std::string known(const std::string& section) {
    std::string out;
    for (const Field& f : fields()) {
      if (section == f.section) out += fmt::format("{}.{} ", section, f.key);
    }
    if (out.empty()) {
      return "home, heater, pump, control, tank, thin, prices, run, draw";
    }
    out.pop_back();
    return out;
  }

  std::vector<std::string> texts(const toml::node& node,
                                 const Place& place) const {
    const toml::array* list = node.as_array();
    if (list == nullptr) place.fail(shown(node), "a list of texts");
    std::vector<std::string> out;
    for (const auto& item : *list) {
      const auto text = item.value_exact<std::string>();
      if (!text) place.fail(shown(item), "a list of texts");
      out.push_back(*text);
    }
    return out;
  }

  void read_windows(const toml::node& node, const Place& place) {
    out_.windows.clear();
    for (const std::string& text : texts(node, place)) {
      if (text.size() != 11 || text[5] != '-') {
        place.fail(fmt::format("\"{}\"", io::ascii(text, 40)),
                   "windows such as \"06:30-08:00\"");
      }
      out_.windows.emplace_back(clock(text.substr(0, 5), place),
                                clock(text.substr(6), place));
    }
  }

  void read_draws(const toml::node& node, const Place& place) {
    const toml::array* list = node.as_array();
    if (list == nullptr || list->size() > kMaxDraws) {
      place.fail("no list", fmt::format("up to {} tables [[draw]]", kMaxDraws));
    }
    out_.draws.clear();
    for (size_t i = 0; i < list->size(); ++i) {
      const toml::node& item = *list->get(i);
      const std::string name = fmt::format("draw[{}]", i);
      const toml::table* table = item.as_table();
      if (table == nullptr)
        Place(where_, item, name).fail("no table", "[[draw]]");
      out_.draws.push_back(draw_of(*table, name));
    }
  }

  Draw draw_of(const toml::table& table, const std::string& name) {
    std::optional<double> at, span, flow;
    for (const auto& [key, node] : table) {
      const Place place(where_, node, name + "." + io::ascii(key.str(), 40));
      if (key.str() == "at") {
        const auto text = node.value_exact<std::string>();
        if (!text) place.fail(shown(node), "a time such as \"07:00\"");
        at = clock(*text, place);
      } else if (key.str() == "for") {
        span = quantity(node, place, kTime);
      } else if (key.str() == "flow") {
        flow = quantity(node, place, kFlow);
      } else {
        place.fail("an unknown key", "at, for, flow");
      }
    }
    if (!at || !span || !flow) {
      Place(where_, table, name).fail("too little", "at, for and flow");
    }
    return {.at_s = *at, .for_s = *span, .flow_m3s = *flow};
  }

  const std::string& where_;
  HotWaterScenario& out_;
};

}  // namespace

HotWaterScenario read_hot_water(std::string_view text,
                                const std::string& where) {
  if (text.size() > kMaxBytes) {
    throw Error(
        Code::kUnsupported,
        fmt::format(
            "{}: {} bytes, the limit is {}", where, text.size(), kMaxBytes));
  }
  toml::table root;
  try {
    root = toml::parse(text, where);
  } catch (const toml::parse_error& e) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}:{}: {}",
                            where,
                            e.source().begin.line,
                            io::printable(e.description())));
  }
  HotWaterScenario out;
  Reader(where, out).read(root);
  out.check(where);
  return out;
}

std::string_view hot_water_example() {
  return R"toml(# A tap 15 m from the heater, six draws a day. Every quantity has its unit.
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

[[draw]]
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
}

}  // namespace kexue::science
