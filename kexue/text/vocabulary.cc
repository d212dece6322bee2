#include "kexue/text/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/unicode.h"

namespace kexue::text {
namespace {

// Node 0 means "none" in a slot, so the roots are 1 and 2.
constexpr uint32_t kWordRoot = 1;
constexpr uint32_t kContinuingRoot = 2;

size_t slot_of(uint64_t key, size_t mask) {
  uint64_t h = key * 0x9E3779B97F4A7C15u;
  h ^= h >> 32;
  return static_cast<size_t>(h) & mask;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<Entry> entries,
                       std::string prefix,
                       const std::string& where)
    : entries_(std::move(entries)),
      prefix_(std::move(prefix)),
      slots_(1024),
      token_at_(3, -1) {
  const auto wrong = [&](const Entry& e, const char* what) {
    return Error(Code::kCorruptData,
                 fmt::format("{}: token \"{}\" (id {}): {}",
                             where,
                             io::printable(e.second),
                             e.first,
                             what));
  };
  std::stable_sort(
      entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.first < b.first;
      });
  int64_t previous = -1;
  for (const auto& e : entries_) {
    const auto& [id, token] = e;
    if (id < 0 || id > io::limits::kTokenId) {
      throw wrong(e, "id outside 0..2^24-1");
    }
    if (id == previous) throw wrong(e, "the id is taken");
    previous = id;
    if (token.empty()) throw wrong(e, "empty");
    if (!is_valid_utf8(token)) throw wrong(e, "not UTF-8");
    if (find(token) >= 0) throw wrong(e, "duplicate");
    insert(kWordRoot, token, id);
    if (token.size() > prefix_.size() && token.starts_with(prefix_)) {
      insert(
          kContinuingRoot, std::string_view(token).substr(prefix_.size()), id);
    }
  }
}

Vocabulary Vocabulary::from_file(const std::string& path,
                                 const std::string& prefix,
                                 io::FileSystem& fs) {
  const auto text = io::read_file(path, io::limits::kVocabBytes, fs);
  std::vector<Entry> entries;
  const auto wrong = [&](const std::string& what) {
    return Error(Code::kCorruptData,
                 fmt::format("{}:{}: {}", path, entries.size() + 1, what));
  };
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) throw wrong("empty line");
    if (!is_valid_utf8(line)) throw wrong("not UTF-8");
    if (entries.size() > static_cast<size_t>(io::limits::kTokenId)) {
      throw Error(Code::kUnsupported, path + ": more than 2^24 tokens");
    }
    entries.emplace_back(static_cast<int32_t>(entries.size()), line);
  }
  auto sorted = entries;
  std::sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.second, a.first) < std::tie(b.second, b.first);
  });
  const auto twice = std::adjacent_find(
      sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
        return a.second == b.second;
      });
  if (twice != sorted.end()) {
    throw Error(Code::kCorruptData,
                fmt::format("{}:{}: token \"{}\" is already on line {}",
                            path,
                            (twice + 1)->first + 1,
                            io::printable(twice->second),
                            twice->first + 1));
  }
  return Vocabulary(std::move(entries), prefix, path);
}

int64_t Vocabulary::size() const {
  return entries_.empty() ? 0 : int64_t{entries_.back().first} + 1;
}

uint32_t Vocabulary::child(uint32_t node, uint8_t byte) const {
  const uint64_t key = (uint64_t{node} << 8) | byte;
  const size_t mask = slots_.size() - 1;
  for (size_t i = slot_of(key, mask);; i = (i + 1) & mask) {
    if (slots_[i].next == 0) return 0;
    if (slots_[i].key == key) return slots_[i].next;
  }
}

void Vocabulary::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& s : old) {
    if (s.next == 0) continue;
    size_t i = slot_of(s.key, mask);
    while (slots_[i].next != 0) i = (i + 1) & mask;
    slots_[i] = s;
  }
}

uint32_t Vocabulary::add_child(uint32_t node, uint8_t byte) {
  if (const uint32_t found = child(node, byte); found != 0) return found;
  if (token_at_.size() * 2 > slots_.size()) grow();
  const auto next = static_cast<uint32_t>(token_at_.size());
  token_at_.push_back(-1);
  const uint64_t key = (uint64_t{node} << 8) | byte;
  const size_t mask = slots_.size() - 1;
  size_t i = slot_of(key, mask);
  while (slots_[i].next != 0) i = (i + 1) & mask;
  slots_[i] = {key, next};
  return next;
}

void Vocabulary::insert(uint32_t root, std::string_view token, int32_t id) {
  uint32_t node = root;
  for (const char c : token) node = add_child(node, static_cast<uint8_t>(c));
  token_at_[node] = id;
}

int32_t Vocabulary::find(std::string_view token) const {
  uint32_t node = kWordRoot;
  for (const char c : token) {
    node = child(node, static_cast<uint8_t>(c));
    if (node == 0) return -1;
  }
  return token_at_[node];
}

const Vocabulary::Entry* Vocabulary::entry(int64_t id) const {
  if (id < 0 || id >= size()) return nullptr;
  const auto by_id = [](const Entry& e, int64_t x) { return e.first < x; };
  // Without gaps an entry stands at its id.
  auto it = entries_.begin();
  if (entries_.size() == static_cast<size_t>(size())) {
    it += id;
  } else {
    it = std::lower_bound(entries_.begin(), entries_.end(), id, by_id);
  }
  return it != entries_.end() && it->first == id ? &*it : nullptr;
}

bool Vocabulary::has_id(int64_t id) const {
  return entry(id) != nullptr;
}

const std::string& Vocabulary::token(int64_t id) const {
  if (const Entry* e = entry(id)) return e->second;
  throw Error(
      Code::kInvalidArgument,
      fmt::format("token id {} is not in the vocabulary of {}", id, size()));
}

Vocabulary::Match Vocabulary::longest(std::string_view text,
                                      bool continuing) const {
  Match best;
  uint32_t node = continuing ? kContinuingRoot : kWordRoot;
  for (size_t i = 0; i < text.size(); ++i) {
    node = child(node, static_cast<uint8_t>(text[i]));
    if (node == 0) break;
    if (token_at_[node] >= 0) best = {token_at_[node], i + 1};
  }
  return best;
}

}  // namespace kexue::text
