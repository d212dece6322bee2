#include "kexue/text/jieba.h"

#include <array>
#include <cstdint>

#include "kexue/text/detail/jieba_chars.h"
#include "kexue/text/detail/jieba_model.h"

namespace kexue::text {
namespace {

using namespace detail;

using Words = std::vector<std::string_view>;

// Some text as its characters. Blocks, the stretches that are cut up, are many
// and short, so a window holds several: what the dictionary says of all their
// characters is asked for before any answer is used.
struct Window {
  struct Step {
    double score;
    uint32_t end;
  };
  struct Piece {  // characters [begin, end)
    uint32_t begin;
    uint32_t end;
    bool is_block;
    bool is_space;
  };
  const char* text = nullptr;
  std::vector<char32_t> chars;
  std::vector<uint32_t> offsets;                // one more than chars
  std::vector<JiebaTrie::Id> ids;               // 0 outside of blocks
  std::vector<JiebaTrie::Place> second, third;  // of words from here on
  std::vector<Piece> pieces;
  std::vector<Step> route;
  std::vector<std::array<uint8_t, kJiebaStates>> from;  // of the HMM
  std::vector<uint8_t> states;

  size_t size() const { return chars.size(); }
  void begin(const char* at) {
    text = at;
    chars.clear();
    offsets.clear();
    ids.clear();
    pieces.clear();
  }
  std::string_view part(size_t begin, size_t end) const {
    return {text + offsets[begin], offsets[end] - offsets[begin]};
  }
};

constexpr size_t kWindow = 256;            // characters, or one long block
constexpr size_t kKept = size_t{1} << 16;  // whose memory is kept

// Segments one window after the other.
class Cutter final {
 public:
  Cutter(const JiebaTrie& trie, const JiebaHmm& hmm, Window& window)
      : trie_(trie), hmm_(hmm), b_(window) {}

  void cut(std::string_view text, bool with_space, Words& words);

 private:
  void cut_window(const char* end, bool with_space, Words& words);
  void look_up();
  void find_route(size_t begin, size_t end);
  void cut_block(size_t begin, size_t end, Words& words);
  bool is_word(size_t begin, size_t end) const;
  void cut_singles(size_t begin, size_t end, Words& words);
  void cut_unknown(size_t begin, size_t end, Words& words);
  void cut_by_states(size_t begin, size_t end, Words& words);
  void cut_ascii(size_t begin, size_t end, Words& words);
  void find_states(size_t begin, size_t end);

