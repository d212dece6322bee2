#include "kexue/text/wordpiece_normalizer.h"

#include <algorithm>
#include <string>

#include "kexue/text/unicode.h"

namespace kexue::text::detail {
namespace {

bool is_kept_control(char32_t c) {
  return c == U'\t' || c == U'\n' || c == U'\r';
}

// Decomposes, drops accents, lowers; in this order, as the reference does.
class Writer final {
 public:
  Writer(const WordPieceOptions& options, std::vector<NormalChar>& out)
      : lowercase_(options.lowercase),
        strip_(options.strip_accents.value_or(options.lowercase)),
        out_(out),
        start_(out.size()) {}

  void put(char32_t c, size_t begin, size_t end) {
    if (!strip_) return put_lower(c, begin, end);
    char32_t parts[4];
    const int n = text::decompose(c, parts);
    for (int i = 0; i < n; ++i) {
      if (is_mark_nonspacing(parts[i])) continue;
      has_marks_ = has_marks_ || canonical_class(parts[i]) != 0;
      put_lower(parts[i], begin, end);
    }
  }

  // The marks that stay (not Mn) in canonical order.
  void finish() {
    if (!has_marks_) return;
    const auto is_starter = [](const NormalChar& c) {
      return canonical_class(c.value) == 0;
    };
    auto begin = out_.begin() + static_cast<std::ptrdiff_t>(start_);
    std::u32string marks;
    while (begin != out_.end()) {
      begin = std::find_if_not(begin, out_.end(), is_starter);
      const auto end = std::find_if(begin, out_.end(), is_starter);
      marks.clear();
      for (auto it = begin; it != end; ++it) marks.push_back(it->value);
      std::stable_sort(marks.begin(), marks.end(), [](char32_t a, char32_t b) {
        return canonical_class(a) < canonical_class(b);
      });
      // Only the values move: offsets stay ascending.
      for (const char32_t c : marks) (begin++)->value = c;
    }
  }

 private:
  void put_lower(char32_t c, size_t begin, size_t end) {
    if (!lowercase_) {
      out_.push_back({c, begin, end});
      return;
    }
    char32_t parts[2];
    const int n = text::lower(c, parts);
    for (int i = 0; i < n; ++i) out_.push_back({parts[i], begin, end});
  }

  bool lowercase_;
  bool strip_;
  bool has_marks_ = false;
  std::vector<NormalChar>& out_;
  size_t start_;
};

}  // namespace

void normalize(std::string_view text,
               size_t begin,
               size_t end,
               const WordPieceOptions& options,
               std::vector<NormalChar>& out) {
  Writer writer(options, out);
  const std::string_view part = text.substr(0, end);
  for (size_t at = begin; at < end;) {
    const CodePoint cp = decode_at(part, at);
    const size_t next = at + cp.bytes;
    char32_t c = cp.value;
    const size_t from = at;
    at = next;
    if (options.clean_text) {
      if (c == 0 || c == kReplacement) continue;
      if (is_control(c) && !is_kept_control(c)) continue;
      if (is_space(c)) c = U' ';
    }
    if (options.handle_chinese_chars && is_cjk(c)) {
      out.push_back({U' ', from, from});
      writer.put(c, from, next);
      out.push_back({U' ', next, next});
    } else {
      writer.put(c, from, next);
    }
  }
  writer.finish();
}

bool is_bert_punctuation(char32_t c) {
  if (c < 0x80) {
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) ||
           (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  }
  return is_punctuation(c);
}

}  // namespace kexue::text::detail
