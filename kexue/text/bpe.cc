#include "kexue/text/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <queue>
#include <unordered_map>

#include "kexue/base/error.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/detail/gpt2_split.h"
#include "kexue/text/unicode.h"

namespace kexue::text {
namespace {

// GPT-2's characters for bytes: printable Latin-1 stands for itself, the other
// 68 bytes are U+0100 and on.
std::array<char32_t, 256> byte_characters() {
  std::array<char32_t, 256> out = {};
  char32_t next = 0x100;
  for (char32_t b = 0; b < 256; ++b) {
    const bool prints = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
    out[b] = prints ? b : next++;
  }
  return out;
}

struct Merge {
  uint32_t rank = 0;
  int32_t id = 0;
};

uint64_t pair_key(int32_t a, int32_t b) {
  return static_cast<uint64_t>(static_cast<uint32_t>(a)) << 32 |
         static_cast<uint32_t>(b);
}

// A pair of neighbours that may merge.
struct Candidate {
  uint32_t rank;
  uint32_t at;  // of the left one
  int32_t left;
  int32_t right;
};
// For a queue whose top has the lowest rank and stands leftmost.
bool comes_later(const Candidate& a, const Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
}

struct Symbol {
  int32_t id;
  uint32_t before;
  uint32_t after;
};
constexpr uint32_t kNobody = 0xFFFFFFFF;

}  // namespace

struct Bpe::Model {
  // By id. Ids may have gaps: a list would be as long as the largest says.
  std::unordered_map<int32_t, std::string> tokens;
  int64_t size = 0;  // largest id + 1
  std::array<int32_t, 256> bytes = {};
  std::unordered_map<uint64_t, Merge> merges;
  std::unordered_map<std::string_view, int32_t> added;
  std::vector<std::string> added_texts;  // longest first
  bool single_digits = false;

  const Merge* find(int32_t a, int32_t b) const {
    const auto it = merges.find(pair_key(a, b));
    return it == merges.end() ? nullptr : &it->second;
  }
  // The added token that text begins with; empty if there is none.
  std::string_view added_at(std::string_view text) const {
    for (const std::string& a : added_texts) {
      if (text.starts_with(a)) return text.substr(0, a.size());
    }
    return {};
  }
};

namespace {

void fail(const std::string& where, const std::string& what) {
  throw Error(Code::kCorruptData, where + ": " + what);
}

void set_token(Bpe::Model& m,
               const std::string& token,
               int32_t id,
               const std::string& where) {
  if (id < 0 || id > io::limits::kTokenId) {
    fail(where, fmt::format("id {} is not in 0..2^24-1", id));
  }
  if (token.empty()) fail(where, fmt::format("id {} is an empty token", id));
  const auto [at, is_new] = m.tokens.emplace(id, token);
  if (!is_new && at->second != token) {
    fail(where,
         fmt::format("id {} is \"{}\" and \"{}\"",
                     id,
                     io::printable(at->second),
                     io::printable(token)));
  }
  m.size = std::max(m.size, int64_t{id} + 1);
}

}  // namespace

Bpe::Bpe(std::vector<std::pair<std::string, int32_t>> vocabulary,
         const std::vector<std::pair<std::string, std::string>>& merges,
         const Options& options,
         const std::string& where) {
  auto m = std::make_shared<Model>();
  m->single_digits = options.single_digits;
  std::unordered_map<std::string, int32_t> ids;
  for (auto& [token, id] : vocabulary) {
    set_token(*m, token, id, where);
    if (!ids.emplace(token, id).second) {
      fail(where, "token \"" + io::printable(token) + "\" twice");
    }
  }
  if (ids.size() != m->tokens.size()) {
    fail(where, "two tokens with the same id");
  }
  const auto id_of = [&](const std::string& token, const char* what) {
    const auto it = ids.find(token);
    if (it == ids.end()) {
      fail(where,
           fmt::format("{} \"{}\" is no token", what, io::printable(token)));
    }
    return it->second;
  };
  const auto characters = byte_characters();
  for (size_t b = 0; b < 256; ++b) {
    m->bytes[b] = id_of(text::encode(std::u32string(1, characters[b])), "byte");
  }
  for (const auto& [a, b] : merges) {
    const auto rank = static_cast<uint32_t>(m->merges.size());
    const Merge merge{rank, id_of(a + b, "the merge")};
    const uint64_t key =
        pair_key(id_of(a, "merge part"), id_of(b, "merge part"));
    if (!m->merges.emplace(key, merge).second) {
      fail(where, fmt::format("merge {} stands there twice", rank + 1));
    }
  }
  if (options.added.size() > io::limits::kAddedTokens) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: {} added tokens, the limit is {}",
                            where,
                            options.added.size(),
                            io::limits::kAddedTokens));
  }
  auto added = options.added;
  std::stable_sort(added.begin(), added.end(), [](auto& a, auto& b) {
    return a.first.size() > b.first.size();
  });
  for (const auto& [text, id] : added) {
    set_token(*m, text, id, where);
    m->added_texts.push_back(text);
  }
  for (size_t i = 0; i < added.size(); ++i) {
    m->added.emplace(m->added_texts[i], added[i].second);
  }
  model_ = std::move(m);
}

