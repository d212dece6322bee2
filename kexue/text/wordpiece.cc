#include "kexue/text/wordpiece.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/unicode.h"
#include "kexue/text/wordpiece_normalizer.h"

namespace kexue::text {
namespace {

using detail::NormalChar;

constexpr size_t kAddedTokenBytes = 255;
constexpr int64_t kMaxCharsPerWord = 1000;

// Finds added tokens in raw text: the longest one at each place.
class AddedTokens final {
 public:
  explicit AddedTokens(std::vector<WordPiece::AddedToken> tokens)
      : tokens_(std::move(tokens)) {
    std::sort(tokens_.begin(), tokens_.end(), [](const auto& a, const auto& b) {
      return a.content < b.content;
    });
    // A file lists [MASK] among them, and so do the options.
    const auto same = [](const auto& a, const auto& b) {
      return a.content == b.content;
    };
    tokens_.erase(std::unique(tokens_.begin(), tokens_.end(), same),
                  tokens_.end());
    for (const auto& t : tokens_) {
      first_.set(static_cast<uint8_t>(t.content.front()));
    }
  }

  // nullptr if none begins at `at`.
  const WordPiece::AddedToken* match(std::string_view text, size_t at) const {
    if (!first_.test(static_cast<uint8_t>(text[at]))) return nullptr;
    const WordPiece::AddedToken* best = nullptr;
    auto low = tokens_.begin();
    auto high = tokens_.end();
    // Narrow to the tokens that agree with the text in `depth` bytes.
    for (size_t depth = 0; low != high; ++depth) {
      if (low->content.size() == depth) {
        best = &*low;
        if (++low == high) break;
      }
      if (at + depth >= text.size()) break;
      const auto c = static_cast<uint8_t>(text[at + depth]);
      const auto byte = [depth](const auto& t) {
        return static_cast<uint8_t>(t.content[depth]);
      };
      low = std::partition_point(
          low, high, [&](const auto& t) { return byte(t) < c; });
      high = std::partition_point(
          low, high, [&](const auto& t) { return byte(t) <= c; });
    }
    return best;
  }

 private:
  std::vector<WordPiece::AddedToken> tokens_;
  std::bitset<256> first_;
};

// One word to pieces, appended to `out`.
class WordSplitter final {
 public:
  WordSplitter(const Vocabulary& vocabulary,
               int32_t unk,
               int64_t max_chars,
               std::vector<Token>& out)
      : vocabulary_(vocabulary),
        unk_(unk),
        max_chars_(static_cast<size_t>(max_chars)),
        out_(out) {}

  void split(std::span<const NormalChar> word) {
    if (word.empty()) return;
    const size_t first = out_.size();
    if (word.size() > max_chars_ || !pieces(word)) {
      out_.resize(first);
      out_.push_back({unk_, word.front().begin, word.back().end});
    }
  }

 private:
  bool pieces(std::span<const NormalChar> word) {
    utf8_.clear();
    ends_.clear();
    for (const auto& c : word) {
      append_utf8(c.value, utf8_);
      ends_.push_back(utf8_.size());
    }
    size_t byte = 0;
    size_t index = 0;
    while (byte < utf8_.size()) {
      const auto match =
          vocabulary_.longest(std::string_view(utf8_).substr(byte), byte != 0);
      if (match.id < 0) return false;
      byte += match.bytes;
      const size_t first = index;
      // Tokens are valid UTF-8, so they end where a character ends.
      while (ends_[index] < byte) ++index;
      out_.push_back({match.id, word[first].begin, word[index].end});
      ++index;
    }
    return true;
  }

  const Vocabulary& vocabulary_;
  int32_t unk_;
  size_t max_chars_;
  std::vector<Token>& out_;
  std::string utf8_;
  std::vector<size_t> ends_;
};

}  // namespace

struct WordPiece::Model {
  Vocabulary vocabulary;
  WordPieceOptions options;
  AddedTokens added;
  int32_t unk;
  int32_t cls;
  int32_t sep;
  int32_t pad;
  int32_t mask;  // -1: absent

  void segment(std::string_view text,
               size_t begin,
               size_t end,
               std::vector<NormalChar>& chars,
               WordSplitter& splitter) const {
    if (begin == end) return;
    chars.clear();
    detail::normalize(text, begin, end, options, chars);
    const std::span<const NormalChar> all(chars);
    size_t start = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const char32_t c = all[i].value;
      const bool space = is_space(c);
      if (!space && !detail::is_bert_punctuation(c)) continue;
      splitter.split(all.subspan(start, i - start));
      if (!space) splitter.split(all.subspan(i, 1));
      start = i + 1;
    }
    splitter.split(all.subspan(start));
  }
};

