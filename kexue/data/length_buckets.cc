#include "kexue/data/length_buckets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "kexue/base/error.h"

namespace kexue::data {
namespace {

// The histogram is this long at most.
constexpr int64_t kMaxUnits = 1 << 14;

}  // namespace

LengthBuckets::LengthBuckets(std::vector<int64_t> lengths)
    : lengths_(std::move(lengths)) {
  int64_t previous = 0;
  for (const int64_t n : lengths_) {
    if (n <= previous) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("length buckets: [{}] must be positive and "
                              "ascending",
                              fmt::join(lengths_, ",")));
    }
    previous = n;
  }
  if (lengths_.empty()) {
    throw Error(Code::kInvalidArgument, "length buckets: none given");
  }
}

LengthBuckets LengthBuckets::fitted(std::span<const int64_t> sequence_lengths,
                                    int64_t max_buckets,
                                    int64_t multiple) {
  std::map<int64_t, int64_t> histogram;
  for (const int64_t length : sequence_lengths) ++histogram[length];
  return fitted_counts(histogram, max_buckets, multiple);
}

LengthBuckets LengthBuckets::fitted_counts(
    const std::map<int64_t, int64_t>& histogram,
    int64_t max_buckets,
    int64_t multiple) {
  if (max_buckets < 1 || multiple < 1 || histogram.empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("length buckets: at most {} multiples of {} for "
                            "{} sequence lengths",
                            max_buckets,
                            multiple,
                            histogram.size()));
  }
  const int64_t longest = std::max<int64_t>(1, histogram.rbegin()->first);
  const int64_t units = (longest + multiple - 1) / multiple;
  if (units > kMaxUnits) {
    throw Error(Code::kUnsupported,
                fmt::format("length buckets: longest sequence {}, the limit "
                            "is {}",
                            longest,
                            kMaxUnits * multiple));
  }
  // upto[u]: sequences of at most u * multiple tokens.
  const auto n = static_cast<size_t>(units);
  std::vector<int64_t> upto(n + 1, 0);
  for (const auto& [length, rows] : histogram) {
    const int64_t u = (std::max<int64_t>(length, 1) + multiple - 1) / multiple;
    upto[static_cast<size_t>(u)] += rows;
  }
  for (size_t u = 1; u <= n; ++u) upto[u] += upto[u - 1];

  // cost[k][u]: padded units of all sequences up to u with k buckets, the last
  // of length u; from[k][u]: the bucket before it.
  const auto buckets = static_cast<size_t>(std::min(max_buckets, units));
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  std::vector<std::vector<int64_t>> cost(buckets + 1,
                                         std::vector<int64_t>(n + 1, kNever));
  std::vector<std::vector<size_t>> from(buckets + 1,
                                        std::vector<size_t>(n + 1, 0));
  cost[0][0] = 0;
  for (size_t k = 1; k <= buckets; ++k) {
    for (size_t u = k; u <= n; ++u) {
      for (size_t v = k - 1; v < u; ++v) {
        if (cost[k - 1][v] == kNever) continue;
        const int64_t c =
            cost[k - 1][v] + (upto[u] - upto[v]) * static_cast<int64_t>(u);
        if (c < cost[k][u]) {
          cost[k][u] = c;
          from[k][u] = v;
        }
      }
    }
  }
  // Fewer buckets win ties: each one is a compilation.
  size_t k = 1;
  for (size_t j = 2; j <= buckets; ++j) {
    if (cost[j][n] < cost[k][n]) k = j;
  }
  std::vector<int64_t> lengths;
  for (size_t u = n; k > 0; u = from[k][u], --k) {
    lengths.push_back(static_cast<int64_t>(u) * multiple);
  }
  std::reverse(lengths.begin(), lengths.end());
  return LengthBuckets(std::move(lengths));
}

size_t LengthBuckets::index(int64_t sequence_length) const {
  const auto it =
      std::lower_bound(lengths_.begin(), lengths_.end(), sequence_length);
  if (it == lengths_.end()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a sequence of {} tokens, the largest bucket "
                            "holds {}",
                            sequence_length,
                            lengths_.back()));
  }
  return static_cast<size_t>(it - lengths_.begin());
}

double LengthBuckets::padding_share(
    std::span<const int64_t> sequence_lengths) const {
  int64_t real = 0;
  int64_t padded = 0;
  for (const int64_t n : sequence_lengths) {
    real += n;
    padded += lengths_[index(n)];
  }
  return padded == 0
             ? 0
             : static_cast<double>(padded - real) / static_cast<double>(padded);
}

}  // namespace kexue::data
