// The engine kEliminate, and what walks back along it: samples and lists.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "kexue/base/error.h"
#include "kexue/science/colouring.h"
#include "kexue/science/detail/colour_rules.h"
#include "kexue/science/detail/engines.h"
#include "kexue/science/detail/factors.h"

namespace kexue::science {
namespace detail {
namespace {

// Variables: the colour of each segment, then the label of each cell.
template <class Num>
class Model final {
 public:
  Model(const ColouringProblem& problem, const Binding& binding)
      : p_(problem),
        b_(binding),
        sizes_(static_cast<size_t>(problem.segments) + problem.cells.size(),
               problem.colours) {
    for (int s = 0; s < p_.segments; ++s) add_root(s);
    for (size_t c = 0; c < p_.cells.size(); ++c) add_cell(c);
    const Split split = split_pairs(p_.constraints);
    for (const LabelPair& pair : split.pairs) {
      add_rule({label(pair.first), label(pair.second)},
               pair.is_equal ? LabelRule::kAllEqual : LabelRule::kAllDifferent);
    }
    for (const CellConstraint& rule : split.whole) {
      std::vector<int> labels;
      for (const int cell : rule.cells) labels.push_back(label(cell));
      add_rule(labels, rule.rule);
    }
  }

  void fix(int segment, int colour) {
    Factor<Num> f{.variables = {segment}, .values = {}};
    for (int c = 0; c < p_.colours; ++c) f.values.emplace_back(c == colour);
    factors_.push_back(std::move(f));
  }

  Elimination<Num> solve() && {
    return eliminate_all(std::move(factors_), sizes_);
  }

 private:
  int label(int cell) const { return p_.segments + cell; }

  // A factor for every root, so that all have a value; segments that follow
  // a root have one value that no factor asks for.
  void add_root(int s) {
    const auto i = static_cast<size_t>(s);
    Factor<Num> f{.variables = {s}, .values = {}};
    if (b_.root[i] != s) sizes_[i] = 1;
    for (int c = 0; c < sizes_[i]; ++c) {
      const bool allowed =
          b_.root[i] != s || b_.allowed[i][static_cast<size_t>(c)] != 0;
      f.values.emplace_back(allowed ? 1 : 0);
    }
    factors_.push_back(std::move(f));
  }

  static uint64_t power(int base, size_t exponent) {
    uint64_t out = 1;
    for (size_t i = 0; i < exponent; ++i) {
      out *= static_cast<uint64_t>(base);
      if (out > kMaxTable) {
        throw Error(Code::kUnsupported,
                    fmt::format("eliminate: {}^{} entries of one cell or rule, "
                                "the limit is {}",
                                base,
                                exponent,
                                kMaxTable),
                    "the engine transfer may do");
      }
    }
    return out;
  }

  // 1 where the label of the cell follows from its roots.
  void add_cell(size_t cell) {
    std::vector<int> roots;
    for (const int s : p_.cells[cell]) {
      roots.push_back(b_.root[static_cast<size_t>(s)]);
    }
    std::sort(roots.begin(), roots.end());
    roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
    Factor<Num> f{.variables = roots, .values = {}};
    f.variables.push_back(label(static_cast<int>(cell)));
    const uint64_t rows = power(p_.colours, f.variables.size()) /
                          static_cast<uint64_t>(p_.colours);
    std::vector<int> values(roots.size(), 0);
    std::vector<int> colours;
    for (uint64_t row = 0; row < rows; ++row) {
      colours.clear();
      for (const int s : p_.cells[cell]) {
        const auto i = static_cast<size_t>(s);
        const auto at =
            std::find(roots.begin(), roots.end(), b_.root[i]) - roots.begin();
        const int own = values[static_cast<size_t>(at)];
        colours.push_back(b_.turn[i][static_cast<size_t>(own)]);
      }
      const int wanted = label_of_colours(p_.cell_rule, colours, p_.colours);
      for (int l = 0; l < p_.colours; ++l) f.values.emplace_back(l == wanted);
      for (size_t i = values.size(); i-- > 0;) {
        if (++values[i] < p_.colours) break;
        values[i] = 0;
      }
    }
    factors_.push_back(std::move(f));
  }

  void add_rule(const std::vector<int>& labels, LabelRule rule) {
    Factor<Num> f{.variables = labels, .values = {}};
    const uint64_t rows = power(p_.colours, labels.size());
    std::vector<int> values(labels.size(), 0);
    for (uint64_t row = 0; row < rows; ++row) {
      f.values.emplace_back(holds(rule, values));
      for (size_t i = values.size(); i-- > 0;) {
        if (++values[i] < p_.colours) break;
        values[i] = 0;
      }
    }
    factors_.push_back(std::move(f));
  }

