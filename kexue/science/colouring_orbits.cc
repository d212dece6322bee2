// Colourings up to symmetry, by Burnside's lemma.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "kexue/base/error.h"
#include "kexue/science/colouring.h"
#include "kexue/science/detail/engines.h"

namespace kexue::science {
namespace {

using detail::Big;
using detail::Binding;
using Permutation = std::vector<int>;

constexpr size_t kMaxGroup = 20'000;

// A constraint as what it says about sets of segments.
using Said = std::pair<LabelRule, std::vector<std::vector<int>>>;

std::vector<int> image(const Permutation& g, const std::vector<int>& segments) {
  std::vector<int> out;
  for (const int s : segments) out.push_back(g[static_cast<size_t>(s)]);
  std::sort(out.begin(), out.end());
  return out;
}

Said said(const ColouringProblem& p,
          const CellConstraint& c,
          const Permutation& g) {
  Said out{c.rule, {}};
  for (const int cell : c.cells) {
    out.second.push_back(image(g, p.cells[static_cast<size_t>(cell)]));
  }
  auto& cells = out.second;
  switch (c.rule) {
    case LabelRule::kNeighboursDifferent: {
      auto back = cells;
      std::reverse(back.begin(), back.end());
      cells = std::min(cells, back);
      break;
    }
    case LabelRule::kEndsEqual:
      cells = {std::min(cells.front(), cells.back()),
               std::max(cells.front(), cells.back())};
      break;
    default:
      std::sort(cells.begin(), cells.end());
  }
  return out;
}

void check_symmetry(const ColouringProblem& p, size_t index) {
  const Permutation& g = p.symmetries[index];
  Permutation same(static_cast<size_t>(p.segments));
  std::iota(same.begin(), same.end(), 0);
  std::multiset<std::vector<int>> cells;
  std::multiset<Said> rules;
  for (const auto& cell : p.cells) cells.insert(image(same, cell));
  for (const auto& c : p.constraints) rules.insert(said(p, c, same));
  for (size_t i = 0; i < p.cells.size(); ++i) {
    if (cells.contains(image(g, p.cells[i]))) continue;
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "symmetries[{}] does not map cells[{}] to a cell", index, i));
  }
  for (size_t i = 0; i < p.constraints.size(); ++i) {
    if (rules.contains(said(p, p.constraints[i], g))) continue;
    throw Error(Code::kInvalidArgument,
                fmt::format("symmetries[{}] does not map constraints[{}] to a "
                            "constraint",
                            index,
                            i));
  }
}

// All products of the generators.
std::vector<Permutation> group_of(const ColouringProblem& p) {
  Permutation same(static_cast<size_t>(p.segments));
  std::iota(same.begin(), same.end(), 0);
  std::set<Permutation> seen = {same};
  std::vector<Permutation> out = {same};
  for (size_t i = 0; i < out.size(); ++i) {
    for (const Permutation& g : p.symmetries) {
      Permutation next(same.size());
      for (size_t s = 0; s < same.size(); ++s) {
        next[s] = g[static_cast<size_t>(out[i][s])];
      }
      if (!seen.insert(next).second) continue;
      out.push_back(std::move(next));
      if (out.size() > kMaxGroup) {
        throw Error(
            Code::kUnsupported,
            fmt::format("the symmetries make more than {} maps", kMaxGroup));
      }
    }
  }
  return out;
}

// Colour permutations of one cycle type count alike.
struct ColourClass {
  Permutation turn;
  Big size;
};

std::vector<ColourClass> colour_classes(int k) {
  std::vector<ColourClass> out;
  std::vector<int> parts;
  Big all = 1;
  for (int i = 2; i <= k; ++i) all *= i;
  const std::function<void(int, int)> split = [&](int left, int most) {
    if (left == 0) {
      ColourClass c{.turn = {}, .size = all};
      std::map<int, int> many;
      for (const int length : parts) {
        const int first = static_cast<int>(c.turn.size());
        for (int i = 0; i < length; ++i) {
          c.turn.push_back(first + (i + 1) % length);
        }
        c.size /= length;
        c.size /= ++many[length];
      }
      out.push_back(std::move(c));
      return;
    }
    for (int part = std::min(left, most); part >= 1; --part) {
      parts.push_back(part);
      split(left - part, part);
      parts.pop_back();
    }
  };
  split(k, k);
  return out;
}

// Colourings x with x(g(s)) = turn(x(s)) for every segment s.
Binding fixed_by(const ColouringProblem& p,
                 const Permutation& g,
                 const Permutation& turn) {
  Binding out = detail::free_binding(p);
  std::vector<bool> seen(g.size(), false);
  for (size_t first = 0; first < g.size(); ++first) {
    if (seen[first]) continue;
    std::vector<int> now(turn.size());
    std::iota(now.begin(), now.end(), 0);
    size_t s = first;
    do {
      seen[s] = true;
      out.root[s] = static_cast<int>(first);
      out.turn[s] = now;
      for (int& c : now) c = turn[static_cast<size_t>(c)];
      s = static_cast<size_t>(g[s]);
    } while (s != first);
    // Once around, the root must have its own colour again.
    for (size_t c = 0; c < now.size(); ++c) {
      out.allowed[first][c] = now[c] == static_cast<int>(c) ? 1 : 0;
    }
  }
  return out;
}

}  // namespace

std::string count_orbits(const ColouringProblem& problem,
                         bool by_symmetry,
                         bool by_colours) {
  problem.check("figure");
  ColouringProblem p = problem;
  if (!by_symmetry) p.symmetries.clear();
  for (size_t i = 0; i < p.symmetries.size(); ++i) check_symmetry(p, i);
  const std::vector<Permutation> group = group_of(p);
  std::vector<ColourClass> classes = colour_classes(p.colours);
  if (!by_colours) {
    Permutation same(static_cast<size_t>(p.colours));
    std::iota(same.begin(), same.end(), 0);
    classes = {{.turn = same, .size = 1}};
  }
  if (group.size() * classes.size() > kMaxGroup) {
    throw Error(Code::kUnsupported,
                fmt::format("{} maps of segments times {} kinds of colour "
                            "permutations, the limit is {}",
                            group.size(),
                            classes.size(),
                            kMaxGroup));
  }
  Big fixed = 0;
  Big order = 0;
  for (const ColourClass& c : classes) {
    for (const Permutation& g : group) {
      fixed += c.size * detail::eliminate(p, fixed_by(p, g, c.turn));
    }
    order += c.size * static_cast<unsigned long>(group.size());
  }
  return Big(fixed / order).get_str();
}

}  // namespace kexue::science
