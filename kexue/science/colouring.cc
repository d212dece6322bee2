// Names, presets and checks of figures.
#include "kexue/science/colouring.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/science/detail/colour_rules.h"

namespace kexue::science {
namespace {

constexpr std::pair<CellRule, const char*> kCellRules[] = {
    {CellRule::kTwoOneOne, "two_one_one"},
    {CellRule::kStrictPlurality, "strict_plurality"},
    {CellRule::kAtLeastThree, "at_least_three"}};
constexpr std::pair<LabelRule, const char*> kLabelRules[] = {
    {LabelRule::kAllDifferent, "all_different"},
    {LabelRule::kNeighboursDifferent, "neighbours_different"},
    {LabelRule::kNotAllEqual, "not_all_equal"},
    {LabelRule::kAllEqual, "all_equal"},
    {LabelRule::kEndsEqual, "ends_equal"},
    {LabelRule::kExactlyTwoValues, "exactly_two_values"}};
constexpr std::pair<Engine, const char*> kEngineNames[] = {
    {Engine::kEnumerate, "enumerate"},
    {Engine::kEliminate, "eliminate"},
    {Engine::kTransfer, "transfer"}};

template <class T, size_t N>
const char* name_of(const std::pair<T, const char*> (&all)[N], T value) {
  for (const auto& [v, name] : all) {
    if (v == value) return name;
  }
  return "";
}

template <class T, size_t N>
T named(const std::pair<T, const char*> (&all)[N],
        const std::string& name,
        const char* what) {
  std::string known;
  for (const auto& [v, text] : all) {
    if (name == text) return v;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw Error(Code::kInvalidArgument,
              fmt::format("unknown {} \"{}\"", what, io::printable(name)),
              "one of " + known);
}

[[noreturn]] void refuse(const std::string& where,
                         const std::string& place,
                         const std::string& text,
                         Code code = Code::kInvalidArgument) {
  throw Error(code, fmt::format("{}: {}: {}", where, place, text));
}

void check_range(const std::string& where,
                 const char* place,
                 size_t value,
                 size_t low,
                 size_t high) {
  if (value >= low && value <= high) return;
  const Code code = value > high ? Code::kUnsupported : Code::kInvalidArgument;
  refuse(where,
         place,
         fmt::format("got {}, wanted {} to {}", value, low, high),
         code);
}

// Different numbers of 0..top-1.
void check_ids(const std::string& where,
               const std::string& place,
               const char* what,
               const std::vector<int>& ids,
               int top) {
  std::vector<int> seen;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string here = fmt::format("{}[{}]", place, i);
    if (ids[i] < 0 || ids[i] >= top) {
      refuse(where,
             here,
             fmt::format("{} {}, wanted 0 to {}", what, ids[i], top - 1));
    }
    if (std::find(seen.begin(), seen.end(), ids[i]) != seen.end()) {
      refuse(where, here, fmt::format("{} {} twice", what, ids[i]));
    }
    seen.push_back(ids[i]);
  }
}

// A square as its sides.
std::vector<int> square(int top, int left, int bottom, int right) {
  return {top, left, bottom, right};
}

}  // namespace

const char* to_string(CellRule rule) {
  return name_of(kCellRules, rule);
}
const char* to_string(LabelRule rule) {
  return name_of(kLabelRules, rule);
}
const char* to_string(Engine engine) {
  return name_of(kEngineNames, engine);
}
CellRule cell_rule(const std::string& name) {
  return named(kCellRules, name, "cell rule");
}
LabelRule label_rule(const std::string& name) {
  return named(kLabelRules, name, "rule");
}

void ColouringProblem::check(const std::string& where) const {
  using namespace detail;
  check_range(where,
              "colours",
              static_cast<size_t>(std::max(colours, 0)),
              1,
              kMaxColours);
  check_range(where,
              "segments",
              static_cast<size_t>(std::max(segments, 0)),
              1,
              kMaxSegments);
  check_range(where, "cells", cells.size(), 1, kMaxCells);
  check_range(where, "constraints", constraints.size(), 0, 65'536);
  check_range(where, "symmetries", symmetries.size(), 0, 64);
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string place = fmt::format("cells[{}]", i);
    if (cells[i].empty()) refuse(where, place, "no segment");
    check_range(where, place.c_str(), cells[i].size(), 1, kMaxSides);
    check_ids(where, place, "segment", cells[i], segments);
  }
  for (size_t i = 0; i < constraints.size(); ++i) {
    const std::string place = fmt::format("constraints[{}].cells", i);
    check_range(
        where, place.c_str(), constraints[i].cells.size(), 1, kMaxTogether);
    check_ids(where,
              place,
              "cell",
              constraints[i].cells,
              static_cast<int>(cells.size()));
  }
  for (size_t i = 0; i < symmetries.size(); ++i) {
    const std::string place = fmt::format("symmetries[{}]", i);
    if (symmetries[i].size() != static_cast<size_t>(segments)) {
      refuse(where,
             place,
             fmt::format("{} numbers, wanted one for each of {} segments",
                         symmetries[i].size(),
                         segments));
    }
    check_ids(where, place, "segment", symmetries[i], segments);
  }
  if (!lines.empty() && lines.size() != static_cast<size_t>(segments)) {
    refuse(where,
           "lines",
           fmt::format("{} lines, wanted one for each of {} segments",
                       lines.size(),
                       segments));
  }
}

ColouringProblem cross(int colours) {
  ColouringProblem out{.segments = 16, .colours = colours};
  // Centre, top, left, bottom, right.
  out.cells = {{0, 1, 2, 3},
               {0, 4, 5, 6},
               {1, 10, 11, 12},
               {2, 7, 8, 9},
               {3, 13, 14, 15}};
  out.constraints = {{{2, 0, 4}, LabelRule::kAllDifferent},
                     {{1, 0, 3}, LabelRule::kAllDifferent}};
  out.lines = {{1, 1, 2, 1},
               {1, 1, 1, 2},
               {1, 2, 2, 2},
               {2, 1, 2, 2},
               {1, 0, 1, 1},
               {1, 0, 2, 0},
               {2, 0, 2, 1},
               {1, 2, 1, 3},
               {1, 3, 2, 3},
               {2, 2, 2, 3},
               {0, 1, 1, 1},
               {0, 1, 0, 2},
               {0, 2, 1, 2},
               {2, 1, 3, 1},
               {3, 1, 3, 2},
               {2, 2, 3, 2}};
  // A quarter turn (top to left to bottom to right), then the mirror image
  // that swaps left and right.
  out.symmetries = {{1, 2, 3, 0, 12, 11, 10, 15, 14, 13, 7, 8, 9, 4, 5, 6},
                    {0, 3, 2, 1, 6, 5, 4, 9, 8, 7, 13, 14, 15, 10, 11, 12}};
  return out;
}

ColouringProblem chain(int n, int colours) {
  ColouringProblem out{.segments = 3 * n + 1, .colours = colours};
  // Upright sides 0..n, then top and bottom of each square.
  for (int i = 0; i <= n; ++i) {
    const double x = i;
    out.lines.push_back({x, 0, x, 1});
  }
  for (int i = 0; i < n; ++i) {
    const int top = n + 1 + 2 * i;
    const double x = i;
    out.cells.push_back(square(top, i, top + 1, i + 1));
    out.lines.push_back({x, 0, x + 1, 0});
    out.lines.push_back({x, 1, x + 1, 1});
  }
  return out;
}

ColouringProblem ring(int n, int colours) {
  if (n < 3) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a ring of {} squares, wanted at least 3", n));
  }
  ColouringProblem out{.segments = 3 * n, .colours = colours};
  for (int i = 0; i < n; ++i) {
    out.cells.push_back(square(n + 2 * i, i, n + 2 * i + 1, (i + 1) % n));
  }
  const double step = 2 * std::acos(-1.0) / n;
  const double outer = n / 3.0 + 1;
  const auto at = [&](double radius, int i) {
    return std::array{outer + radius * std::cos(step * i),
                      outer + radius * std::sin(step * i)};
  };
  const auto line = [&](double r1, int i1, double r2, int i2) {
    const auto a = at(r1, i1);
    const auto b = at(r2, i2);
    out.lines.push_back({a[0], a[1], b[0], b[1]});
  };
  for (int i = 0; i < n; ++i) line(outer - 1, i, outer, i);
  for (int i = 0; i < n; ++i) {
    line(outer, i, outer, i + 1);
    line(outer - 1, i, outer - 1, i + 1);
  }
  return out;
}

