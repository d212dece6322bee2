#include "kexue/science/abc_costs.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/base/random.h"

namespace kexue::science {
namespace {

uint64_t power_of_ten(int exponent) {
  uint64_t out = 1;
  for (int i = 0; i < exponent; ++i) out *= 10;
  return out;
}

}  // namespace

double AbcCosts::slope(size_t method) const {
  double sx = 0;
  double sy = 0;
  double sxx = 0;
  double sxy = 0;
  const auto count = static_cast<double>(n.size());
  for (size_t i = 0; i < n.size(); ++i) {
    const double x = std::log10(n[i]);
    const double y = std::log10(candidates[method][i]);
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  return (count * sxy - sx * sy) / (count * sxx - sx * sx);
}

AbcCosts abc_costs(int first, int last, int step, int draws, uint64_t seed) {
  if (first < 1 || first >= last || last > 17 || step < 1 || draws < 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("costs from 10^{} to 10^{} in steps of {} with {} "
                            "draws, wanted 1 <= first < last <= 17",
                            first,
                            last,
                            step,
                            draws));
  }
  AbcCosts out;
  Random random(Key::from_seed(seed));
  for (int e = first; e <= last; e += step) {
    const uint64_t low = power_of_ten(e);
    std::array<double, kAbcCosted.size()> sums = {};
    for (int d = 0; d < draws; ++d) {
      const uint64_t n = low + random.below(low);
      const std::string text = std::to_string(n);
      for (size_t m = 0; m < kAbcCosted.size(); ++m) {
        sums[m] += kAbcCosted[m] == AbcMethod::kPruned
                       ? static_cast<double>(min_abc_row(n).candidates)
                       : expected_candidates(text, kAbcCosted[m]);
      }
    }
    out.n.push_back(static_cast<double>(low));
    for (size_t m = 0; m < sums.size(); ++m) {
      out.candidates[m].push_back(sums[m] / draws);
    }
  }
  return out;
}

report::Chart costs_chart(const AbcCosts& costs) {
  report::Chart chart{.id = "costs",
                      .title = "Candidates",
                      .y_title = "mean over random N in [n, 2n)"};
  chart.x_title = "n";
  chart.log_x = true;
  chart.log_y = true;
  chart.x = costs.n;
  for (size_t m = 0; m < kAbcCosted.size(); ++m) {
    chart.curves.push_back({.name = to_string(kAbcCosted[m]),
                            .colour = static_cast<int>(m),
                            .y = costs.candidates[m]});
  }
  return chart;
}

}  // namespace kexue::science
