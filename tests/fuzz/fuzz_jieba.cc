// dict.txt, a NUL byte, hmm.json, a NUL byte, a text: words are the text cut
// into parts, and their path through the dictionary is as good as any.
#include <algorithm>
#include <cmath>
#include <map>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/text/detail/jieba_model.h"
#include "kexue/text/detail/units.h"
#include "kexue/text/jieba.h"
#include "kexue/text/unicode.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/mem_fs.h"

namespace kexue::fuzz {
namespace {

using Words = std::vector<std::string_view>;

constexpr const char* kDict =
    "\u4F60\u597D 10 l\n\u4F60 3 r\n\u597D 4\n\u4E16\u754C\u4E0A 2 n\n"
    "\u4E16\u754C 5 n\nAT&T 3 nz\n\u4E0A\u4E0B\u5DE6\u53F3 0 n\n";
constexpr const char* kHmm =
    R"({"start":{"B":-0.26,"E":-3.14e+100,"M":-3.14e+100,"S":-1.46},)"
    R"("trans":{"B":{"E":-0.51,"M":-0.91},"E":{"B":-0.58,"S":-0.8},)"
    R"("M":{"E":-0.33,"M":-1.26},"S":{"B":-0.72,"S":-0.66}},)"
    R"("emit":{"B":{"\u4F60":-3.5,"\u4E16":-2},"E":{"\u597D":-4},)"
    R"("M":{"\u754C":-1},"S":{"\u4E0A":-2.5}}})";

void check_words(const text::Jieba& jieba, std::string_view text) {
  Words all;
  jieba.cut(text, all);
  const char* at = text.data();
  for (const std::string_view word : all) {
    check(!word.empty() && word.data() == at, "words follow each other");
    check(text::is_valid_utf8(word), "cuts stand between characters");
    at += word.size();
  }
  check(at == text.data() + text.size(), "words are the whole text");
  Words some;
  jieba.split(text, some);
  check(some.size() <= all.size(), "split() leaves white space out");
  for (const std::string_view word : some) {
    check(std::find(all.begin(), all.end(), word) != all.end(),
          "words of split() are words of cut()");
  }
}

// Each beginning of each word is in the trie, words with their weight.
void check_trie(std::string_view dict, const text::detail::JiebaTrie& trie) {
  std::map<std::u32string, double> words;  // the last line of a word counts
  double total = 0;
  while (!dict.empty()) {
    const size_t end = std::min(dict.find('\n'), dict.size());
    std::string_view line = dict.substr(0, end);
    dict.remove_prefix(std::min(end + 1, dict.size()));
    line.remove_prefix(
        std::min(line.find_first_not_of(" \t\r\v\f"), line.size()));
    const size_t space = line.find(' ');
    double n = 0;
    for (size_t i = space + 1; i < line.size(); ++i) {
      if (line[i] < '0' || line[i] > '9') break;
      n = n * 10 + (line[i] - '0');
    }
    words[text::decode(line.substr(0, space))] = n;
    total += n;
  }
  for (const auto& [word, n] : words) {
    const auto first = trie.id(word[0]);
    check(first != 0, "characters have numbers");
    auto at = text::detail::JiebaTrie::place_of_first(first);
    for (size_t i = 1; i < word.size(); ++i) {
      at = trie.next(at, trie.id(word[i]));
      check(at != text::detail::JiebaTrie::kNone, "words are in the trie");
    }
    const double weight =
        word.size() == 1 ? trie.first(first).weight : trie.weight(at);
    const double wanted = n > 0 ? std::log(n) - std::log(total) : 1;
    check(std::abs(weight - wanted) < 1e-9, "weights are logarithms");
  }
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string nul(1, '\0');
  return {
      kDict + nul + kHmm + nul +
          "\u4F60\u597D\uFF0C\u4E16\u754C\u4E0A AT&T 3.5% ok",
      kDict + nul + kHmm + nul + "\u5DE6\u53F3\u4E16\u4F60\u754C\r\nB+tree"};
}

std::vector<std::string> dictionary() {
  return {"\u4F60",
          "\u4E16\u754C 7 n\n",
          "\U0001F600 1\n",
          "\n",
          " ",
          "1099511627776",
          "-1",
          "0",
          "\"M\":{}",
          "-1e308",
          "1e999",
          "null",
          "\u3000",
          "\xFF",
          std::string(1, '\0')};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t first = std::min(all.find('\0'), all.size());
  const size_t second = std::min(all.find('\0', first + 1), all.size());
  const std::string_view dict = all.substr(0, first);
  testing::MemFs fs;
  fs.mkdir("/m", 0700);
  io::write_file("/m/dict.txt", dict, fs);
  io::write_file(
      "/m/hmm.json",
      first < second ? all.substr(first + 1, second - first - 1) : "",
      fs);
  try {
    const auto trie = text::detail::JiebaTrie::read("/m/dict.txt", fs);
    fuzz::check_trie(dict, trie);
    const auto jieba = text::Jieba::from_directory("/m", fs);
    text::detail::UnitText units(
        {.strict = false, .unit = text::WordSplitter::Unit::kLine});
    const std::string raw(second < size ? all.substr(second + 1) : "");
    fuzz::check_words(jieba, units.clean(raw, "fuzz", 0));
  } catch (const Error& e) {
    fuzz::check_code(e);
  }
  return 0;
}
