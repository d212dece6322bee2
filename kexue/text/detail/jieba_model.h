// Private to text: jieba's dictionary and hidden Markov model.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::text::detail {

inline constexpr char32_t kHanFirst = 0x4E00;  // of jieba's patterns
inline constexpr char32_t kHanLast = 0x9FD5;
inline constexpr bool is_jieba_han(char32_t c) {
  return kHanFirst <= c && c <= kHanLast;
}

// What a trie knows of a word or of the beginning of one.
struct JiebaNode {
  // log(frequency / total); above 0: only the beginning of words.
  double weight = 1;
  bool has_longer = false;

  bool is_word() const { return weight <= 0; }
};

// The dictionary as a trie of characters. The first character is looked up by
// number; (node, character) -> node stands in one hash table, whose places
// are the nodes: one cache line for a step.
class JiebaTrie final {
 public:
  // Numbers of characters that no word has: 0.
  using Id = uint16_t;
  using Place = uint32_t;

  // `total` of the frequencies is that of all lines, repeated words included.
  static JiebaTrie read(const std::string& path, io::FileSystem& fs);

  Id id(char32_t c) const { return c < ids_.size() ? ids_[c] : Id{0}; }
  const JiebaNode& first(Id c) const { return firsts_[c]; }
  static Place place_of_first(Id c) { return kFirst | c; }

  static constexpr Place kNone = 0xFFFFFFFF;
  Place next(Place from, Id c) const {
    for (size_t at = home(from, c);; at = (at + 1) & mask_) {
      const Slot& s = slots_[at];
      if (s.from == from && s.id == c) return static_cast<Place>(at);
      if (s.from == kNone) return kNone;
    }
  }
  double weight(Place at) const { return slots_[at].weight; }
  bool has_longer(Place at) const { return slots_[at].has_longer != 0; }
  void prefetch(Place from, Id c) const {
    __builtin_prefetch(&slots_[home(from, c)]);
  }

  // Of a character that is no word and begins none.
  double unknown_weight() const { return -log_total_; }

 private:
  static constexpr Place kFirst = 0x80000000;
  struct Slot {
    Place from = kNone;
    Id id = 0;
    uint16_t has_longer = 0;
    double weight = 1;
  };

  size_t home(Place from, Id c) const {
    const uint64_t key = static_cast<uint64_t>(from) << 16 | c;
    return static_cast<size_t>((key * 0x9E3779B97F4A7C15u) >> shift_);
  }
  Id add_id(char32_t c);
  void add(std::u32string_view word, double frequency);
  void finish(double total);

  std::vector<Id> ids_;
  std::vector<JiebaNode> firsts_;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  int shift_ = 63;
  double log_total_ = 0;
};

// States in the order of their letters: B, E, M, S.
enum JiebaState { kB, kE, kM, kS };
inline constexpr int kJiebaStates = 4;
inline constexpr double kJiebaNever = -3.14e100;

struct JiebaHmm {
  std::array<double, kJiebaStates> start = {};
  std::array<std::array<double, kJiebaStates>, kJiebaStates> trans = {};
  // By character - kHanFirst.
  std::vector<std::array<double, kJiebaStates>> emit;

  static JiebaHmm read(const std::string& path, io::FileSystem& fs);
};

}  // namespace kexue::text::detail
