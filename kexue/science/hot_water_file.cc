// Scenario files: TOML whose quantities carry their units.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/science/detail/quantity.h"
#include "kexue/science/hot_water.h"
#include "kexue/science/hydro.h"

namespace kexue::science {
namespace {

using detail::Kind;

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr size_t kMaxDraws = 1000;
constexpr double kPprConducts = 0.24;  // W/(m K)
constexpr double kCopperConducts = 380;

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

// "15.4 mm" as SI.
double quantity(const toml::node& node, const Place& place, const Kind& kind) {
  const auto text = node.value_exact<std::string>();
  const auto value = text ? detail::parse_quantity(*text, kind) : std::nullopt;
  if (!value) {
    place.fail(shown(node), wanted(kind), "units: " + known_units(kind));
  }
  return value->si;
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

class Reader final {
 public:
  Reader(const std::string& where, HotWaterScenario& out)
      : where_(where), out_(out) {}

  void read(const toml::table& root) {
    for (const auto& [section, node] : root) {
      const std::string name(section.str());
      const Place place(where_, node, io::ascii(name, 60));
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
    finish();
  }

 private:
  void read_key(const std::string& section,
                const std::string& key,
                const toml::node& node) {
    const std::string name = section + "." + key;
    const Place place(where_, node, io::ascii(name, 60));
    for (const detail::Field& f : detail::fields()) {
      if (section != f.section || key != f.key) continue;
      out_.*f.member = quantity(node, place, *f.kind);
      has_loss_ = has_loss_ || name == "home.loss";
      return;
    }
    if (section == "kit") {
      out_.kit_prices[scheme_at(key, place)] = price(node, place);
    } else if (name == "control.windows") {
      read_windows(node, place);
    } else if (name == "control.presses") {
      out_.presses.clear();
      for (const std::string& text : texts(node, place)) {
        out_.presses.push_back(clock(text, place));
      }
    } else if (name == "run.days") {
      const auto value = node.value_exact<int64_t>();
      if (!value || *value < 1 || *value > 3660) {
        place.fail(shown(node), "a whole number from 1 to 3660");
      }
      out_.days = static_cast<int>(*value);
    } else if (name == "run.schemes") {
      out_.schemes.clear();
      for (const std::string& scheme : texts(node, place)) {
        out_.schemes.push_back(scheme_at(scheme, place));
      }
    } else {
      read_other(name, node, place, section);
    }
  }

  void read_other(const std::string& name,
                  const toml::node& node,
                  const Place& place,
                  const std::string& section) {
    const auto truth = [&] {
      const auto value = node.value_exact<bool>();
      if (!value) place.fail(shown(node), "true or false");
      return *value;
    };
    if (name == "home.ro_filter") {
      out_.has_ro_filter = truth();
    } else if (name == "home.mixed") {
      out_.is_mixed = truth();
    } else if (name == "home.wall") {
      const int64_t which = one_of({"ppr", "copper"}, node, place);
      wall_w_mk_ = which == 0 ? kPprConducts : kCopperConducts;
      out_.wall_j_m3k = which == 0 ? kHeatOfPpr : kHeatOfCopper;
    } else if (name == "home.foam") {
      foam_m_ = quantity(node, place, detail::kLength);
    } else if (name == "control.probe") {
      out_.stops_at_return = one_of({"tap", "return"}, node, place) == 1;
    } else if (name == "control.pull") {
      const auto value = node.value<double>();
      if (!value) place.fail(shown(node), "a number from 0 to 1");
      out_.cold_pull = *value;
    } else {
      place.fail("an unknown key", "one of " + known(section));
    }
  }

  static int64_t one_of(const std::vector<std::string>& names,
                        const toml::node& node,
                        const Place& place) {
    const auto text = node.value_exact<std::string>();
    for (size_t i = 0; i < names.size(); ++i) {
      if (text == names[i]) return static_cast<int64_t>(i);
    }
    place.fail(shown(node), fmt::format("{}", fmt::join(names, " or ")));
  }

  static Scheme scheme_at(const std::string& name, const Place& place) {
    try {
      return scheme_named(name);
    } catch (const Error&) {
      place.fail(fmt::format("\"{}\"", io::ascii(name, 40)),
                 "a scheme: " + scheme_names());
    }
  }

  static double price(const toml::node& node, const Place& place) {
    const auto value = node.value<double>();
    if (!value || !(*value >= 0) || !std::isfinite(*value)) {
      place.fail(shown(node), "a price, 0 or more");
    }
    return *value;
  }

  // What follows from several keys.
  void finish() {
    const bool has_outer = out_.outer_m > 0;
    if (has_outer != (out_.wall_j_m3k > 0)) {
      fail_home("home.outer and home.wall belong together");
    }
    if (!foam_m_) return;
    if (!has_outer) fail_home("home.foam needs home.outer and home.wall");
    if (has_loss_) fail_home("home.foam and home.loss exclude each other");
    if (!(*foam_m_ >= 0)) fail_home("home.foam must be 0 or more");
    out_.loss_w_mk = pipe_loss({.inner_m = out_.diameter_m,
                                .outer_m = out_.outer_m,
                                .foam_m = *foam_m_,
                                .wall_w_mk = wall_w_mk_});
  }

  [[noreturn]] void fail_home(const char* text) const {
    throw Error(Code::kInvalidArgument, fmt::format("{}: {}", where_, text));
  }

  static std::string known(const std::string& section) {
    std::string out;
    for (const detail::Field& f : detail::fields()) {
      if (section == f.section) out += fmt::format("{}.{} ", section, f.key);
    }
    if (out.empty()) {
      return "home, heater, pump, control, tank, thin, prices, kit, run, draw";
    }
    if (section == "home") {
      return out + "home.wall home.foam home.mixed home.ro_filter";
    }
    if (section == "control") {
      return out + "control.windows control.presses control.probe control.pull";
    }
    if (section == "run") return out + "run.days run.schemes";
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
    bool is_cold = false;
    for (const auto& [key, node] : table) {
      const Place place(where_, node, name + "." + io::ascii(key.str(), 40));
      if (key.str() == "at") {
        const auto text = node.value_exact<std::string>();
        if (!text) place.fail(shown(node), "a time such as \"07:00\"");
        at = clock(*text, place);
      } else if (key.str() == "for") {
        span = quantity(node, place, detail::kTime);
      } else if (key.str() == "flow") {
        flow = quantity(node, place, detail::kFlow);
      } else if (key.str() == "water") {
        is_cold = one_of({"hot", "cold"}, node, place) == 1;
      } else {
        place.fail("an unknown key", "at, for, flow, water");
      }
    }
    if (!at || !span || !flow) {
      Place(where_, table, name).fail("too little", "at, for and flow");
    }
    return {.at_s = *at, .for_s = *span, .flow_m3s = *flow, .is_cold = is_cold};
  }

  const std::string& where_;
  HotWaterScenario& out_;
  bool has_loss_ = false;
  std::optional<double> foam_m_ = std::nullopt;
  double wall_w_mk_ = kPprConducts;
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

}  // namespace kexue::science
