// What schemes pay back, and how they depend on the home.
#pragma once

#include <string>
#include <vector>

#include "kexue/science/hot_water.h"

namespace kexue::science {

// Against waiting (scheme N), per year.
struct PayBack {
  Scheme scheme = Scheme::kN;
  double kit_price = 0;
  double saved = 0;        // of the running cost; below 0 it costs more
  double hours_saved = 0;  // of waiting
  // Until the savings are worth the kit; infinite if they never are.
  double years = 0;
};
// One for each report but N's, which is simulated if it is not among them.
std::vector<PayBack> pay_back(const HotWaterScenario& scenario,
                              const std::vector<SchemeReport>& reports);

// One quantity of the scenario at several values.
struct HotWaterSweep {
  std::string key;    // "home.length"
  std::string unit;   // "m"
  double factor = 1;  // of the unit to SI
  double HotWaterScenario::*member = nullptr;
  std::vector<double> values = {};  // SI

  double shown(size_t i) const { return values[i] / factor; }
};
// "home.length=5 m:30 m:6": from, to, number of values, which are equally far
// apart. The key is any that holds a quantity.
// Errors: kInvalidArgument with got and wanted.
HotWaterSweep read_hot_water_sweep(const std::string& text);
// The scenario at value i, checked.
HotWaterScenario swept(const HotWaterScenario& scenario,
                       const HotWaterSweep& sweep,
                       size_t i);

}  // namespace kexue::science
