// Which padded lengths to compile for.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace kexue::data {

// Ascending lengths; a sequence is padded to the first that holds it. Each
// length costs one compilation of the step.
class LengthBuckets final {
 public:
  // kInvalidArgument unless ascending and positive.
  explicit LengthBuckets(std::vector<int64_t> lengths);

  // The lengths that pad the given sequences least, with at most `max_buckets`
  // of them (the recompile budget), each a multiple of `multiple`, the largest
  // just holding the longest sequence. Exact, by dynamic programming over the
  // histogram: O(max_buckets (longest / multiple)^2).
  static LengthBuckets fitted(std::span<const int64_t> sequence_lengths,
                              int64_t max_buckets,
                              int64_t multiple = 16);

  // The same from counts: tokens -> sequences.
  static LengthBuckets fitted_counts(
      const std::map<int64_t, int64_t>& histogram,
      int64_t max_buckets,
      int64_t multiple = 16);

  const std::vector<int64_t>& lengths() const { return lengths_; }
  size_t size() const { return lengths_.size(); }
  // Index of the bucket; kInvalidArgument naming both lengths if none holds it.
  size_t index(int64_t sequence_length) const;
  // Padding tokens / all tokens, rows only (not the padding rows of batches).
  double padding_share(std::span<const int64_t> sequence_lengths) const;

 private:
  std::vector<int64_t> lengths_;
};

}  // namespace kexue::data
