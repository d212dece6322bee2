#include "kexue/science/detail/colour_rules.h"

#include <algorithm>
#include <array>

namespace kexue::science::detail {

int label_of(CellRule rule, std::span<const int> counts) {
  int best = 0;
  int many = 0;   // colours with the highest count
  int twice = 0;  // colours that occur twice or more
  int thrice = 0;
  int label = -1;
  for (size_t c = 0; c < counts.size(); ++c) {
    const int n = counts[c];
    if (n >= 2) ++twice;
    if (n >= 3) ++thrice;
    if (n > best) {
      best = n;
      many = 1;
      label = static_cast<int>(c);
    } else if (n == best && n > 0) {
      ++many;
    }
  }
  bool valid = false;
  switch (rule) {
    case CellRule::kTwoOneOne:
      valid = best == 2 && twice == 1;
      break;
    case CellRule::kStrictPlurality:
      valid = many == 1;
      break;
    case CellRule::kAtLeastThree:
      valid = thrice == 1;
      break;
  }
  return valid ? label : -1;
}

int label_of_colours(CellRule rule, std::span<const int> colours, int k) {
  std::array<int, kMaxColours> counts = {};
  for (const int c : colours) ++counts[static_cast<size_t>(c)];
  return label_of(rule, std::span(counts).first(static_cast<size_t>(k)));
}

bool holds(LabelRule rule, std::span<const int> labels) {
  const auto distinct = [&] {
    uint32_t seen = 0;
    for (const int l : labels) seen |= 1u << l;
    return static_cast<size_t>(__builtin_popcount(seen));
  };
  switch (rule) {
    case LabelRule::kAllDifferent:
      return distinct() == labels.size();
    case LabelRule::kNeighboursDifferent:
      return std::adjacent_find(labels.begin(), labels.end()) == labels.end();
    case LabelRule::kNotAllEqual:
      return distinct() != 1;
    case LabelRule::kAllEqual:
      return distinct() <= 1;
    case LabelRule::kEndsEqual:
      return labels.empty() || labels.front() == labels.back();
    case LabelRule::kExactlyTwoValues:
      return distinct() == 2;
  }
  return false;
}

Split split_pairs(const std::vector<CellConstraint>& constraints) {
  Split out;
  for (const CellConstraint& c : constraints) {
    const auto& cells = c.cells;
    switch (c.rule) {
      case LabelRule::kAllDifferent:
        for (size_t i = 0; i < cells.size(); ++i) {
          for (size_t j = i + 1; j < cells.size(); ++j) {
            out.pairs.push_back({cells[i], cells[j], false});
          }
        }
        break;
      case LabelRule::kNeighboursDifferent:
      case LabelRule::kAllEqual:
        for (size_t i = 0; i + 1 < cells.size(); ++i) {
          out.pairs.push_back(
              {cells[i], cells[i + 1], c.rule == LabelRule::kAllEqual});
        }
        break;
      case LabelRule::kEndsEqual:
        out.pairs.push_back({cells.front(), cells.back(), true});
        break;
      case LabelRule::kNotAllEqual:
      case LabelRule::kExactlyTwoValues:
        out.whole.push_back(c);
        break;
    }
  }
  return out;
}

}  // namespace kexue::science::detail
