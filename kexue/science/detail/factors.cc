#include "kexue/science/detail/factors.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace kexue::science::detail {
namespace {

using Neighbours = std::vector<std::set<int>>;

size_t fill_of(const Neighbours& graph, int v) {
  const auto& around = graph[static_cast<size_t>(v)];
  size_t lacking = 0;
  for (auto a = around.begin(); a != around.end(); ++a) {
    for (auto b = std::next(a); b != around.end(); ++b) {
      if (!graph[static_cast<size_t>(*a)].contains(*b)) ++lacking;
    }
  }
  return lacking;
}

uint64_t table_size(const std::set<int>& around,
                    const std::vector<int>& sizes) {
  uint64_t total = 1;
  for (const int v : around) {
    total *= static_cast<uint64_t>(sizes[static_cast<size_t>(v)]);
    if (total > kMaxTable) {
      throw Error(Code::kUnsupported,
                  fmt::format("eliminate: a table over {} variables has more "
                              "than {} numbers",
                              around.size(),
                              kMaxTable),
                  "the figure hangs together too closely; fewer colours help");
    }
  }
  return total;
}

Neighbours graph_of(const std::vector<std::vector<int>>& scopes, size_t n) {
  Neighbours graph(n);
  for (const auto& scope : scopes) {
    for (const int a : scope) {
      for (const int b : scope) {
        if (a != b) graph[static_cast<size_t>(a)].insert(b);
      }
    }
  }
  return graph;
}

}  // namespace

std::vector<int> elimination_order(const std::vector<std::vector<int>>& scopes,
                                   const std::vector<int>& sizes) {
  Neighbours graph = graph_of(scopes, sizes.size());
  // (missing edges, variable), the least first.
  std::set<std::pair<size_t, int>> queue;
  std::vector<size_t> fill(sizes.size());
  for (size_t v = 0; v < sizes.size(); ++v) {
    fill[v] = fill_of(graph, static_cast<int>(v));
    queue.emplace(fill[v], static_cast<int>(v));
  }
  std::vector<int> order;
  while (!queue.empty()) {
    const int v = queue.begin()->second;
    queue.erase(queue.begin());
    order.push_back(v);
    const std::set<int> around = graph[static_cast<size_t>(v)];
    table_size(around, sizes);
    std::set<int> changed = around;
    for (const int a : around) {
      auto& own = graph[static_cast<size_t>(a)];
      own.insert(around.begin(), around.end());
      own.erase(a);
      own.erase(v);
    }
    // Edges appear among `around`: whoever knows two of them is affected.
    for (const int a : around) {
      const auto& own = graph[static_cast<size_t>(a)];
      changed.insert(own.begin(), own.end());
    }
    for (const int a : changed) {
      const auto i = static_cast<size_t>(a);
      queue.erase({fill[i], a});
      fill[i] = fill_of(graph, a);
      queue.emplace(fill[i], a);
    }
  }
  return order;
}

Odometer::Odometer(const std::vector<int>& variables,
                   const std::vector<std::vector<int>>& tables,
                   const std::vector<int>& sizes)
    : values_(variables.size(), 0), offsets_(tables.size(), 0) {
  for (const int v : variables) {
    limits_.push_back(sizes[static_cast<size_t>(v)]);
    total_ *= static_cast<uint64_t>(limits_.back());
    strides_.emplace_back(tables.size(), 0);
  }
  for (size_t t = 0; t < tables.size(); ++t) {
    size_t stride = 1;
    for (size_t i = tables[t].size(); i-- > 0;) {
      const int v = tables[t][i];
      const auto at = std::find(variables.begin(), variables.end(), v);
      strides_[static_cast<size_t>(at - variables.begin())][t] += stride;
      stride *= static_cast<size_t>(sizes[static_cast<size_t>(v)]);
    }
  }
}

bool Odometer::next() {
  for (size_t i = values_.size(); i-- > 0;) {
    if (++values_[i] < limits_[i]) {
      for (size_t t = 0; t < offsets_.size(); ++t)
        offsets_[t] += strides_[i][t];
      return true;
    }
    const auto back = static_cast<size_t>(limits_[i] - 1);
    for (size_t t = 0; t < offsets_.size(); ++t) {
      offsets_[t] -= strides_[i][t] * back;
    }
    values_[i] = 0;
  }
  return false;
}

namespace {

// Sums v out of the product of the factors.
template <class Num>
Factor<Num> sum_out(int v,
                    const std::vector<Factor<Num>>& factors,
                    const std::vector<int>& sizes) {
  std::set<int> scope;
  std::vector<std::vector<int>> tables;
  for (const auto& f : factors) {
    scope.insert(f.variables.begin(), f.variables.end());
    tables.push_back(f.variables);
  }
  scope.erase(v);
  Factor<Num> out{.variables = {scope.begin(), scope.end()}, .values = {}};
  std::vector<int> walked = out.variables;
  walked.push_back(v);  // fastest
  Odometer at(walked, tables, sizes);
  const auto values = static_cast<uint64_t>(sizes[static_cast<size_t>(v)]);
  out.values.reserve(at.total() / values);
  for (uint64_t i = 0; i < at.total(); ++i, at.next()) {
    if (i % values == 0) out.values.emplace_back(0);
    Num product = 1;
    bool is_zero = false;
    for (size_t f = 0; f < factors.size() && !is_zero; ++f) {
      const Num& value = factors[f].values[at.offset(f)];
      is_zero = value == 0;
      if (!is_zero) multiply(product, value);
    }
    if (!is_zero) add(out.values.back(), product);
  }
  return out;
}

}  // namespace

template <class Num>
Elimination<Num> eliminate_all(std::vector<Factor<Num>> factors,
                               const std::vector<int>& sizes) {
  std::vector<std::vector<int>> scopes;
  for (const auto& f : factors) scopes.push_back(f.variables);
  Elimination<Num> out{.total = 1, .buckets = {}};
  for (const int v : elimination_order(scopes, sizes)) {
    Bucket<Num> bucket{.variable = v, .factors = {}};
    std::vector<Factor<Num>> rest;
    for (auto& f : factors) {
      const bool mine = std::find(f.variables.begin(), f.variables.end(), v) !=
                        f.variables.end();
      (mine ? bucket.factors : rest).push_back(std::move(f));
    }
    rest.push_back(sum_out(v, bucket.factors, sizes));
    factors = std::move(rest);
    out.buckets.push_back(std::move(bucket));
  }
  for (const auto& f : factors) multiply(out.total, f.values[0]);
  return out;
}

template Elimination<uint64_t> eliminate_all(std::vector<Factor<uint64_t>>,
                                             const std::vector<int>&);
template Elimination<Big> eliminate_all(std::vector<Factor<Big>>,
                                        const std::vector<int>&);

}  // namespace kexue::science::detail