void Bpe::split(std::string_view text,
                std::vector<std::string_view>& parts) const {
  const Model& m = *model_;
  size_t begin = 0;
  for (size_t at = 0; !m.added_texts.empty() && at < text.size(); ++at) {
    const std::string_view added = m.added_at(text.substr(at));
    if (added.empty()) continue;
    detail::gpt2_split(text.substr(begin, at - begin), m.single_digits, parts);
    parts.push_back(added);
    begin = at + added.size();
    at = begin - 1;
  }
  detail::gpt2_split(text.substr(begin), m.single_digits, parts);
}

void Bpe::encode_part(std::string_view part, std::vector<int32_t>& ids) const {
  const Model& m = *model_;
  if (const auto it = m.added.find(part); it != m.added.end()) {
    ids.push_back(it->second);
    return;
  }
  std::vector<Symbol> symbols(part.size());
  for (size_t i = 0; i < part.size(); ++i) {
    const auto n = static_cast<uint32_t>(i);
    symbols[i] = {m.bytes[static_cast<unsigned char>(part[i])],
                  n == 0 ? kNobody : n - 1,
                  i + 1 == part.size() ? kNobody : n + 1};
  }
  std::priority_queue<Candidate, std::vector<Candidate>, decltype(&comes_later)>
      queue(comes_later);
  const auto consider = [&](uint32_t at) {
    if (at == kNobody || symbols[at].after == kNobody) return;
    const int32_t left = symbols[at].id;
    const int32_t right = symbols[symbols[at].after].id;
    const Merge* merge = m.find(left, right);
    if (merge != nullptr) queue.push({merge->rank, at, left, right});
  };
  for (uint32_t i = 0; i + 1 < symbols.size(); ++i) consider(i);
  while (!queue.empty()) {
    const Candidate c = queue.top();
    queue.pop();
    Symbol& left = symbols[c.at];
    // One of the two may have merged with another one since.
    if (left.id != c.left || left.after == kNobody ||
        symbols[left.after].id != c.right) {
      continue;
    }
    Symbol& right = symbols[left.after];
    left.id = m.find(c.left, c.right)->id;
    left.after = right.after;
    right.id = -1;
    if (left.after != kNobody) symbols[left.after].before = c.at;
    consider(left.before);
    consider(c.at);
  }
  for (const Symbol& s : symbols) {
    if (s.id >= 0) ids.push_back(s.id);
  }
}

std::vector<int32_t> Bpe::encode(std::string_view text) const {
  std::vector<std::string_view> parts;
  split(text, parts);
  std::vector<int32_t> ids;
  for (const std::string_view part : parts) encode_part(part, ids);
  return ids;
}

int64_t Bpe::size() const {
  return model_->size;
}

const std::string& Bpe::token(int64_t id) const {
  const auto it = id < 0 || id >= size()
                      ? model_->tokens.end()
                      : model_->tokens.find(static_cast<int32_t>(id));
  if (it == model_->tokens.end()) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("no token has id {}, the vocabulary has {}", id, size()));
  }
  return it->second;
}

std::string Bpe::decode(std::span<const int32_t> ids) const {
  static const auto bytes = [] {
    std::unordered_map<char32_t, char> out;
    const auto characters = byte_characters();
    for (size_t b = 0; b < 256; ++b) {
      out.emplace(characters[b], static_cast<char>(b));
    }
    return out;
  }();
  std::string text;
  for (const int32_t id : ids) {
    const std::string& spelled = token(id);
    if (model_->added.contains(spelled)) {
      text += spelled;
      continue;
    }
    for (const char32_t c : text::decode(spelled)) {
      const auto it = bytes.find(c);
      if (it != bytes.end()) {
        text += it->second;
      } else {
        append_utf8(c, text);
      }
    }
  }
  return text;
}

}  // namespace kexue::text
