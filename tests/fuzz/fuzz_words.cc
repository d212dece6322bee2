// First byte: which splitter. The rest: a text. Words are parts of the text,
// in order, and the table counts them as a map does.
#include <map>

#include "kexue/text/detail/add_words.h"
#include "kexue/text/detail/gpt2_split.h"
#include "kexue/text/detail/units.h"
#include "kexue/text/frequency_table.h"
#include "kexue/text/unicode.h"
#include "kexue/text/word_splitter.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {
namespace {

using Words = std::vector<std::string_view>;
using Counts = std::map<std::string, uint64_t, std::less<>>;

// Returns the bytes that the words cover.
size_t check_parts(std::string_view text, const Words& words) {
  const char* at = text.data();
  size_t covered = 0;
  for (const std::string_view word : words) {
    check(!word.empty(), "no word is empty");
    check(word.data() >= at, "words come in order");
    at = word.data() + word.size();
    covered += word.size();
  }
  check(at <= text.data() + text.size(), "words are parts of the text");
  return covered;
}

void check_counts(std::string_view text) {
  Words words;
  text::SpaceWords().split(text, words);
  check_parts(text, words);
  Counts wanted;
  for (const auto word : words) ++wanted[std::string(word)];
  text::FrequencyTable one;
  text::FrequencyTable all;
  for (const auto word : words) one.add(word);
  check(all.add_words(text) == words.size(), "as many words");
  check(one.sorted() == all.sorted(), "both ways of adding agree");
  check(all.distinct() == wanted.size(), "as many different words");
  for (const auto& [word, n] : wanted) {
    check(all.count(word) == n, "counts are those of a map");
  }
}

void check_cut(std::string_view raw) {
  text::detail::UnitText units(
      {.strict = false, .unit = text::WordSplitter::Unit::kLine});
  const std::string_view text = units.clean(raw, "fuzz", 0);
  check(text::is_valid_utf8(text), "cleaned text is UTF-8");
  Words words;
  text::UnicodeWords().split(text, words);
  check_parts(text, words);
  words.clear();
  text::detail::gpt2_split(raw, !raw.empty() && raw[0] == '1', words);
  check(check_parts(raw, words) == raw.size(), "parts are the whole text");
}

}  // namespace

std::vector<std::string> seeds() {
  return {std::string(1, '\0') + "a b a\n\tc abcdefgh abcdefghijklmnop ",
          "\1can't 3,141.59 \xE4\xBD\xA0\xE5\xA5\xBD _x_ \xFF",
          "\1we've  \n x 12\xC2\xA0 'll",
          std::string(1, '\0') + std::string(300, 'z') + " z"};
}

std::vector<std::string> dictionary() {
  return {" ",
          "\n",
          "\t",
          std::string(1, '\0'),
          "'s",
          "'ll",
          "\xE4\xBD\xA0",
          "\xCC\x81",
          "\xC2\xA0",
          "\xFF",
          "3,1",
          "abcdefg",
          "abcdefgh",
          "abcdefghijklmno",
          "abcdefghijklmnop"};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue::fuzz;
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  if (all[0] == '\0') {
    check_counts(all.substr(1));
  } else {
    check_cut(all.substr(1));
  }
  return 0;
}
