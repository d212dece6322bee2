// All colourings, thousands at once: for each colouring of the high segments
// one bit for every colouring of the low ones.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/science/detail/big.h"
#include "kexue/science/detail/colour_rules.h"
#include "kexue/science/detail/engines.h"

namespace kexue::science::detail {
namespace {

constexpr uint64_t kMostLowCodes = 1 << 14;  // bits of a set: 2 KiB

using Bits = std::vector<uint64_t>;
using Counts = std::array<int, kMaxColours>;

// The sets of low codes at which a cell has each of its labels, for one number
// of high segments of each colour.
struct CellSets {
  std::vector<Bits> label;  // by colour
  Bits any;                 // labelled at all
};

class Enumeration final {
 public:
  explicit Enumeration(const ColouringProblem& problem)
      : p_(problem), k_(static_cast<size_t>(problem.colours)) {
    while (low_ < p_.segments && codes_ * k_ <= kMostLowCodes) {
      codes_ *= k_;
      ++low_;
    }
    high_ = p_.segments - low_;
    words_ = (codes_ + 63) / 64;
    split_ = split_pairs(p_.constraints);
    colours_.assign(static_cast<size_t>(high_), 0);
    sets_.resize(p_.cells.size());
    found_.resize(p_.cells.size());
    low_counts();
  }

  Big run() {
    // At most 2^34 colourings.
    uint64_t total = 0;
    do {
      total += count_low();
    } while (next_high());
    return big_of(total);
  }

 private:
  // Segments 0..low-1 are low: digit s of a code is the colour of segment s.
  void low_counts() {
    counts_.resize(p_.cells.size());
    for (size_t c = 0; c < p_.cells.size(); ++c) {
      counts_[c].assign(codes_, {});
      uint64_t place = 1;
      for (int s = 0; s < low_; ++s, place *= k_) {
        if (!has(c, s)) continue;
        for (uint64_t code = 0; code < codes_; ++code) {
          ++counts_[c][code][code / place % k_];
        }
      }
    }
  }

  bool has(size_t cell, int segment) const {
    const auto& sides = p_.cells[cell];
    return std::find(sides.begin(), sides.end(), segment) != sides.end();
  }

  const CellSets& sets_for(size_t cell, const Counts& high) {
    auto& known = sets_[cell];
    const auto found = known.find(high);
    if (found != known.end()) return found->second;
    CellSets out;
    out.label.assign(k_, Bits(words_, 0));
    out.any.assign(words_, 0);
    for (uint64_t code = 0; code < codes_; ++code) {
      Counts all = high;
      for (size_t i = 0; i < k_; ++i) all[i] += counts_[cell][code][i];
      const int label = label_of(p_.cell_rule, std::span(all).first(k_));
      if (label < 0) continue;
      const uint64_t bit = uint64_t{1} << (code % 64);
      out.label[static_cast<size_t>(label)][code / 64] |= bit;
      out.any[code / 64] |= bit;
    }
    return known.emplace(high, std::move(out)).first->second;
  }

  bool next_high() {
    for (int& c : colours_) {
      if (++c < p_.colours) return true;
      c = 0;
    }
    return false;
  }

  // Colourings of the low segments that are valid with the high ones as they
  // are.
  uint64_t count_low() {
    for (size_t c = 0; c < p_.cells.size(); ++c) {
      Counts high = {};
      for (const int s : p_.cells[c]) {
        if (s >= low_) {
          ++high[static_cast<size_t>(colours_[static_cast<size_t>(s - low_)])];
        }
      }
      found_[c] = &sets_for(c, high);
    }
    valid_.assign(words_, ~uint64_t{0});
    if (codes_ % 64 != 0) valid_.back() = (uint64_t{1} << (codes_ % 64)) - 1;
    for (const CellSets* cell : found_) {
      for (size_t w = 0; w < words_; ++w) valid_[w] &= cell->any[w];
    }
    for (const LabelPair& pair : split_.pairs) apply(pair);
    for (const CellConstraint& rule : split_.whole) apply(rule);
    uint64_t count = 0;
    for (const uint64_t w : valid_) {
      count += static_cast<uint64_t>(__builtin_popcountll(w));
    }
    return count;
  }

  const Bits& bits(int cell, size_t label) const {
    return found_[static_cast<size_t>(cell)]->label[label];
  }

  void apply(const LabelPair& pair) {
    equal_.assign(words_, 0);
    for (size_t l = 0; l < k_; ++l) {
      const Bits& a = bits(pair.first, l);
      const Bits& b = bits(pair.second, l);
      for (size_t w = 0; w < words_; ++w) equal_[w] |= a[w] & b[w];
    }
    const uint64_t flip = pair.is_equal ? 0 : ~uint64_t{0};
    for (size_t w = 0; w < words_; ++w) valid_[w] &= equal_[w] ^ flip;
  }

  // How many of the labels occur: one, two, more.
  void apply(const CellConstraint& rule) {
    one_.assign(words_, 0);
    two_.assign(words_, 0);
    more_.assign(words_, 0);
    for (size_t l = 0; l < k_; ++l) {
      equal_.assign(words_, 0);
      for (const int cell : rule.cells) {
        const Bits& a = bits(cell, l);
        for (size_t w = 0; w < words_; ++w) equal_[w] |= a[w];
      }
      for (size_t w = 0; w < words_; ++w) {
        more_[w] |= two_[w] & equal_[w];
        two_[w] |= one_[w] & equal_[w];
        one_[w] |= equal_[w];
      }
    }
    const bool exactly = rule.rule == LabelRule::kExactlyTwoValues;
    for (size_t w = 0; w < words_; ++w) {
      valid_[w] &= exactly ? two_[w] & ~more_[w] : two_[w];
    }
  }

  const ColouringProblem& p_;
  size_t k_;
  int low_ = 0;
  int high_ = 0;
  uint64_t codes_ = 1;  // colourings of the low segments
  size_t words_ = 0;
  Split split_;
  std::vector<std::vector<Counts>> counts_;  // by cell and low code
  std::vector<std::map<Counts, CellSets>> sets_;
  std::vector<const CellSets*> found_;
  std::vector<int> colours_;  // of the high segments
  Bits valid_, equal_, one_, two_, more_;
};

}  // namespace

Big enumerate(const ColouringProblem& problem) {
  const double bits = enumeration_bits(problem);
  if (bits > kMaxEnumerationBits) {
    throw Error(Code::kUnsupported,
                fmt::format("enumerate: {}^{} = 2^{:.1f} colourings, the limit "
                            "is 2^{:.0f}",
                            problem.colours,
                            problem.segments,
                            bits,
                            kMaxEnumerationBits),
                "the engines eliminate and transfer have no such limit");
  }
  return Enumeration(problem).run();
}

}  // namespace kexue::science::detail
