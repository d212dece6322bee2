// How often each token occurs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::text {

namespace detail {
class WordTable;
}

struct TokenCount {
  std::string token;
  uint64_t count = 0;
  bool operator==(const TokenCount&) const = default;
};

// Which tokens of a table, in the order of its files: count descending, then
// bytes ascending.
struct TableCut {
  size_t top = std::numeric_limits<size_t>::max();
  uint64_t min_count = 1;
};

// A multiset of byte strings; any bytes, no empty token, each below 1 GiB.
// merge() is associative and commutative, the empty table is its unit, and the
// order of insertion never shows.
//
// Memory: short tokens (15 bytes) stand in the table, 24 bytes each at best
//         and 48 at worst; longer ones take 48 to 96 and their bytes.
// Errors: kInvalidArgument for an empty token; kUnsupported for a longer one
//         and for a count above 2^64 - 1.
class FrequencyTable final {
 public:
  FrequencyTable();
  ~FrequencyTable();
  FrequencyTable(FrequencyTable&&) noexcept;
  FrequencyTable& operator=(FrequencyTable&&) noexcept;

  void add(std::string_view token, uint64_t times = 1);
  // The words of a text between ASCII white space, as bytes.split() of Python
  // has them. Returns how many there are.
  uint64_t add_words(std::string_view text);
  void merge(const FrequencyTable& other);

  uint64_t count(std::string_view token) const;  // 0 if absent
  size_t distinct() const;
  uint64_t total() const;  // the sum of all counts
  size_t memory_bytes() const;

  void for_each(
      const std::function<void(std::string_view, uint64_t)>& fn) const;
  std::vector<TokenCount> sorted(const TableCut& cut = {}) const;
  std::vector<TokenCount> top(size_t k) const { return sorted({.top = k}); }
  // Forgets the tokens that occur less often.
  void keep_min_count(uint64_t n);

  // Lines token<TAB>count<LF>. Errors: kUnsupported for a token with a tab or
  // a line end, which such a file cannot hold; kIo.
  void save_tsv(const std::string& path,
                const TableCut& cut = {},
                io::FileSystem& fs = io::real_fs()) const;
  // Errors: kCorruptData with file:line for a line without one tab, an empty
  // token, one that came before, or a count that is not 1..2^64-1.
  static FrequencyTable load_tsv(const std::string& path,
                                 io::FileSystem& fs = io::real_fs());
  // The specials, then the tokens of the cut that are none of them: what a
  // vocabulary file lists, at most `size` lines.
  std::vector<std::string> vocabulary(
      std::span<const std::string> specials,
      size_t size = std::numeric_limits<size_t>::max(),
      uint64_t min_count = 1) const;

  // For the counting loops of this folder.
  detail::WordTable& words() { return *words_; }
  const detail::WordTable& words() const { return *words_; }

 private:
  std::unique_ptr<detail::WordTable> words_;
};

}  // namespace kexue::text
