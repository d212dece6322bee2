#include "kexue/text/frequency_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <unordered_set>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/compressed_file.h"
#include "kexue/io/printable.h"
#include "kexue/text/detail/add_words.h"
#include "kexue/text/detail/word_order.h"
#include "kexue/text/detail/word_table.h"

namespace kexue::text {
namespace {

constexpr size_t kWriteBytes = size_t{1} << 20;
constexpr size_t kTextBytes = size_t{1} << 20;

[[noreturn]] void overflow(std::string_view token) {
  throw Error(Code::kUnsupported,
              fmt::format("the count of \"{}\" does not fit 64 bits",
                          io::printable(token)));
}

}  // namespace

FrequencyTable::FrequencyTable()
    : words_(std::make_unique<detail::WordTable>()) {}
FrequencyTable::~FrequencyTable() = default;
FrequencyTable::FrequencyTable(FrequencyTable&& other) noexcept
    : words_(std::move(other.words_)) {
  other.words_ = std::make_unique<detail::WordTable>();
}
FrequencyTable& FrequencyTable::operator=(FrequencyTable&& other) noexcept {
  std::swap(words_, other.words_);
  return *this;
}

void FrequencyTable::add(std::string_view token, uint64_t times) {
  if (times == 0) return;
  uint64_t& count = words_->count_of(token);
  if (__builtin_add_overflow(count, times, &count)) overflow(token);
}

uint64_t FrequencyTable::add_words(std::string_view text) {
  // Pieces in memory of our own, with room to read on behind them.
  std::string piece;
  uint64_t words = 0;
  while (!text.empty()) {
    size_t n = std::min(text.size(), kTextBytes);
    while (n < text.size() &&
           !detail::is_space_byte(static_cast<unsigned char>(text[n]))) {
      ++n;
    }
    piece.assign(text.substr(0, n));
    piece.append(detail::kPadding, ' ');
    words += detail::word_loops().add_words(
        piece.data(), n, *words_, detail::hash_key());
    text.remove_prefix(n);
  }
  return words;
}

void FrequencyTable::merge(const FrequencyTable& other) {
  if (&other == this) {
    throw Error(Code::kInvalidArgument, "a table cannot merge with itself");
  }
  other.for_each([&](std::string_view token, uint64_t n) { add(token, n); });
}

uint64_t FrequencyTable::count(std::string_view token) const {
  return words_->find(token);
}
size_t FrequencyTable::distinct() const {
  return words_->distinct();
}
size_t FrequencyTable::memory_bytes() const {
  return words_->bytes();
}

uint64_t FrequencyTable::total() const {
  uint64_t sum = 0;
  for_each([&](std::string_view token, uint64_t n) {
    if (__builtin_add_overflow(sum, n, &sum)) overflow(token);
  });
  return sum;
}

void FrequencyTable::for_each(
    const std::function<void(std::string_view, uint64_t)>& fn) const {
  for (size_t s = 0; s < detail::kShards; ++s) words_->for_each(s, fn);
}

std::vector<TokenCount> FrequencyTable::sorted(const TableCut& cut) const {
  detail::WordOrder order(cut);
  for (size_t s = 0; s < detail::kShards; ++s) {
    words_->for_each(s,
                     [&](std::string_view t, uint64_t n) { order.add(t, n); });
  }
  std::vector<TokenCount> out;
  order.for_each([&](std::string_view token, uint64_t n) {
    out.push_back({std::string(token), n});
  });
  return out;
}

void FrequencyTable::keep_min_count(uint64_t n) {
  detail::WordTable kept;
  for_each([&](std::string_view token, uint64_t times) {
    if (times >= n) kept.count_of(token) = times;
  });
  *words_ = std::move(kept);
}

void FrequencyTable::save_tsv(const std::string& path,
                              const TableCut& cut,
                              io::FileSystem& fs) const {
  io::AtomicFile file(path, fs);
  std::string lines;
  detail::WordOrder order(cut);
  for_each([&](std::string_view t, uint64_t n) { order.add(t, n); });
  order.for_each([&](std::string_view token, uint64_t n) {
    detail::append_line(token, n, lines);
    if (lines.size() >= kWriteBytes) {
      file.write(lines);
      lines.clear();
    }
  });
  file.write(lines);
  file.commit();
}

FrequencyTable FrequencyTable::load_tsv(const std::string& path,
                                        io::FileSystem& fs) {
  const std::string content = io::CompressedFile(path, fs).read_all();
  FrequencyTable table;
  std::string_view rest = content;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto fail = [&](std::string_view what) {
      throw Error(
          Code::kCorruptData,
          fmt::format(
              "{}:{}: {} in \"{}\"", path, number, what, io::printable(line)));
    };
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) fail("no tab");
    const std::string_view token = line.substr(0, tab);
    const std::string_view digits = line.substr(tab + 1);
    uint64_t n = 0;
    const auto [to, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc() || to != digits.data() + digits.size() || n == 0) {
      fail("no count from 1 to 2^64-1");
    }
    if (token.empty()) fail("an empty token");
    uint64_t& count = table.words_->count_of(token);
    if (count != 0) fail("a token that came before");
    count = n;
  }
  return table;
}

std::vector<std::string> FrequencyTable::vocabulary(
    std::span<const std::string> specials,
    size_t size,
    uint64_t min_count) const {
  std::vector<std::string> out(specials.begin(), specials.end());
  const std::unordered_set<std::string_view> taken(specials.begin(),
                                                   specials.end());
  if (taken.size() != specials.size() || out.size() > size) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{} special tokens, {} different, for a "
                            "vocabulary of {}",
                            specials.size(),
                            taken.size(),
                            size));
  }
  // As many more as specials may stand among them.
  const size_t room = size - out.size();
  const size_t top = room > distinct() ? distinct() : room + specials.size();
  for (auto& t : sorted({.top = top, .min_count = min_count})) {
    if (out.size() == size) break;
    if (!taken.contains(t.token)) out.push_back(std::move(t.token));
  }
  return out;
}

}  // namespace kexue::text
