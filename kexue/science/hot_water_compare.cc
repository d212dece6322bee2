#include "kexue/science/hot_water_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/science/detail/quantity.h"

namespace kexue::science {
namespace {

constexpr int64_t kMaxValues = 100;
constexpr const char* kForm = "KEY=FROM:TO:NUMBER, \"home.length=5 m:30 m:6\"";

[[noreturn]] void refuse(const std::string& got, const std::string& wanted) {
  throw Error(
      Code::kInvalidArgument,
      fmt::format(
          "--sweep: got \"{}\", wanted {}", io::ascii(got, 60), wanted));
}

const detail::Field& field_named(const std::string& key) {
  std::string known;
  for (const detail::Field& f : detail::fields()) {
    const std::string name = fmt::format("{}.{}", f.section, f.key);
    if (name == key) return f;
    known += (known.empty() ? "" : ", ") + name;
  }
  refuse(key, "one of " + known);
}

double per_year(double total, const HotWaterScenario& s) {
  return total * 365 / s.days;
}

}  // namespace

std::vector<PayBack> pay_back(const HotWaterScenario& s,
                              const std::vector<SchemeReport>& reports) {
  const auto found =
      std::find_if(reports.begin(), reports.end(), [](const SchemeReport& r) {
        return r.scheme == Scheme::kN;
      });
  const SchemeReport none =
      found != reports.end() ? *found : simulate(s, Scheme::kN);
  std::vector<PayBack> out;
  for (const SchemeReport& r : reports) {
    if (r.scheme == Scheme::kN) continue;
    const auto kit = s.kit_prices.find(r.scheme);
    PayBack p{.scheme = r.scheme,
              .kit_price = kit != s.kit_prices.end() ? kit->second : 0,
              .saved = per_year(none.cost - r.cost, s),
              .hours_saved = per_year(none.waiting_s - r.waiting_s, s) / 3600};
    p.years = p.saved > 0 ? p.kit_price / p.saved
                          : std::numeric_limits<double>::infinity();
    out.push_back(p);
  }
  return out;
}

HotWaterSweep read_hot_water_sweep(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t first = text.find(':', equals);
  const size_t second = text.find(':', first + 1);
  if (equals == text.npos || first == text.npos || second == text.npos) {
    refuse(text, kForm);
  }
  const std::string key = text.substr(0, equals);
  const detail::Field& field = field_named(key);
  const auto value = [&](size_t begin, size_t end) {
    const std::string part = text.substr(begin, end - begin);
    const auto parsed = detail::parse_quantity(part, *field.kind);
    if (!parsed) refuse(part, detail::wanted(*field.kind));
    return *parsed;
  };
  const auto from = value(equals + 1, first);
  const auto to = value(first + 1, second);
  int64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] =
      std::from_chars(text.data() + second + 1, end, count);
  if (error != std::errc() || rest != end || count < 2 || count > kMaxValues) {
    refuse(text.substr(second + 1),
           fmt::format("a number of values from 2 to {}", kMaxValues));
  }
  HotWaterSweep out{.key = key,
                    .unit = to.unit.name,
                    .factor = to.unit.factor,
                    .member = field.member};
  for (int64_t i = 0; i < count; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(count - 1);
    out.values.push_back(from.si + (to.si - from.si) * part);
  }
  return out;
}

HotWaterScenario swept(const HotWaterScenario& scenario,
                       const HotWaterSweep& sweep,
                       size_t i) {
  HotWaterScenario out = scenario;
  out.*sweep.member = sweep.values[i];
  out.check(
      fmt::format("--sweep {}={} {}", sweep.key, sweep.shown(i), sweep.unit));
  return out;
}

}  // namespace kexue::science
