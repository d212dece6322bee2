// Names of schemes, and warnings.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/science/hot_water.h"

namespace kexue::science {
namespace {

constexpr double kFilterLimit = 38;

struct SchemeRow {
  Scheme scheme;
  const char* name;
  const char* text;
};
constexpr SchemeRow kSchemes[] = {
    {Scheme::kN, "N", "nothing: wait for the pipe to empty"},
    {Scheme::kR1, "R1", "return pipe, thermostat all day"},
    {Scheme::kR1T, "R1T", "return pipe, thermostat inside the windows"},
    {Scheme::kR1B, "R1B", "return pipe, button, fills both pipes"},
    {Scheme::kR2, "R2", "return pipe, button, fills the hot pipe"},
    {Scheme::kR3, "R3", "return pipe, button, stops when hot"},
    {Scheme::kR4, "R4", "R3 with a check valve"},
    {Scheme::kC1, "C1", "cold pipe as return, button, fixed time"},
    {Scheme::kC2, "C2", "cold pipe as return, thermostatic valve"},
    {Scheme::kC3, "C3", "cold pipe as return, solenoid valve"},
    {Scheme::kD, "D", "button, drains to the sewer until hot"},
    {Scheme::kH, "H", "electric buffer tank at the tap"},
    {Scheme::kB, "B", "thinner, better insulated pipe"}};

const SchemeRow& row_of(Scheme scheme) {
  for (const SchemeRow& row : kSchemes) {
    if (row.scheme == scheme) return row;
  }
  return kSchemes[0];
}

}  // namespace

std::vector<Scheme> all_schemes() {
  std::vector<Scheme> out;
  for (const SchemeRow& row : kSchemes) out.push_back(row.scheme);
  return out;
}

const char* to_string(Scheme scheme) {
  return row_of(scheme).name;
}

const char* description(Scheme scheme) {
  return row_of(scheme).text;
}

std::string scheme_names() {
  std::string out;
  for (const SchemeRow& row : kSchemes) {
    out += (out.empty() ? "" : ", ") + std::string(row.name);
  }
  return out;
}

Scheme scheme_named(const std::string& name) {
  for (const SchemeRow& row : kSchemes) {
    if (name == row.name) return row.scheme;
  }
  throw Error(Code::kNotFound,
              fmt::format("no scheme \"{}\"", io::printable(name)),
              "known are " + scheme_names());
}

std::vector<std::string> hot_water_warnings(
    const HotWaterScenario& scenario,
    const std::vector<SchemeReport>& reports) {
  std::vector<std::string> out;
  for (const SchemeReport& r : reports) {
    const std::string name = to_string(r.scheme);
    if (r.timeouts > 0) {
      out.push_back(
          fmt::format("{}: the pump reached its longest run {} times "
                      "before the stop temperature",
                      name,
                      r.timeouts));
    }
    if (scenario.has_ro_filter && name[0] == 'C' &&
        std::max(r.warmest_return_c, scenario.stop_c) > kFilterLimit) {
      out.push_back(
          fmt::format("{}: water of up to {:.1f} C may enter the cold "
                      "pipe, a reverse osmosis filter takes {} C",
                      name,
                      std::max(r.warmest_return_c, scenario.stop_c),
                      kFilterLimit));
    }
  }
  return out;
}

}  // namespace kexue::science
