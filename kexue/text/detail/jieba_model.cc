#include "kexue/text/detail/jieba_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/unicode.h"

namespace kexue::text::detail {
namespace {

constexpr uint64_t kMaxWords = uint64_t{1} << 24;
constexpr uint64_t kMaxFrequency = uint64_t{1} << 40;

struct Line {
  std::string_view word;
  uint64_t frequency = 0;
};

std::string_view stripped(std::string_view line) {
  constexpr std::string_view kSpaces = " \t\r\v\f";
  const size_t from = line.find_first_not_of(kSpaces);
  if (from == std::string_view::npos) return {};
  return line.substr(from, line.find_last_not_of(kSpaces) + 1 - from);
}

Line parse_line(std::string_view raw,
                const std::string& path,
                uint64_t number) {
  const std::string_view line = stripped(raw);
  const auto fail = [&](std::string_view what) {
    throw Error(
        Code::kCorruptData,
        fmt::format(
            "{}:{}: {} in \"{}\"", path, number, what, io::printable(line)));
  };
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) {
    fail("no word and frequency");
  }
  const std::string_view rest = line.substr(space + 1);
  const std::string_view digits = rest.substr(0, rest.find(' '));
  Line out{.word = line.substr(0, space)};
  const char* const end = digits.data() + digits.size();
  const auto [to, error] = std::from_chars(digits.data(), end, out.frequency);
  if (error != std::errc() || to != end || out.frequency > kMaxFrequency) {
    fail("no frequency from 0 to 2^40");
  }
  if (!is_valid_utf8(out.word)) fail("a word that is not UTF-8");
  return out;
}

}  // namespace

JiebaTrie::Id JiebaTrie::add_id(char32_t c) {
  if (c >= ids_.size()) ids_.resize(c + 1);
  if (ids_[c] == 0) {
    if (firsts_.size() > 0xFFFF) {
      throw Error(Code::kUnsupported,
                  "a dictionary with more than 65535 different characters");
    }
    ids_[c] = static_cast<Id>(firsts_.size());
    firsts_.emplace_back();
  }
  return ids_[c];
}

// Weights are frequencies until finish().
void JiebaTrie::add(std::u32string_view word, double frequency) {
  const Id first = id(word[0]);
  JiebaNode& root = firsts_[first];
  if (word.size() == 1) {
    root.weight = frequency;
    return;
  }
  root.has_longer = true;
  Place from = place_of_first(first);
  for (size_t i = 1; i < word.size(); ++i) {
    const Id c = id(word[i]);
    size_t at = home(from, c);
    while (slots_[at].from != kNone &&
           !(slots_[at].from == from && slots_[at].id == c)) {
      at = (at + 1) & mask_;
    }
    Slot& s = slots_[at];
    if (s.from == kNone) s = {.from = from, .id = c, .weight = 0};
    if (i + 1 == word.size()) {
      s.weight = frequency;
    } else {
      s.has_longer = 1;
    }
    from = static_cast<Place>(at);
  }
}

void JiebaTrie::finish(double total) {
  log_total_ = std::log(total);
  const auto weight_of = [&](double frequency) {
    return frequency > 0 ? std::log(frequency) - log_total_ : 1.0;
  };
  for (Slot& s : slots_) s.weight = weight_of(s.weight);
  for (JiebaNode& n : firsts_) n.weight = weight_of(n.weight);
}

JiebaTrie JiebaTrie::read(const std::string& path, io::FileSystem& fs) {
  const std::string content = io::read_file(path, io::limits::kVocabBytes, fs);
  std::vector<Line> lines;
  std::vector<std::u32string> words;
  uint64_t total = 0;
  uint64_t steps = 0;
  JiebaTrie trie;
  trie.firsts_.resize(1);  // of unknown characters
  std::string_view rest = content;
  for (uint64_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    lines.push_back(parse_line(rest.substr(0, end), path, number));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    total += lines.back().frequency;
    words.push_back(decode(lines.back().word));
    for (const char32_t c : words.back()) trie.add_id(c);
    steps += words.back().size() - 1;
    if (number > kMaxWords) {
      throw Error(Code::kUnsupported, path + ": more than 2^24 words");
    }
  }
  if (total == 0) {
    throw Error(Code::kCorruptData, path + ": no word with a frequency");
  }
  for (JiebaNode& n : trie.firsts_) n.weight = 0;
  const size_t slots = std::bit_ceil(std::max<size_t>(steps * 5 / 4, 16));
  trie.slots_.resize(slots);
  trie.mask_ = slots - 1;
  trie.shift_ = 64 - std::countr_zero(slots);
  for (size_t i = 0; i < lines.size(); ++i) {
    trie.add(words[i], static_cast<double>(lines[i].frequency));
  }
  trie.finish(static_cast<double>(total));
  return trie;
}

namespace {

constexpr std::array<const char*, kJiebaStates> kNames = {"B", "E", "M", "S"};

[[noreturn]] void fail_hmm(const std::string& path, const std::string& what) {
  throw Error(Code::kCorruptData, path + ": " + what);
}

double probability(const nlohmann::json& value,
                   const std::string& path,
                   const std::string& where) {
  if (!value.is_number() || value.get<double>() > 0) {
    fail_hmm(path, where + " is no logarithm of a probability");
  }
  return value.get<double>();
}

const nlohmann::json& part(const nlohmann::json& object,
                           const char* name,
                           const std::string& path) {
  if (!object.is_object() || !object.contains(name) ||
      !(object[name].is_object() || object[name].is_number())) {
    fail_hmm(path, std::string("no entry \"") + name + "\" where it should be");
  }
  return object[name];
}

}  // namespace

JiebaHmm JiebaHmm::read(const std::string& path, io::FileSystem& fs) {
  const auto json = io::parse_json_file(path, {}, fs);
  JiebaHmm hmm;
  hmm.emit.resize(kHanLast - kHanFirst + 1);
  for (auto& row : hmm.emit) row.fill(kJiebaNever);
  for (size_t y = 0; y < kJiebaStates; ++y) {
    const std::string name = kNames[y];
    hmm.start[y] = probability(part(part(json, "start", path), kNames[y], path),
                               path,
                               "start." + name);
    hmm.trans[y].fill(kJiebaNever);
    const auto& to = part(part(json, "trans", path), kNames[y], path);
    for (size_t z = 0; z < kJiebaStates; ++z) {
      if (!to.contains(kNames[z])) continue;
      hmm.trans[y][z] =
          probability(to[kNames[z]], path, "trans." + name + kNames[z]);
    }
    for (const auto& [key, value] :
         part(part(json, "emit", path), kNames[y], path).items()) {
      const std::u32string c = decode(key);
      if (c.size() != 1) fail_hmm(path, "emit." + name + ": no character");
      const double p = probability(value, path, "emit." + name + "." + key);
      if (is_jieba_han(c[0])) hmm.emit[c[0] - kHanFirst][y] = p;
    }
  }
  return hmm;
}

}  // namespace kexue::text::detail
