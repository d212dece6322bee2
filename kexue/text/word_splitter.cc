#include "kexue/text/word_splitter.h"

#include "kexue/text/detail/add_words.h"

namespace kexue::text {

void WordSplitter::pieces(
    std::string_view word,
    const std::function<void(std::string_view)>& take) const {
  take(word);
}

void SpaceWords::split(std::string_view text,
                       std::vector<std::string_view>& words) const {
  const auto is_space = [&](size_t i) {
    return detail::is_space_byte(static_cast<unsigned char>(text[i]));
  };
  for (size_t at = 0; at < text.size();) {
    if (is_space(at)) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && !is_space(at)) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
}

}  // namespace kexue::text
