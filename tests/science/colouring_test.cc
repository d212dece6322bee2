#include "kexue/science/colouring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "kexue/base/random.h"
#include "kexue/science/cross_split.h"
#include "tests/support/error_matchers.h"

namespace kexue::science {
namespace {

constexpr CellRule kCellRules[] = {
    CellRule::kTwoOneOne, CellRule::kStrictPlurality, CellRule::kAtLeastThree};
constexpr LabelRule kLabelRules[] = {LabelRule::kAllDifferent,
                                     LabelRule::kNeighboursDifferent,
                                     LabelRule::kNotAllEqual,
                                     LabelRule::kAllEqual,
                                     LabelRule::kEndsEqual,
                                     LabelRule::kExactlyTwoValues};

// What the rules say, written down a second time.
int plain_label(CellRule rule, const std::vector<int>& colours) {
  std::map<int, int> counts;
  for (const int c : colours) ++counts[c];
  std::vector<std::pair<int, int>> sorted;  // (count, colour), most first
  for (const auto& [c, n] : counts) sorted.emplace_back(n, c);
  std::sort(sorted.rbegin(), sorted.rend());
  const int first = sorted[0].first;
  const int second = sorted.size() > 1 ? sorted[1].first : 0;
  const bool valid = rule == CellRule::kTwoOneOne ? first == 2 && second <= 1
                     : rule == CellRule::kStrictPlurality
                         ? first > second
                         : first >= 3 && second < 3;
  return valid ? sorted[0].second : -1;
}

bool plain_holds(LabelRule rule, const std::vector<int>& l) {
  const std::set<int> values(l.begin(), l.end());
  switch (rule) {
    case LabelRule::kAllDifferent:
      return values.size() == l.size();
    case LabelRule::kNeighboursDifferent:
      for (size_t i = 1; i < l.size(); ++i) {
        if (l[i] == l[i - 1]) return false;
      }
      return true;
    case LabelRule::kNotAllEqual:
      return values.size() > 1;
    case LabelRule::kAllEqual:
      return values.size() == 1;
    case LabelRule::kEndsEqual:
      return l.front() == l.back();
    case LabelRule::kExactlyTwoValues:
      return values.size() == 2;
  }
  return false;
}

// Every colouring in turn.
std::vector<Colouring> brute(const ColouringProblem& p) {
  std::vector<Colouring> out;
  Colouring x(static_cast<size_t>(p.segments), 0);
  for (;;) {
    std::vector<int> labels;
    for (const auto& cell : p.cells) {
      std::vector<int> colours;
      for (const int s : cell) colours.push_back(x[static_cast<size_t>(s)]);
      labels.push_back(plain_label(p.cell_rule, colours));
    }
    bool valid = std::count(labels.begin(), labels.end(), -1) == 0;
    for (const auto& c : p.constraints) {
      std::vector<int> own;
      for (const int i : c.cells) own.push_back(labels[static_cast<size_t>(i)]);
      valid = valid && plain_holds(c.rule, own);
    }
    if (valid) out.push_back(x);
    size_t at = x.size();
    while (at > 0 && ++x[at - 1] == p.colours) x[--at] = 0;
    if (at == 0) return out;
  }
}

void expect_count(const ColouringProblem& p, const std::string& want) {
  for (const Engine e : kEngines) {
    if (e == Engine::kEnumerate && enumeration_bits(p) > 26) continue;
    EXPECT_EQ(count_colourings(p, e), want) << to_string(e);
  }
}

ColouringProblem with(ColouringProblem p,
                      std::vector<CellConstraint> constraints) {
  p.constraints = std::move(constraints);
  return p;
}

// Cells of random segments with random rules.
ColouringProblem random_figure(Random& random) {
  ColouringProblem p;
  p.segments = 3 + static_cast<int>(random.below(5));
  p.colours = 1 + static_cast<int>(random.below(3));
  p.cell_rule = kCellRules[random.below(3)];
  const int cells = 1 + static_cast<int>(random.below(4));
  for (int c = 0; c < cells; ++c) {
    std::vector<int> all(static_cast<size_t>(p.segments));
    std::iota(all.begin(), all.end(), 0);
    std::vector<int> cell;
    const size_t sides = 1 + random.below(std::min<uint64_t>(5, all.size()));
    while (cell.size() < sides) {
      const auto at = static_cast<long>(random.below(all.size()));
      cell.push_back(all[static_cast<size_t>(at)]);
      all.erase(all.begin() + at);
    }
    p.cells.push_back(cell);
  }
  for (uint64_t i = random.below(3); i > 0; --i) {
    CellConstraint c{.cells = {}, .rule = kLabelRules[random.below(6)]};
    for (int cell = 0; cell < cells; ++cell) {
      if (random.below(3) > 0) c.cells.push_back(cell);
    }
    if (!c.cells.empty()) p.constraints.push_back(c);
  }
  return p;
}

TEST(Colouring, EnginesEqualBruteForceOnRandomFigures) {
  Random random(Key::from_seed(1));
  int with_some = 0;
  for (int i = 0; i < 300; ++i) {
    const ColouringProblem p = random_figure(random);
    const auto all = brute(p);
    expect_count(p, std::to_string(all.size()));
    EXPECT_EQ(list_colourings(p, 1 << 20), all);
    with_some += all.empty() ? 0 : 1;
    if (HasFailure()) FAIL() << "figure " << i;
  }
  EXPECT_GT(with_some, 100);
}

TEST(Cross, ThePuzzle) {
  expect_count(cross(), "27216");
  EXPECT_EQ(count_colourings(cross(), Engine::kEnumerate), "27216");
  const CrossSplit split = cross_split(cross());
  EXPECT_EQ(split.adjacent, "17496");
  EXPECT_EQ(split.opposite, "9720");
  EXPECT_EQ(split.adjacent_centres, 24);
  EXPECT_EQ(split.opposite_centres, 12);
}

TEST(Cross, OtherConditions) {
  using enum LabelRule;
  const ColouringProblem p = cross();
  const std::vector<int> h = {2, 0, 4};
  const std::vector<int> v = {1, 0, 3};
  const std::pair<std::vector<CellConstraint>, const char*> cases[] = {
      {{}, "746496"},
      {{{h, kAllDifferent}}, "147744"},
      {{{h, kAllDifferent}, {v, kAllDifferent}, {{1, 2}, kAllEqual}}, "13608"},
      {{{h, kNeighboursDifferent}, {v, kNeighboursDifferent}}, "104976"},
      {{{{2, 4}, kAllDifferent}, {{1, 3}, kAllDifferent}}, "342144"},
      {{{h, kNotAllEqual}, {v, kNotAllEqual}}, "555984"}};
  for (const auto& [constraints, want] : cases) {
    const auto q = with(p, constraints);
    for (const Engine e : kEngines) EXPECT_EQ(count_colourings(q, e), want);
  }
}

TEST(Cross, CentreColourFixed) {
  // By symmetry of colours a third: fix the centre's label through its sides.
  long sum = 0;
  for (int code = 0; code < 81; ++code) {
    const std::vector<int> c = {
        code % 3, code / 3 % 3, code / 9 % 3, code / 27};
    if (plain_label(CellRule::kTwoOneOne, c) != 0) continue;
    sum += std::strtol(
        count_with(cross(), {{0, c[0]}, {1, c[1]}, {2, c[2]}, {3, c[3]}})
            .c_str(),
        nullptr,
        10);
  }
  EXPECT_EQ(sum, 9072);
}

TEST(Cross, MoreColours) {
  using enum LabelRule;
  const char* all_different[] = {
      "0", "27216", "19160064", "1062882000", "19667681280"};
  const char* centre[] = {
      "0", "104976", "41990400", "1851776640", "30233088000"};
  const char* dominated[] = {
      "0", "746496", "241864704", "9674588160", "149299200000"};
  for (int k = 2; k <= 6; ++k) {
    expect_count(cross(k), all_different[k - 2]);
    expect_count(with(cross(k), {}), dominated[k - 2]);
    expect_count(with(cross(k),
                      {{{2, 0, 4}, kNeighboursDifferent},
                       {{1, 0, 3}, kNeighboursDifferent}}),
                 centre[k - 2]);
  }
}

TEST(Figures, OneLineOfThreeSquares) {
  const char* want[] = {"1026", "55296", "656100", "4008960"};
  for (int k = 3; k <= 6; ++k) {
    expect_count(with(chain(3, k), {{{0, 1, 2}, LabelRule::kAllDifferent}}),
                 want[k - 3]);
  }
}

TEST(Figures, RingsAndTheBlockAreTheSameIncidences) {
  ColouringProblem block = grid(2, 2);
  expect_count(block, "20898");
  block.constraints = {{{0, 1}, LabelRule::kNeighboursDifferent},
                       {{1, 3}, LabelRule::kNeighboursDifferent},
                       {{3, 2}, LabelRule::kNeighboursDifferent},
                       {{2, 0}, LabelRule::kNeighboursDifferent}};
  expect_count(block, "3168");
  expect_count(ring(3), "1674");
  expect_count(ring(5), "248346");
}

TEST(Strip, TablesOfChainsAndRings) {
  const auto count = [](uint64_t n, bool is_ring, int k, int window) {
    return count_strip(
        {.squares = n, .is_ring = is_ring, .colours = k, .window = window});
  };
  const char* plain[] = {"36", "432", "5184", "62208"};
  for (uint64_t n = 1; n <= 4; ++n)
    EXPECT_EQ(count(n, false, 3, 1), plain[n - 1]);
  const char* differ[] = {"36", "270", "1998", "14742", "108702", "801414"};
  for (uint64_t n = 1; n <= 6; ++n)
    EXPECT_EQ(count(n, false, 3, 2), differ[n - 1]);
  const char* four[] = {"144", "3456", "81216", "1900800", "44451072"};
  for (uint64_t n = 1; n <= 5; ++n)
    EXPECT_EQ(count(n, false, 4, 2), four[n - 1]);
  const char* rings[] = {"1674", "20898", "248346", "2987442"};
  const char* ring_differ[] = {"318", "3168", "21480", "160446"};
  for (uint64_t n = 3; n <= 6; ++n) {
    EXPECT_EQ(count(n, true, 3, 1), rings[n - 3]);
    EXPECT_EQ(count(n, true, 3, 2), ring_differ[n - 3]);
  }
}

// The figure with every window spelled out, by the other engines.
TEST(Strip, EqualsTheFigureForEveryRuleAndWindow) {
  for (const LabelRule rule : kLabelRules) {
    for (int window = 2; window <= 3; ++window) {
      for (int n = 3; n <= 5; ++n) {
        for (const bool is_ring : {false, true}) {
          ColouringProblem p = is_ring ? ring(n) : chain(n);
          for (int i = 0; is_ring ? i < n : i + window <= n; ++i) {
            CellConstraint c{.cells = {}, .rule = rule};
            for (int j = 0; j < window; ++j) c.cells.push_back((i + j) % n);
            p.constraints.push_back(c);
          }
          const std::string got = count_strip({.squares = uint64_t(n),
                                               .is_ring = is_ring,
                                               .rule = rule,
                                               .window = window});
          EXPECT_EQ(got, count_colourings(p, Engine::kEliminate))
              << to_string(rule) << window << n << is_ring;
          EXPECT_EQ(got, count_colourings(p, Engine::kTransfer));
        }
      }
    }
  }
}

// 36 * 12^(n-1), by repeated squaring modulo p.
TEST(Strip, TenToTheEighteenthModuloAPrime) {
  const uint64_t p = 1'000'000'007;
  const uint64_t n = 1'000'000'000'000'000'000;
  uint64_t want = 36;
  uint64_t base = 12;
  for (uint64_t e = n - 1; e != 0; e >>= 1) {
    if (e & 1) want = want * base % p;
    base = base * base % p;
  }
  EXPECT_EQ(count_strip({.squares = n}, p), std::to_string(want));
  // Exact: 36 * 12^99 has 109 digits and ends on the zeros of 12^99's none.
  const std::string exact = count_strip({.squares = 100});
  EXPECT_EQ(exact.size(), 109u);
  EXPECT_EQ(remainder(exact, p), count_strip({.squares = 100}, p));
}

TEST(Big, LongChainsAreExactInEveryEngine) {
  // 62208 * 12^36 is beyond 64 bits.
  const auto p = chain(40);
  const std::string want = count_strip({.squares = 40});
  EXPECT_GT(want.size(), 20u);
  EXPECT_EQ(count_colourings(p, Engine::kEliminate), want);
  EXPECT_EQ(count_colourings(p, Engine::kTransfer), want);
}

TEST(Sample, CentreColourIsUniform) {
  const auto p = cross();
  std::array<int, 3> seen = {};
  constexpr int kDraws = 100'000;
  for (const auto& x : sample_colourings(p, kDraws, 7)) {
    ++seen[static_cast<size_t>(labels_of(p, x)[0])];
  }
  double chi = 0;
  for (const int n : seen) {
    chi += (n - kDraws / 3.0) * (n - kDraws / 3.0) / (kDraws / 3.0);
  }
  EXPECT_LT(chi, 13.8);  // 2 degrees of freedom, 0.1 %
}

TEST(Sample, EveryColouringOfASmallFigureComesUpAsOften) {
  const auto p = with(chain(2), {{{0, 1}, LabelRule::kAllDifferent}});
  std::map<Colouring, int> seen;
  for (const auto& x : sample_colourings(p, 27'000, 3)) {
    ASSERT_TRUE(is_valid(p, x));
    ++seen[x];
  }
  EXPECT_EQ(seen.size(), 270u);
  double chi = 0;
  for (const auto& [x, n] : seen) chi += (n - 100.0) * (n - 100.0) / 100;
  EXPECT_LT(chi, 269 + 4 * std::sqrt(2 * 269.0));
  EXPECT_EQ(sample_colourings(p, 5, 3), sample_colourings(p, 5, 3));
}

TEST(List, DifferentValidColourings) {
  const auto list = list_colourings(cross(), 1000);
  EXPECT_EQ(list.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
  EXPECT_EQ(std::adjacent_find(list.begin(), list.end()), list.end());
  for (const auto& x : list) ASSERT_TRUE(is_valid(cross(), x));
  EXPECT_TRUE(list_colourings(cross(2), 10).empty());
}

// Orbits counted by hand: the least image of each colouring.
std::string plain_orbits(const ColouringProblem& p,
                         const std::vector<std::vector<int>>& group,
                         bool by_colours) {
  std::set<Colouring> least;
  for (const auto& x : brute(p)) {
    Colouring best = x;
    std::vector<int> turn(static_cast<size_t>(p.colours));
    std::iota(turn.begin(), turn.end(), 0);
    do {
      for (const auto& g : group) {
        Colouring y(x.size());
        for (size_t s = 0; s < x.size(); ++s) {
          y[static_cast<size_t>(g[s])] = turn[static_cast<size_t>(x[s])];
        }
        best = std::min(best, y);
      }
    } while (by_colours && std::next_permutation(turn.begin(), turn.end()));
    least.insert(best);
  }
  return std::to_string(least.size());
}

TEST(Orbits, OfTheCrossUnderColours) {
  EXPECT_EQ(count_orbits(cross(), false, true), "4536");
  EXPECT_EQ(count_orbits(cross(), false, false), "27216");
}

TEST(Orbits, EqualBruteForceOnAChain) {
  ColouringProblem p = chain(2);
  // Left to right, and top to bottom.
  const std::vector<int> mirror = {2, 1, 0, 5, 6, 3, 4};
  const std::vector<int> flip = {0, 1, 2, 4, 3, 6, 5};
  std::vector<int> both(7);
  for (size_t i = 0; i < 7; ++i) both[i] = flip[size_t(mirror[i])];
  p.symmetries = {mirror, flip};
  const std::vector<std::vector<int>> group = {
      {0, 1, 2, 3, 4, 5, 6}, mirror, flip, both};
  for (const CellRule rule : kCellRules) {
    p.cell_rule = rule;
    EXPECT_EQ(count_orbits(p, true, false), plain_orbits(p, group, false));
    EXPECT_EQ(count_orbits(p, true, true), plain_orbits(p, group, true));
    EXPECT_EQ(count_orbits(p, false, true), plain_orbits(p, {group[0]}, true));
  }
}

TEST(Orbits, WhatIsNoSymmetryIsRefused) {
  ColouringProblem p = chain(2);
  p.symmetries = {{1, 0, 2, 3, 4, 5, 6}};
  EXPECT_ERROR(count_orbits(p, true, false),
               Code::kInvalidArgument,
               "symmetries[0]",
               "cells[1]");
  p.symmetries = {{0, 1, 2, 3, 4, 5}};
  EXPECT_ERROR(count_orbits(p, true, false),
               Code::kInvalidArgument,
               "symmetries[0]",
               "6 numbers");
  p.symmetries = {{0, 1, 2, 3, 4, 5, 5}};
  EXPECT_ERROR(count_orbits(p, true, false),
               Code::kInvalidArgument,
               "symmetries[0][6]",
               "twice");
  ColouringProblem q = cross();
  q.constraints.pop_back();  // the quarter turn moves the line now
  EXPECT_ERROR(
      count_orbits(q, true, false), Code::kInvalidArgument, "constraints[0]");
}

TEST(Limits, TooLargeNamesTheOtherEngines) {
  EXPECT_ERROR(count_colourings(chain(8), Engine::kEnumerate),
               Code::kUnsupported,
               "2^39.6",
               "2^34",
               "eliminate");
  EXPECT_ERROR(count_strip({.squares = 1'000'000}),
               Code::kUnsupported,
               "digits",
               "--modulo");
  EXPECT_ERROR(count_strip({.squares = 2, .is_ring = true}),
               Code::kInvalidArgument,
               "ring of 2 squares");
  EXPECT_ERROR(count_strip({.squares = 9, .colours = 16, .window = 3}),
               Code::kUnsupported,
               "4096 rows");
  EXPECT_ERROR(ring(2), Code::kInvalidArgument, "ring of 2");
  EXPECT_ERROR(sample_colourings(cross(2), 1, 0),
               Code::kInvalidArgument,
               "no valid colouring");
}

constexpr const char* kGood =
    R"({"segments": 4, "colours": 3, "cells": [[0,1,2,3]]})";

TEST(Json, ReadsTheWholeFormat) {
  EXPECT_EQ(count_colourings(figure_from_json(kGood, "f"), Engine::kEliminate),
            "36");
  const auto p = figure_from_json(
      R"({"segments": 7, "colours": 3, "cells": [[3,0,4,1],[5,1,6,2]],
          "cell_rule": "strict_plurality",
          "constraints": [{"cells": [1,0], "rule": "ends_equal"}],
          "symmetries": [[2,1,0,5,6,3,4]],
          "lines": [[0,0,0,1],[1,0,1,1],[2,0,2,1],[0,0,1,0],[0,1,1,1],
                    [1,0,2,0],[1,1,2,1]]})",
      "f");
  EXPECT_EQ(p.cell_rule, CellRule::kStrictPlurality);
  EXPECT_EQ(p.constraints[0].rule, LabelRule::kEndsEqual);
  EXPECT_EQ(std::to_string(brute(p).size()),
            count_colourings(p, Engine::kTransfer));
}

TEST(Json, EveryMistakeIsNamedWithItsPlace) {
  const std::vector<std::string> cases[] = {
      {R"({"segments": 4, "colours": 3})", "\"cells\" is missing"},
      {R"({"segments": 4, "colours": 3, "cells": [[0,1,2,4]]})",
       "cells[0][3]: segment 4, wanted 0 to 3"},
      {R"({"segments": 4, "colours": 3, "cells": [[0,1,2,-1]]})",
       "cells[0][3]: segment -1"},
      {R"({"segments": 4, "colours": 3, "cells": [[0,1,1]]})",
       "cells[0][2]: segment 1 twice"},
      {R"({"segments": 4, "colours": 3, "cells": [[0],[]]})",
       "cells[1]: no segment"},
      {R"({"segments": 4, "colours": 0, "cells": [[0]]})", "colours: got 0"},
      {R"({"segments": 0, "colours": 3, "cells": [[0]]})", "segments: got 0"},
      {R"({"segments": 4, "colours": 3, "cells": []})", "cells: got 0"},
      {R"({"segments": 4.5, "colours": 3, "cells": [[0]]})",
       "segments: got 4.5, wanted a whole number"},
      {R"({"segments": 4, "colours": "3", "cells": [[0]]})", "colours: got"},
      {R"({"segments": 4, "colours": 3, "cells": [0]})", "cells[0]: got 0"},
      {R"({"segments": 4, "colours": 3, "cells": [[0]], "cel_rule": "x"})",
       "unknown key \"cel_rule\""},
      {R"({"segments": 4, "colours": 3, "cells": [[0]], "cell_rule": "x"})",
       "cell_rule: unknown cell rule \"x\""},
      {R"({"segments": 4, "colours": 3, "cells": [[0]],
          "constraints": [{"cells": [1], "rule": "all_equal"}]})",
       "constraints[0].cells[0]: cell 1, wanted 0 to 0"},
      {R"({"segments": 4, "colours": 3, "cells": [[0]],
          "constraints": [{"cells": [0], "rule": "some"}]})",
       "constraints[0].rule: unknown rule \"some\""},
      {R"({"segments": 4, "colours": 3, "cells": [[0]],
          "constraints": [{"cells": [0]}]})",
       "constraints[0]"},
      {R"({"segments": 2, "colours": 3, "cells": [[0]],
          "lines": [[0,0,1,1]]})",
       "lines: 1 lines"},
      {R"([1])", "wanted an object"}};
  for (const auto& c : cases) {
    EXPECT_ERROR(figure_from_json(c[0], "f.json"),
                 Code::kInvalidArgument,
                 "f.json",
                 c[1]);
  }
  EXPECT_ERROR(figure_from_json("{\"segments\": 4,\n oops", "f.json"),
               Code::kCorruptData,
               "f.json",
               "line 2");
  EXPECT_ERROR(figure_from_json(R"({"segments": 1, "segments": 2})", "f.json"),
               Code::kCorruptData,
               "twice");
  EXPECT_ERROR(figure_from_json(
                   R"({"segments": 5000, "colours": 3, "cells": [[0]]})", "f"),
               Code::kUnsupported,
               "segments: got 5000");
  EXPECT_ERROR(figure_from_json(
                   R"({"segments": 4, "colours": 17, "cells": [[0]]})", "f"),
               Code::kUnsupported,
               "colours: got 17");
}

TEST(Picture, ShowsEverySegmentAndLabel) {
  for (ColouringProblem p : {cross(), chain(2), ring(4), grid(2, 3)}) {
    const auto x = list_colourings(p, 1)[0];
    for (const bool lies : {true, false}) {
      if (!lies) p.lines.clear();
      const std::string svg = colouring_svg(p, x);
      size_t lines = 0;
      size_t sides = 0;
      for (const auto& cell : p.cells) sides += cell.size();
      for (size_t at = svg.find("<line"); at != std::string::npos;
           at = svg.find("<line", at + 1)) {
        ++lines;
      }
      EXPECT_EQ(lines, lies ? size_t(p.segments) : sides);
      EXPECT_NE(svg.find("<text"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace kexue::science
