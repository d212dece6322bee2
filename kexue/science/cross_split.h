// The hand count of the cross: by the shape of its centre.
#pragma once

#include <cstdint>
#include <string>

#include "kexue/science/colouring.h"

namespace kexue::science {

struct CrossSplit {
  // Valid colourings whose centre has its two equal sides adjacent, opposite;
  // with the number of such centres.
  std::string adjacent, opposite;
  int adjacent_centres = 0, opposite_centres = 0;
};

// `problem` is cross(k), perhaps with other constraints; its first cell is the
// centre, sides in turn.
CrossSplit cross_split(const ColouringProblem& problem);

// count mod m; m >= 1.
std::string remainder(const std::string& count, uint64_t m);

}  // namespace kexue::science