  const JiebaTrie& trie_;
  const JiebaHmm& hmm_;
  Window& b_;
};

void Cutter::cut(std::string_view text, bool with_space, Words& words) {
  const char* const end = text.data() + text.size();
  bool inside = false;
  b_.begin(text.data());
  for (const char* at = text.data(); at < end;) {
    size_t bytes = 0;
    const char32_t c = decode_valid(at, &bytes);
    const bool is_part = is_block_part(c);
    if (b_.size() >= kWindow && !(inside && is_part)) {
      cut_window(at, with_space, words);
      b_.begin(at);
      inside = false;
    }
    const auto index = static_cast<uint32_t>(b_.size());
    b_.offsets.push_back(static_cast<uint32_t>(at - b_.text));
    b_.chars.push_back(c);
    b_.ids.push_back(is_part ? trie_.id(c) : JiebaTrie::Id{0});
    if (is_part && inside) {
      ++b_.pieces.back().end;
    } else {
      b_.pieces.push_back({index, index + 1, is_part, is_python_space(c)});
      if (c == '\r' && at + 1 < end && at[1] == '\n') bytes = 2;
    }
    inside = is_part;
    at += bytes;
  }
  cut_window(end, with_space, words);
}

// Three passes, each asking for the memory that the next one needs.
void Cutter::look_up() {
  const size_t n = b_.size();
  const JiebaTrie::Id* const ids = b_.ids.data();
  b_.second.resize(n);
  b_.third.resize(n);
  for (size_t i = 0; i + 1 < n; ++i) {
    if (ids[i] == 0 || ids[i + 1] == 0) continue;
    trie_.prefetch(JiebaTrie::place_of_first(ids[i]), ids[i + 1]);
  }
  for (size_t i = 0; i < n; ++i) {
    b_.second[i] = b_.third[i] = JiebaTrie::kNone;
    if (i + 1 >= n || ids[i] == 0 || ids[i + 1] == 0) continue;
    if (!trie_.first(ids[i]).has_longer) continue;
    const auto at = trie_.next(JiebaTrie::place_of_first(ids[i]), ids[i + 1]);
    b_.second[i] = at;
    if (at == JiebaTrie::kNone || i + 2 >= n || ids[i + 2] == 0) continue;
    if (trie_.has_longer(at)) trie_.prefetch(at, ids[i + 2]);
  }
  for (size_t i = 0; i + 2 < n; ++i) {
    const auto at = b_.second[i];
    if (at == JiebaTrie::kNone || ids[i + 2] == 0) continue;
    if (!trie_.has_longer(at)) continue;
    const auto next = b_.third[i] = trie_.next(at, ids[i + 2]);
    if (next == JiebaTrie::kNone || i + 3 >= n || ids[i + 3] == 0) continue;
    if (trie_.has_longer(next)) trie_.prefetch(next, ids[i + 3]);
  }
}

// From the right: the best score of the rest behind each character.
void Cutter::find_route(size_t begin, size_t end) {
  const JiebaTrie::Id* const ids = b_.ids.data();
  Window::Step* const route = b_.route.data();
  route[end] = {0, 0};
  for (size_t i = end; i-- > begin;) {
    const JiebaNode& first = trie_.first(ids[i]);
    Window::Step best{0, 0};
    const auto consider = [&](double weight, size_t to) {
      if (weight > 0) return;
      const double score = weight + route[to].score;
      if (best.end == 0 || score >= best.score) {
        best = {score, static_cast<uint32_t>(to)};
      }
    };
    consider(first.weight, i + 1);
    if (b_.second[i] != JiebaTrie::kNone) {
      consider(trie_.weight(b_.second[i]), i + 2);
    }
    JiebaTrie::Place at = b_.third[i];
    for (size_t to = i + 3; at != JiebaTrie::kNone; ++to) {
      consider(trie_.weight(at), to);
      if (to >= end || !trie_.has_longer(at)) break;
      at = trie_.next(at, ids[to]);
    }
    if (best.end == 0) {
      best = {trie_.unknown_weight() + route[i + 1].score,
              static_cast<uint32_t>(i + 1)};
    }
    route[i] = best;
  }
}

void Cutter::cut_window(const char* end, bool with_space, Words& words) {
  b_.offsets.push_back(static_cast<uint32_t>(end - b_.text));
  look_up();
  b_.route.resize(b_.size() + 1);
  for (const Window::Piece& p : b_.pieces) {
    if (p.is_block) {
      cut_block(p.begin, p.end, words);
    } else if (with_space || !p.is_space) {
      words.push_back(b_.part(p.begin, p.end));
    }
  }
}

void Cutter::cut_block(size_t begin, size_t end, Words& words) {
  find_route(begin, end);
  size_t singles = begin;  // [singles, at) are characters of their own
  for (size_t at = begin; at < end;) {
    const size_t to = b_.route[at].end;
    if (to - at > 1) {
      cut_singles(singles, at, words);
      words.push_back(b_.part(at, to));
      singles = to;
    }
    at = to;
  }
  cut_singles(singles, end, words);
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

namespace {

void cut_with(const Jieba::Model& model,
              std::string_view text,
              bool with_space,
              Words& words) {
  // Kept between texts, so that memory is asked for once.
  thread_local Window window;
  Cutter(model.trie, model.hmm, window).cut(text, with_space, words);
  if (window.chars.capacity() > kKept) window = Window();
}

}  // namespace

void Jieba::cut(std::string_view text, Words& words) const {
  cut_with(*model_, text, true, words);
}

void Jieba::split(std::string_view text, Words& words) const {
  cut_with(*model_, text, false, words);
}

}  // namespace kexue::text
