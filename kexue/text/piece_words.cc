#include "kexue/text/piece_words.h"

namespace kexue::text {

void WordPieceWords::split(std::string_view text,
                           std::vector<std::string_view>& words) const {
  constexpr std::string_view kBorders = " \t\r\n";
  size_t at = text.find_first_not_of(kBorders);
  while (at != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(kBorders, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBorders, end);
  }
}

void WordPieceWords::pieces(
    std::string_view word,
    const std::function<void(std::string_view)>& take) const {
  for (const Token& token : model_.tokenize(word)) take(model_.token(token.id));
}

void BpeWords::split(std::string_view text,
                     std::vector<std::string_view>& words) const {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    model_.split(line, words);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void BpeWords::pieces(std::string_view word,
                      const std::function<void(std::string_view)>& take) const {
  std::vector<int32_t> ids;
  model_.encode_part(word, ids);
  for (const int32_t id : ids) take(model_.token(id));
}

}  // namespace kexue::text
