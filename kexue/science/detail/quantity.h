// Private to science: numbers with units, and the keys that hold them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/science/hot_water.h"

namespace kexue::science::detail {

struct Unit {
  const char* name;
  double factor;  // to SI
};
struct Kind {
  const char* what;
  const char* example;
  std::vector<Unit> units;
};
extern const Kind kLength, kFlow, kTime;

struct Quantity {
  double si;
  Unit unit;
};
// "15.4 mm". Nothing if number or unit are none of this kind.
std::optional<Quantity> parse_quantity(std::string_view text, const Kind& kind);
// For messages.
std::string wanted(const Kind& kind);
std::string known_units(const Kind& kind);

// A key of a scenario file: "home", "length".
struct Field {
  const char* section;
  const char* key;
  double HotWaterScenario::*member;
  const Kind* kind;
};
const std::vector<Field>& fields();

}  // namespace kexue::science::detail
