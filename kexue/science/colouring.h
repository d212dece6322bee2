// Exact counts of coloured figures: segments get colours, cells get labels
// from the colours of their segments, rules bind the labels of some cells.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kexue::science {

// Gives a cell its label, a colour, or makes the colouring invalid.
enum class CellRule {
  // One colour twice, every other at most once: counts {2,1,1} of 4 sides.
  kTwoOneOne,
  kStrictPlurality,  // one colour more often than every other
  kAtLeastThree,     // exactly one colour three times or more
};

// What the labels of some cells, in this order, must be.
enum class LabelRule {
  kAllDifferent,
  kNeighboursDifferent,  // each from the next
  kNotAllEqual,
  kAllEqual,
  kEndsEqual,  // the first and the last
  kExactlyTwoValues,
};

const char* to_string(CellRule rule);
const char* to_string(LabelRule rule);
// "two_one_one", "all_different"... Errors: kInvalidArgument listing all.
CellRule cell_rule(const std::string& name);
LabelRule label_rule(const std::string& name);

struct CellConstraint {
  std::vector<int> cells;
  LabelRule rule = LabelRule::kAllDifferent;
};

struct ColouringProblem {
  int segments = 0;
  int colours = 3;
  std::vector<std::vector<int>> cells = {};
  CellRule cell_rule = CellRule::kTwoOneOne;
  std::vector<CellConstraint> constraints = {};
  // Permutations of segments that generate the figure's symmetries: segment s
  // goes to where symmetry[s] is.
  std::vector<std::vector<int>> symmetries = {};
  // x1 y1 x2 y2 of each segment, or empty.
  std::vector<std::array<double, 4>> lines = {};

  // Errors: kInvalidArgument with `where` and the place: "cells[2][0]: segment
  //         16, wanted 0 to 15"; kUnsupported beyond a limit.
  void check(const std::string& where) const;
};

// A plus of five squares; the labels along each of its two lines differ.
// Source: article 9291.
ColouringProblem cross(int colours = 3);
// n squares in a row, each sharing a side with the next; without rules.
ColouringProblem chain(int n, int colours = 3);
// n >= 3 squares in a ring, shared sides opposite each other.
ColouringProblem ring(int n, int colours = 3);
// rows x columns squares; without rules.
ColouringProblem grid(int rows, int columns, int colours = 3);

// {"segments": 16, "colours": 3, "cells": [[0,1,2,3], ...], "cell_rule":
// "two_one_one", "constraints": [{"cells": [1,0,3], "rule": "all_different"}],
// "symmetries": [[...]], "lines": [[x1,y1,x2,y2], ...]}; all but the first
// three may be left out.
// Errors: kCorruptData for what is no JSON, with line and column;
//         kInvalidArgument with the place of a wrong value; kUnsupported.
ColouringProblem figure_from_json(std::string_view text,
                                  const std::string& where);

// Three ways to count that share only the rules:
//   kEnumerate  all colours^segments colourings, thousands at once as bits
//   kEliminate  sums of products, one variable after the other (min-fill)
//   kTransfer   cell by cell; a state is what the cells to come still need
enum class Engine { kEnumerate, kEliminate, kTransfer };
inline constexpr std::array kEngines = {
    Engine::kEnumerate, Engine::kEliminate, Engine::kTransfer};
const char* to_string(Engine engine);

// log2 of the number of all colourings.
double enumeration_bits(const ColouringProblem& problem);
inline constexpr double kMaxEnumerationBits = 34;

// The number of valid colourings, exact, in decimal.
// Errors: kUnsupported if the engine would need too much time (kEnumerate:
//         more than 2^34 colourings) or memory, naming the others.
std::string count_colourings(const ColouringProblem& problem, Engine engine);
// Those with some segments' colours given, as (segment, colour).
std::string count_with(const ColouringProblem& problem,
                       const std::vector<std::pair<int, int>>& fixed);

using Colouring = std::vector<int>;  // the colour of each segment
// Independent, each valid colouring with the same probability.
// Errors: kInvalidArgument if there is none.
std::vector<Colouring> sample_colourings(const ColouringProblem& problem,
                                         int count,
                                         uint64_t seed);
// `most` different valid colourings, or all if there are fewer.
std::vector<Colouring> list_colourings(const ColouringProblem& problem,
                                       int64_t most);
// The labels of the cells, -1 for a cell without.
std::vector<int> labels_of(const ColouringProblem& problem,
                           const Colouring& colouring);
bool is_valid(const ColouringProblem& problem, const Colouring& colouring);

// Valid colourings, those that a symmetry of the figure (all that the
// generators make) or a permutation of colours maps to each other counted
// once. By Burnside's lemma.
// Errors: kInvalidArgument if a symmetry does not map cells to cells and
//         constraints to constraints; kUnsupported for a group too large.
std::string count_orbits(const ColouringProblem& problem,
                         bool by_symmetry,
                         bool by_colours);

// Chains and rings of n squares up to 10^18, by powers of the transfer matrix.
struct StripProblem {
  uint64_t squares = 1;
  bool is_ring = false;
  int colours = 3;
  CellRule cell_rule = CellRule::kTwoOneOne;
  // Holds for each `window` squares in a row; none: window 1.
  LabelRule rule = LabelRule::kNeighboursDifferent;
  int window = 1;
};
// Exact for modulo 0, else the remainder.
// Errors: kInvalidArgument for a ring of less than 3 squares or less than its
//         window; kUnsupported for more than 2 million digits or a matrix of
//         more than 1000 rows.
std::string count_strip(const StripProblem& problem, uint64_t modulo = 0);

// A colouring as SVG: segments in their colours, labels inside the cells.
// Without `lines` each cell is drawn by itself.
std::string colouring_svg(const ColouringProblem& problem,
                          const Colouring& colouring);

}  // namespace kexue::science