WordPiece::WordPiece(Vocabulary vocabulary,
                     WordPieceOptions options,
                     std::vector<AddedToken> added,
                     const std::string& where) {
  if (options.max_chars_per_word < 1 ||
      options.max_chars_per_word > kMaxCharsPerWord) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: {} characters per word, wanted 1..{}",
                            where,
                            options.max_chars_per_word,
                            kMaxCharsPerWord));
  }
  const auto required = [&](const std::string& name) {
    const int32_t id = vocabulary.find(name);
    if (id < 0) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: no token {} among {}",
                              where,
                              io::printable(name),
                              vocabulary.size()));
    }
    added.push_back({id, name});
    return id;
  };
  const int32_t unk = required(options.unk);
  const int32_t cls = required(options.cls);
  const int32_t sep = required(options.sep);
  const int32_t pad = required(options.pad);
  const int32_t mask = vocabulary.find(options.mask);
  if (mask >= 0) added.push_back({mask, options.mask});
  for (const auto& t : added) {
    if (t.content.empty() || t.content.size() > kAddedTokenBytes) {
      throw Error(
          Code::kUnsupported,
          fmt::format("{}: added token \"{}\" of {} bytes, wanted 1..{}",
                      where,
                      io::printable(t.content),
                      t.content.size(),
                      kAddedTokenBytes));
    }
  }
  model_ = std::make_shared<const Model>(Model{std::move(vocabulary),
                                               std::move(options),
                                               AddedTokens(std::move(added)),
                                               unk,
                                               cls,
                                               sep,
                                               pad,
                                               mask});
}

std::vector<Token> WordPiece::tokenize(std::string_view text) const {
  const Model& m = *model_;
  std::vector<Token> out;
  std::vector<NormalChar> chars;
  WordSplitter splitter(m.vocabulary, m.unk, m.options.max_chars_per_word, out);
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const AddedToken* special = m.added.match(text, at);
    if (special == nullptr) {
      ++at;
      continue;
    }
    m.segment(text, start, at, chars, splitter);
    const size_t end = at + special->content.size();
    out.push_back({special->id, at, end});
    start = at = end;
  }
  m.segment(text, start, text.size(), chars, splitter);
  return out;
}

Encoding WordPiece::encode(std::string_view a, int64_t max_len) const {
  if (max_len < 2) {
    throw Error(Code::kInvalidArgument,
                fmt::format("encode: max_len {}, wanted at least 2", max_len));
  }
  const auto tokens = tokenize(a);
  const auto keep =
      std::min<uint64_t>(tokens.size(), static_cast<uint64_t>(max_len - 2));
  Encoding e;
  e.ids.reserve(keep + 2);
  e.ids.push_back(cls_id());
  for (size_t i = 0; i < keep; ++i) e.ids.push_back(tokens[i].id);
  e.ids.push_back(sep_id());
  e.types.assign(e.ids.size(), 0);
  e.dropped = static_cast<int64_t>(tokens.size() - keep);
  return e;
}

Encoding WordPiece::encode_pair(std::string_view a,
                                std::string_view b,
                                int64_t max_len) const {
  if (max_len < 3) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("encode_pair: max_len {}, wanted at least 3", max_len));
  }
  const auto ta = tokenize(a);
  const auto tb = tokenize(b);
  size_t na = ta.size();
  size_t nb = tb.size();
  while (na + nb > static_cast<uint64_t>(max_len - 3)) --(na > nb ? na : nb);

  Encoding e;
  e.ids.reserve(na + nb + 3);
  e.ids.push_back(cls_id());
  for (size_t i = 0; i < na; ++i) e.ids.push_back(ta[i].id);
  e.ids.push_back(sep_id());
  e.types.assign(e.ids.size(), 0);
  for (size_t i = 0; i < nb; ++i) e.ids.push_back(tb[i].id);
  e.ids.push_back(sep_id());
  e.types.resize(e.ids.size(), 1);
  e.dropped = static_cast<int64_t>(ta.size() + tb.size() - na - nb);
  return e;
}

std::string WordPiece::decode(std::span<const int32_t> ids,
                              bool skip_special) const {
  constexpr std::u32string_view kNoSpaceBefore = U".,!?;:)]}%'";
  constexpr std::u32string_view kNoSpaceAfter = U"([{'";
  const auto& prefix = vocabulary().prefix();
  const auto is_wide = [](char32_t c) {
    // Ideographs, kana and the full-width forms stand without spaces.
    return is_cjk(c) || (c >= 0x3000 && c <= 0x30FF) ||
           (c >= 0xFF00 && c <= 0xFFEF);
  };
  std::string out;
  char32_t last = U' ';
  for (const int32_t id : ids) {
    std::string_view token = this->token(id);
    if (skip_special && is_special(id)) continue;
    const bool glued =
        token.size() > prefix.size() && token.starts_with(prefix);
    if (glued) token.remove_prefix(prefix.size());
    const auto chars = text::decode(token);
    const char32_t first = chars.front();
    const bool space =
        !glued && !out.empty() && !is_wide(first) && !is_wide(last) &&
        kNoSpaceBefore.find(first) == std::u32string_view::npos &&
        kNoSpaceAfter.find(last) == std::u32string_view::npos;
    if (space) out += ' ';
    out += token;
    last = chars.back();
  }
  return out;
}

const Vocabulary& WordPiece::vocabulary() const {
  return model_->vocabulary;
}
const WordPieceOptions& WordPiece::options() const {
  return model_->options;
}
int32_t WordPiece::unk_id() const {
  return model_->unk;
}
int32_t WordPiece::cls_id() const {
  return model_->cls;
}
int32_t WordPiece::sep_id() const {
  return model_->sep;
}
int32_t WordPiece::pad_id() const {
  return model_->pad;
}
std::optional<int32_t> WordPiece::mask_id() const {
  if (model_->mask < 0) return std::nullopt;
  return model_->mask;
}
bool WordPiece::is_special(int32_t id) const {
  const Model& m = *model_;
  return id == m.unk || id == m.cls || id == m.sep || id == m.pad ||
         id == m.mask;
}

}  // namespace kexue::text
