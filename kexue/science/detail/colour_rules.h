// Private to science: what the rules of colouring.h mean.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kexue/science/colouring.h"

namespace kexue::science::detail {

inline constexpr int kMaxColours = 16;
inline constexpr int kMaxSegments = 4096;
inline constexpr int kMaxCells = 4096;
inline constexpr int kMaxSides = 24;
inline constexpr int kMaxTogether = 64;  // cells of a constraint

// The label of a cell with so many segments of each colour, or -1.
int label_of(CellRule rule, std::span<const int> counts);
// The same from the colours of its segments.
int label_of_colours(CellRule rule, std::span<const int> colours, int k);

bool holds(LabelRule rule, std::span<const int> labels);

// Rules that are pairs of labels: "different" or "equal" for (i, j); the
// others come back whole.
struct LabelPair {
  int first, second;
  bool is_equal;
};
struct Split {
  std::vector<LabelPair> pairs;
  std::vector<CellConstraint> whole;
};
Split split_pairs(const std::vector<CellConstraint>& constraints);

}  // namespace kexue::science::detail
