// Private to text: tokens in the order of a table's files.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/text/frequency_table.h"

namespace kexue::text::detail {

// A token, its count, and its first bytes as a number that orders like them.
struct WordRef {
  uint64_t count;
  uint64_t head;
  const char* bytes;
  uint64_t length;

  std::string_view token() const { return {bytes, length}; }
};

inline WordRef word_ref(std::string_view token, uint64_t count) {
  uint64_t head = 0;
  std::memcpy(&head, token.data(), std::min<size_t>(token.size(), 8));
  return {count, __builtin_bswap64(head), token.data(), token.size()};
}
inline bool bytes_before(const WordRef& a, const WordRef& b) {
  return a.head != b.head ? a.head < b.head : a.token() < b.token();
}
inline bool comes_before(const WordRef& a, const WordRef& b) {
  return a.count != b.count ? a.count > b.count : bytes_before(a, b);
}

// Appends "token<TAB>count<LF>". kUnsupported for a token with tab or LF.
void append_line(std::string_view token, uint64_t count, std::string& out);

// Collects tokens, copying their bytes, and gives them back in order.
class WordOrder final {
 public:
  explicit WordOrder(const TableCut& cut)
      : cut_(cut),
        floor_(cut.min_count),
        limit_(cut.top < kMany ? 2 * cut.top + kSome
                               : std::numeric_limits<size_t>::max()) {}

  void add(std::string_view token, uint64_t count) {
    if (count < floor_) return;
    refs_.push_back(word_ref(keep(token), count));
    if (refs_.size() >= limit_) drop();
  }

  template <class Function>
  void for_each(Function&& fn) {
    const size_t n = std::min(cut_.top, refs_.size());
    const auto end = refs_.begin() + static_cast<std::ptrdiff_t>(n);
    if (n < refs_.size()) {
      std::nth_element(refs_.begin(), end, refs_.end(), comes_before);
    }
    std::sort(refs_.begin(), end, comes_before);
    for (auto it = refs_.begin(); it != end; ++it) fn(it->token(), it->count);
  }

 private:
  static constexpr size_t kBlock = size_t{1} << 18;
  static constexpr size_t kSome = 1024;
  static constexpr size_t kMany = size_t{1} << 40;

  // Of more than the cut takes, the last ones; rarer tokens are not added
  // from then on.
  void drop() {
    const auto end = refs_.begin() + static_cast<std::ptrdiff_t>(cut_.top);
    std::nth_element(refs_.begin(), end, refs_.end(), comes_before);
    refs_.erase(end, refs_.end());
    uint64_t least = std::numeric_limits<uint64_t>::max();
    for (const WordRef& ref : refs_) least = std::min(least, ref.count);
    floor_ = std::max(floor_, least);
  }

  std::string_view keep(std::string_view token) {
    if (token.size() > left_) {
      left_ = std::max(kBlock, token.size());
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
      at_ = blocks_.back().get();
    }
    std::memcpy(at_, token.data(), token.size());
    const std::string_view kept(at_, token.size());
    at_ += token.size();
    left_ -= token.size();
    return kept;
  }

  TableCut cut_;
  uint64_t floor_;  // rarer tokens are not wanted
  size_t limit_;    // of refs_, until the last ones are dropped
  std::vector<WordRef> refs_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
};

}  // namespace kexue::text::detail
