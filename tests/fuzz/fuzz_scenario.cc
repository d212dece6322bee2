// A scenario file of hot water: what is accepted can be simulated, and its
// energy balance closes.
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/science/hot_water.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {

std::vector<std::string> seeds() {
  std::vector<std::string> out = {std::string(science::hot_water_example())};
  for (const auto scheme : {science::Scheme::kR3, science::Scheme::kC2}) {
    out.push_back(science::hot_water_preset(scheme));
  }
  out.emplace_back(
      "[home]\nouter='20 mm'\nwall='ppr'\nfoam='9 mm'\nmixed=true\n"
      "[heater]\nset='60 C'\ntank='60 L'\npower='2 kW'\nband='4 K'\n"
      "[control]\npresses=['06:59','08:00']\nprobe='return'\n"
      "[kit]\nR3=700\n[run]\nschemes=['N','R3','C1']\n"
      "[[draw]]\nat='07:00'\nfor='60 s'\nflow='8 L/min'\n"
      "[[draw]]\nat='09:00'\nfor='9 s'\nflow='8 L/h'\nwater='cold'\n");
  return out;
}

std::vector<std::string> dictionary() {
  return {"\"0 C\"",
          "\"100 C\"",
          "\"1e300 m\"",
          "\"1e-300 L/min\"",
          "\"nan C\"",
          "\"inf W\"",
          "\"24:00\"",
          "\"23:59\"",
          "[[draw]]\n",
          "[kit]\n",
          "[[",
          "{a=1}",
          "-",
          "e9",
          "0.",
          "schemes = [\"R1\"]\n",
          "mixed=true\n",
          "\"0.01 s\"",
          "\"10 s\"",
          "\"\"\""};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    auto s = science::read_hot_water(text, "fuzz");
    s.days = 1;
    s.step_s = 10;  // a day of flow in little time
    s.schemes.resize(std::min<size_t>(s.schemes.size(), 3));
    for (const auto scheme : s.schemes) {
      const auto r = science::simulate(s, scheme);
      double drawn = 0;
      for (const auto& d : s.draws) drawn += d.for_s + s.step_s;
      fuzz::check(std::isfinite(r.heat_j) && std::isfinite(r.loss_j) &&
                      std::isfinite(r.electric_j),
                  "energies are numbers");
      const double moved =
          r.heat_j + r.electric_j + std::abs(r.loss_j) + 1e6;  // J
      fuzz::check(r.balance_error * r.heat_j < 1e-6 * moved,
                  "the balance closes");
      fuzz::check(r.waiting_s >= 0 && r.waiting_s <= drawn,
                  "nobody waits longer than for the draw");
      fuzz::check(r.warmest_return_c <= 101 && r.warmest_cold_c <= 101,
                  "no water gets warmer than the heater makes it");
    }
  } catch (const Error& e) {
    fuzz::check(
        e.code() == Code::kInvalidArgument || e.code() == Code::kUnsupported,
        "errors are of the input");
  }
  return 0;
}
