// Private to science: sums of products of tables, one variable at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/science/detail/big.h"

namespace kexue::science::detail {

// The table's numbers, the last variable changing fastest.
template <class Num>
struct Factor {
  std::vector<int> variables;
  std::vector<Num> values;
};

inline constexpr uint64_t kMaxTable = uint64_t{1} << 26;

// 64-bit arithmetic was not enough: start again with Big.
struct Overflow {};

inline void multiply(uint64_t& a, uint64_t b) {
  if (__builtin_mul_overflow(a, b, &a)) throw Overflow{};
}
inline void add(uint64_t& a, uint64_t b) {
  if (__builtin_add_overflow(a, b, &a)) throw Overflow{};
}
inline void multiply(Big& a, const Big& b) {
  a *= b;
}
inline void add(Big& a, const Big& b) {
  a += b;
}

// The order in which variables are eliminated: each time one whose neighbours
// lack the fewest edges (min-fill), the lowest of equals.
// Errors: kUnsupported if a table would have more than kMaxTable numbers.
std::vector<int> elimination_order(const std::vector<std::vector<int>>& scopes,
                                   const std::vector<int>& sizes);

// Walks all values of some variables; offsets into tables follow.
class Odometer final {
 public:
  // `tables`: the variables of each table; all must be among `variables`.
  Odometer(const std::vector<int>& variables,
           const std::vector<std::vector<int>>& tables,
           const std::vector<int>& sizes);

  // Goes on to the next values; false after the last.
  bool next();
  size_t offset(size_t table) const { return offsets_[table]; }
  uint64_t total() const { return total_; }

 private:
  std::vector<int> values_;
  std::vector<int> limits_;
  std::vector<std::vector<size_t>> strides_;  // by variable, table
  std::vector<size_t> offsets_;
  uint64_t total_ = 1;
};

// What is left of each elimination, for walking back.
template <class Num>
struct Bucket {
  int variable = 0;
  std::vector<Factor<Num>> factors;
};

template <class Num>
struct Elimination {
  Num total;  // the sum over all variables
  std::vector<Bucket<Num>> buckets;
};

template <class Num>
Elimination<Num> eliminate_all(std::vector<Factor<Num>> factors,
                               const std::vector<int>& sizes);

extern template Elimination<uint64_t> eliminate_all(
    std::vector<Factor<uint64_t>>, const std::vector<int>&);
extern template Elimination<Big> eliminate_all(std::vector<Factor<Big>>,
                                               const std::vector<int>&);

}  // namespace kexue::science::detail
