#include "kexue/science/cross_split.h"

#include "kexue/science/detail/big.h"

namespace kexue::science {

using detail::Big;

CrossSplit cross_split(const ColouringProblem& problem) {
  const int k = problem.colours;
  const auto& sides = problem.cells[0];
  Big sums[2] = {0, 0};
  int centres[2] = {0, 0};
  for (int code = 0; code < k * k * k * k; ++code) {
    const int c[4] = {
        code % k, code / k % k, code / k / k % k, code / k / k / k};
    int equal = 0;
    bool opposite = false;
    for (int i = 0; i < 4; ++i) {
      for (int j = i + 1; j < 4; ++j) {
        if (c[i] != c[j]) continue;
        ++equal;
        opposite = j - i == 2;
      }
    }
    if (equal != 1) continue;  // not 2-1-1
    ++centres[opposite ? 1 : 0];
    sums[opposite ? 1 : 0] += Big(count_with(problem,
                                             {{sides[0], c[0]},
                                              {sides[1], c[1]},
                                              {sides[2], c[2]},
                                              {sides[3], c[3]}}));
  }
  return {.adjacent = sums[0].get_str(),
          .opposite = sums[1].get_str(),
          .adjacent_centres = centres[0],
          .opposite_centres = centres[1]};
}

std::string remainder(const std::string& count, uint64_t m) {
  return Big(Big(count) % detail::big_of(m)).get_str();
}

}  // namespace kexue::science
