// What the methods of abc.h cost, as N grows.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kexue/report/chart.h"
#include "kexue/science/abc.h"

namespace kexue::science {

inline constexpr std::array kAbcCosted = {AbcMethod::kArticle,
                                          AbcMethod::kSqrt,
                                          AbcMethod::kParity,
                                          AbcMethod::kSumDiff,
                                          AbcMethod::kPruned};

struct AbcCosts {
  std::vector<double> n;  // sizes: N is random in [n, 2n)
  // Mean candidates of each method of kAbcCosted.
  std::array<std::vector<double>, kAbcCosted.size()> candidates = {};

  // Of log candidates over log n, least squares.
  double slope(size_t method) const;
};

// At n = 10^first, 10^(first + step), ... up to 10^last, `draws` numbers each.
// kPruned is run, the intervals of the others are computed.
// Errors: kInvalidArgument unless 1 <= first < last <= 17 and draws >= 1.
AbcCosts abc_costs(int first, int last, int step, int draws, uint64_t seed);

// Candidates over N, both axes logarithmic.
report::Chart costs_chart(const AbcCosts& costs);

}  // namespace kexue::science