  const ColouringProblem& p_;
  const Binding& b_;
  std::vector<int> sizes_;
  std::vector<Factor<Num>> factors_;
};

// A bucket's product for each value of its variable, the others given.
template <class Num>
std::vector<Num> weights(const Bucket<Num>& bucket,
                         const std::vector<int>& assigned,
                         int colours) {
  std::vector<Num> out;
  for (int value = 0; value < colours; ++value) {
    Num product = 1;
    for (const auto& f : bucket.factors) {
      size_t offset = 0;
      for (const int v : f.variables) {
        const int own =
            v == bucket.variable ? value : assigned[static_cast<size_t>(v)];
        offset =
            offset * static_cast<size_t>(colours) + static_cast<size_t>(own);
      }
      multiply(product, f.values[offset]);
    }
    out.push_back(product);
  }
  return out;
}

// Uniform in 0..n-1.
Big random_below(Random& random, const Big& n) {
  const size_t bits = mpz_sizeinbase(n.get_mpz_t(), 2);
  for (;;) {
    Big out = 0;
    for (size_t have = 0; have < bits; have += 64) {
      out = (out << 64) + big_of(random.next_u64());
    }
    const size_t extra = (64 - bits % 64) % 64;
    out >>= extra;
    if (out < n) return out;
  }
}

// The buckets in the opposite order: each variable's own bucket names only
// variables that are eliminated later, so known by then.
Colouring draw(const Elimination<Big>& solved,
               const ColouringProblem& problem,
               Random& random) {
  std::vector<int> assigned(
      static_cast<size_t>(problem.segments) + problem.cells.size(), 0);
  for (size_t i = solved.buckets.size(); i-- > 0;) {
    const auto w = weights(solved.buckets[i], assigned, problem.colours);
    Big total = 0;
    for (const Big& x : w) total += x;
    Big at = random_below(random, total);
    int value = 0;
    while (at >= w[static_cast<size_t>(value)]) {
      at -= w[static_cast<size_t>(value)];
      ++value;
    }
    assigned[static_cast<size_t>(solved.buckets[i].variable)] = value;
  }
  assigned.resize(static_cast<size_t>(problem.segments));
  return assigned;
}

// Depth first along the buckets: every branch with a weight leads to a
// colouring, so nothing is searched in vain.
void collect(const Elimination<Big>& solved,
             const ColouringProblem& problem,
             size_t most,
             std::vector<Colouring>& out) {
  const size_t depth = solved.buckets.size();
  std::vector<int> assigned(
      static_cast<size_t>(problem.segments) + problem.cells.size(), 0);
  std::vector<int> value(depth, -1);
  size_t level = 0;  // buckets from the last to the first
  while (out.size() < most) {
    if (level == depth) {
      out.emplace_back(assigned.begin(), assigned.begin() + problem.segments);
      if (depth == 0) return;
      --level;
      continue;
    }
    const auto& bucket = solved.buckets[depth - 1 - level];
    const auto w = weights(bucket, assigned, problem.colours);
    int& v = value[level];
    do {
      ++v;
    } while (v < problem.colours && w[static_cast<size_t>(v)] == 0);
    if (v == problem.colours) {
      v = -1;
      if (level == 0) return;
      --level;
      continue;
    }
    assigned[static_cast<size_t>(bucket.variable)] = v;
    ++level;
  }
}

}  // namespace

Binding free_binding(const ColouringProblem& problem) {
  const auto n = static_cast<size_t>(problem.segments);
  const auto k = static_cast<size_t>(problem.colours);
  Binding out;
  out.root.resize(n);
  std::iota(out.root.begin(), out.root.end(), 0);
  std::vector<int> same(k);
  std::iota(same.begin(), same.end(), 0);
  out.turn.assign(n, same);
  out.allowed.assign(n, std::vector<char>(k, 1));
  return out;
}

Big eliminate(const ColouringProblem& problem, const Binding& binding) {
  try {
    return big_of(Model<uint64_t>(problem, binding).solve().total);
  } catch (const Overflow&) {
    return Model<Big>(problem, binding).solve().total;
  }
}

}  // namespace detail

std::string count_with(const ColouringProblem& problem,
                       const std::vector<std::pair<int, int>>& fixed) {
  const auto binding = detail::free_binding(problem);
  detail::Model<detail::Big> model(problem, binding);
  for (const auto& [segment, colour] : fixed) {
    if (segment < 0 || segment >= problem.segments || colour < 0 ||
        colour >= problem.colours) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("segment {} with colour {}, wanted 0 to {} and 0 "
                              "to {}",
                              segment,
                              colour,
                              problem.segments - 1,
                              problem.colours - 1));
    }
    model.fix(segment, colour);
  }
  return std::move(model).solve().total.get_str();
}

std::vector<Colouring> sample_colourings(const ColouringProblem& problem,
                                         int count,
                                         uint64_t seed) {
  const auto binding = detail::free_binding(problem);
  const auto solved = detail::Model<detail::Big>(problem, binding).solve();
  if (solved.total == 0 && count > 0) {
    throw Error(Code::kInvalidArgument,
                "there is no valid colouring to sample");
  }
  Random random(Key::from_seed(seed));
  std::vector<Colouring> out;
  for (int i = 0; i < count; ++i) {
    out.push_back(detail::draw(solved, problem, random));
  }
  return out;
}

std::vector<Colouring> list_colourings(const ColouringProblem& problem,
                                       int64_t most) {
  const auto binding = detail::free_binding(problem);
  const auto solved = detail::Model<detail::Big>(problem, binding).solve();
  std::vector<Colouring> out;
  if (solved.total != 0 && most > 0) {
    detail::collect(solved, problem, static_cast<size_t>(most), out);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string count_colourings(const ColouringProblem& problem, Engine engine) {
  problem.check("figure");
  switch (engine) {
    case Engine::kEnumerate:
      return detail::enumerate(problem).get_str();
    case Engine::kTransfer:
      return detail::transfer(problem).get_str();
    case Engine::kEliminate:
      break;
  }
  return detail::eliminate(problem, detail::free_binding(problem)).get_str();
}

}  // namespace kexue::science
