#include "kexue/text/jieba.h"

#include <array>
#include <cstdint>

#include "kexue/text/detail/jieba_model.h"
#include "kexue/text/unicode.h"

namespace kexue::text {
namespace {

using namespace detail;

using Words = std::vector<std::string_view>;

bool is_english(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}
bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

// [\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-]
bool is_block_part(char32_t c) {
  if (c >= 0x80) return is_jieba_han(c);
  static constexpr auto kAscii = [] {
    std::array<bool, 0x80> t = {};
    for (char a = 'a'; a <= 'z'; ++a) t[static_cast<size_t>(a)] = true;
    for (char a = 'A'; a <= 'Z'; ++a) t[static_cast<size_t>(a)] = true;
    for (char a = '0'; a <= '9'; ++a) t[static_cast<size_t>(a)] = true;
    for (const char a : {'+', '#', '&', '.', '_', '%', '-'}) {
      t[static_cast<size_t>(a)] = true;
    }
    return t;
  }();
  return kAscii[c];
}

// \s of Python's re for text.
bool is_python_space(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// A code point of valid UTF-8.
inline char32_t decode_valid(const char* text, size_t* bytes) {
  const auto at = [&](int i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t a = at(0);
  if (a < 0x80) {
    *bytes = 1;
    return a;
  }
  if (a >= 0xE0 && a < 0xF0) {
    *bytes = 3;
    return (a & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
  }
  if (a < 0xE0) {
    *bytes = 2;
    return (a & 0x1F) << 6 | (at(1) & 0x3F);
  }
  *bytes = 4;
  return (a & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 |
         (at(3) & 0x3F);
}

// A stretch of text as its characters; what stands for it is kept between
// stretches, so that memory is asked for once.
struct Block {
  struct Step {
    double score;
    uint32_t end;
  };
  std::string_view text;
  std::vector<char32_t> chars;
  std::vector<uint32_t> offsets;  // one more than chars
  std::vector<JiebaTrie::Id> ids;
  std::vector<Step> route;
  std::vector<std::array<uint8_t, kJiebaStates>> from;  // of the HMM
  std::vector<uint8_t> states;

  size_t size() const { return chars.size(); }
  std::string_view part(size_t begin, size_t end) const {
    return text.substr(offsets[begin], offsets[end] - offsets[begin]);
  }
};

// Segments one block after the other.
class Cutter final {
 public:
  Cutter(const JiebaTrie& trie, const JiebaHmm& hmm) : trie_(trie), hmm_(hmm) {}

  void cut(std::string_view text, bool with_space, Words& words);

 private:
  void begin_block(const char* at) {
    b_.chars.clear();
    b_.offsets.clear();
    b_.ids.clear();
    start_ = at;
  }
  void cut_block(const char* end, Words& words);
  void find_route();
  bool is_word(size_t begin, size_t end) const;
  void cut_singles(size_t begin, size_t end, Words& words);
  void cut_unknown(size_t begin, size_t end, Words& words);
  void cut_by_states(size_t begin, size_t end, Words& words);
  void cut_ascii(size_t begin, size_t end, Words& words);
  void find_states(size_t begin, size_t end);

  const JiebaTrie& trie_;
  const JiebaHmm& hmm_;
  Block b_;
  const char* start_ = nullptr;
};

void Cutter::cut(std::string_view text, bool with_space, Words& words) {
  const char* const end = text.data() + text.size();
  bool inside = false;
  for (const char* at = text.data(); at < end;) {
    size_t bytes = 0;
    const char32_t c = decode_valid(at, &bytes);
    if (is_block_part(c)) {
      if (!inside) begin_block(at);
      inside = true;
      b_.offsets.push_back(static_cast<uint32_t>(at - start_));
      b_.chars.push_back(c);
      b_.ids.push_back(trie_.id(c));
      at += bytes;
      continue;
    }
    if (inside) cut_block(at, words);
    inside = false;
    const bool is_space = is_python_space(c);
    if (c == '\r' && at + 1 < end && at[1] == '\n') bytes = 2;
    if (with_space || !is_space) words.emplace_back(at, bytes);
    at += bytes;
  }
  if (inside) cut_block(end, words);
}

// From the right: the best score of the rest behind each character.
void Cutter::find_route() {
  constexpr size_t kAhead = 8;
  const size_t n = b_.size();
  const JiebaTrie::Id* const ids = b_.ids.data();
  b_.route.resize(n + 1);
  Block::Step* const route = b_.route.data();
  route[n] = {0, 0};
  for (size_t i = n; i-- > 0;) {
    if (i >= kAhead) {
      const size_t k = i - kAhead;
      trie_.prefetch(JiebaTrie::place_of_first(ids[k]), ids[k + 1]);
    }
    const JiebaNode& first = trie_.first(ids[i]);
    Block::Step best{0, 0};
    if (first.is_word()) {
      best = {first.weight + route[i + 1].score, static_cast<uint32_t>(i + 1)};
    }
    if (first.has_longer) {
      JiebaTrie::Place at = JiebaTrie::place_of_first(ids[i]);
      for (size_t j = i + 1; j < n; ++j) {
        at = trie_.next(at, ids[j]);
        if (at == JiebaTrie::kNone) break;
        const double weight = trie_.weight(at);
        if (weight <= 0) {
          const double score = weight + route[j + 1].score;
          if (best.end == 0 || score >= best.score) {
            best = {score, static_cast<uint32_t>(j + 1)};
          }
        }
        if (!trie_.has_longer(at)) break;
      }
    }
    if (best.end == 0) {
      best = {trie_.unknown_weight() + route[i + 1].score,
              static_cast<uint32_t>(i + 1)};
    }
    route[i] = best;
  }
}

void Cutter::cut_block(const char* end, Words& words) {
  b_.text = {start_, static_cast<size_t>(end - start_)};
  b_.offsets.push_back(static_cast<uint32_t>(b_.text.size()));
  find_route();
  const size_t n = b_.size();
  size_t singles = 0;  // [singles, at) are characters of their own
  for (size_t at = 0; at < n;) {
    const size_t to = b_.route[at].end;
    if (to - at > 1) {
      cut_singles(singles, at, words);
      words.push_back(b_.part(at, to));
      singles = to;
    }
    at = to;
  }
  cut_singles(singles, n, words);
}

bool Cutter::is_word(size_t begin, size_t end) const {
  if (end - begin == 1) return trie_.first(b_.ids[begin]).is_word();
  JiebaTrie::Place at = JiebaTrie::place_of_first(b_.ids[begin]);
  for (size_t i = begin + 1; i < end; ++i) {
    at = trie_.next(at, b_.ids[i]);
    if (at == JiebaTrie::kNone) return false;
  }
  return trie_.weight(at) <= 0;
}

void Cutter::cut_singles(size_t begin, size_t end, Words& words) {
  if (end - begin > 1 && !is_word(begin, end)) {
    cut_unknown(begin, end, words);
    return;
  }
  for (size_t i = begin; i < end; ++i) words.push_back(b_.part(i, i + 1));
}

void Cutter::cut_unknown(size_t begin, size_t end, Words& words) {
  while (begin < end) {
    const bool is_han = is_jieba_han(b_.chars[begin]);
    size_t to = begin + 1;
    while (to < end && is_jieba_han(b_.chars[to]) == is_han) ++to;
    if (is_han) {
      cut_by_states(begin, to, words);
    } else {
      cut_ascii(begin, to, words);
    }
    begin = to;
  }
}

// Splits at ([a-zA-Z0-9]+(?:\.\d+)?%?), keeping what it finds.
void Cutter::cut_ascii(size_t begin, size_t end, Words& words) {
  const auto c = [&](size_t i) { return i < end ? b_.chars[i] : U'\0'; };
  while (begin < end) {
    size_t to = begin;
    if (is_english(c(to))) {
      while (is_english(c(to))) ++to;
      if (c(to) == '.' && is_digit(c(to + 1))) {
        ++to;
        while (is_digit(c(to))) ++to;
      }
      if (c(to) == '%') ++to;
    } else {
      while (to < end && !is_english(c(to))) ++to;
    }
    words.push_back(b_.part(begin, to));
    begin = to;
  }
}

// Viterbi; of equal sums the greater letter, as Python's max of pairs.
void Cutter::find_states(size_t begin, size_t end) {
  // Which states may stand before, in ascending order of letters.
  static constexpr JiebaState kBefore[kJiebaStates][2] = {
      {kE, kS}, {kB, kM}, {kB, kM}, {kE, kS}};
  const size_t n = end - begin;
  b_.from.resize(n);
  b_.states.resize(n);
  const auto emit = [&](size_t i) -> const auto& {
    return hmm_.emit[b_.chars[begin + i] - kHanFirst];
  };
  std::array<double, kJiebaStates> score;
  for (size_t y = 0; y < kJiebaStates; ++y) {
    score[y] = hmm_.start[y] + emit(0)[y];
  }
  for (size_t t = 1; t < n; ++t) {
    const auto& e = emit(t);
    std::array<double, kJiebaStates> next;
    for (size_t y = 0; y < kJiebaStates; ++y) {
      const JiebaState a = kBefore[y][0];
      const JiebaState b = kBefore[y][1];
      const double from_a = score[a] + hmm_.trans[a][y] + e[y];
      const double from_b = score[b] + hmm_.trans[b][y] + e[y];
      const bool is_b = from_b >= from_a;
      next[y] = is_b ? from_b : from_a;
      b_.from[t][y] = static_cast<uint8_t>(is_b ? b : a);
    }
    score = next;
  }
  uint8_t state = score[kS] >= score[kE] ? kS : kE;
  for (size_t t = n; t-- > 0;) {
    b_.states[t] = state;
    state = b_.from[t][state];
  }
}

void Cutter::cut_by_states(size_t begin, size_t end, Words& words) {
  find_states(begin, end);
  size_t from = begin;  // of the word that a B began
  size_t next = begin;
  for (size_t i = begin; i < end; ++i) {
    switch (b_.states[i - begin]) {
      case kB:
        from = i;
        break;
      case kE:
        words.push_back(b_.part(from, i + 1));
        next = i + 1;
        break;
      case kS:
        words.push_back(b_.part(i, i + 1));
        next = i + 1;
        break;
      default:
        break;
    }
  }
  if (next < end) words.push_back(b_.part(next, end));
}

}  // namespace

struct Jieba::Model {
  JiebaTrie trie;
  JiebaHmm hmm;
};

Jieba::Jieba(std::unique_ptr<const Model> model) : model_(std::move(model)) {}
Jieba::Jieba(Jieba&&) noexcept = default;
Jieba::~Jieba() = default;

Jieba Jieba::from_directory(const std::string& folder, io::FileSystem& fs) {
  return Jieba(std::make_unique<const Model>(
      Model{JiebaTrie::read(folder + "/dict.txt", fs),
            JiebaHmm::read(folder + "/hmm.json", fs)}));
}

void Jieba::cut(std::string_view text, Words& words) const {
  Cutter(model_->trie, model_->hmm).cut(text, true, words);
}

void Jieba::split(std::string_view text, Words& words) const {
  Cutter(model_->trie, model_->hmm).cut(text, false, words);
}

}  // namespace kexue::text