ColouringProblem grid(int rows, int columns, int colours) {
  ColouringProblem out{.colours = colours};
  const int level = (rows + 1) * columns;  // sides that lie
  out.segments = level + rows * (columns + 1);
  const auto lying = [&](int r, int c) { return r * columns + c; };
  const auto upright = [&](int r, int c) {
    return level + r * (columns + 1) + c;
  };
  for (int r = 0; r <= rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const double x = c;
      const double y = r;
      out.lines.push_back({x, y, x + 1, y});
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c <= columns; ++c) {
      const double x = c;
      const double y = r;
      out.lines.push_back({x, y, x, y + 1});
      if (c == columns) continue;
      out.cells.push_back(square(
          lying(r, c), upright(r, c), lying(r + 1, c), upright(r, c + 1)));
    }
  }
  return out;
}

double enumeration_bits(const ColouringProblem& problem) {
  return problem.segments * std::log2(problem.colours);
}

std::vector<int> labels_of(const ColouringProblem& problem,
                           const Colouring& colouring) {
  std::vector<int> out;
  std::vector<int> colours;
  for (const auto& cell : problem.cells) {
    colours.clear();
    for (const int s : cell) {
      colours.push_back(colouring[static_cast<size_t>(s)]);
    }
    out.push_back(
        detail::label_of_colours(problem.cell_rule, colours, problem.colours));
  }
  return out;
}

bool is_valid(const ColouringProblem& problem, const Colouring& colouring) {
  const std::vector<int> labels = labels_of(problem, colouring);
  if (std::count(labels.begin(), labels.end(), -1) > 0) return false;
  std::vector<int> own;
  for (const CellConstraint& c : problem.constraints) {
    own.clear();
    for (const int cell : c.cells) {
      own.push_back(labels[static_cast<size_t>(cell)]);
    }
    if (!detail::holds(c.rule, own)) return false;
  }
  return true;
}

}  // namespace kexue::science
