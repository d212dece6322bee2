#include "kexue/text/detail/word_table.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <random>
#include <string>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/text/detail/zeroed_memory.h"

namespace kexue::text::detail {
namespace {

static_assert(std::endian::native == std::endian::little,
              "keys are the bytes of tokens, read as little-endian words");

constexpr size_t kFirstBlock = 4096;
constexpr size_t kLargestBlock = size_t{1} << 20;
constexpr size_t kSmallTable = size_t{1} << 20;  // grows fourfold

HashKey make_key() {
  std::random_device random;
  const auto word = [&] {
    return (static_cast<uint64_t>(random()) << 32) | random();
  };
  const uint64_t odd = 0x8000000000000001u;  // multipliers: high and low bits
  return {word(), word() | odd, word() | odd, ~uint64_t{0}};
}

HashKey& mutable_key() {
  static HashKey key = make_key();
  return key;
}

// What a table without slots looks at: free, and never written.
template <class Slot>
Slot* no_slots() {
  static Slot slots[kShards] = {};
  return slots;
}

template <class Slot>
size_t bytes_of(uint64_t shard_slots) {
  return kShards * shard_slots * sizeof(Slot);
}

template <class Slot>
void free_slots(Slots<Slot>& s) {
  const size_t bytes = bytes_of<Slot>(s.round + 1);
  if (s.slots != no_slots<Slot>()) give_back(s.slots, bytes);
  s = {.slots = no_slots<Slot>()};
}

// Places for tokens in a slot.
template <class Slot>
constexpr uint64_t kPlaces = 1;
template <>
constexpr uint64_t kPlaces<SmallBucket> = kBucketSlots;

template <class Slot>
constexpr uint64_t kFirstSlots = kBucketSlots / kPlaces<Slot>;

// Two thirds full.
template <class Slot>
uint64_t limit_of(uint64_t slots) {
  return slots * kPlaces<Slot> / 3 * 2;
}

template <class Slot>
Slots<Slot> new_slots(uint64_t shard_slots) {
  void* const memory = zeroed(bytes_of<Slot>(shard_slots));
  Slots<Slot> s;
  s.slots = static_cast<Slot*>(memory);
  s.shift = 64 - kShardBits - std::countr_zero(shard_slots);
  s.round = shard_slots - 1;
  s.limit = limit_of<Slot>(kShards * shard_slots);
  return s;
}

// Each finds the place of a token, or the free one for it; null if its shard
// is full.
uint64_t* place(Slots<SmallBucket>& s,
                uint64_t key,
                uint64_t hash,
                bool* is_new) {
  uint64_t at = s.home(hash);
  for (uint64_t tried = 0; tried <= s.round; ++tried, at = s.next(at)) {
    SmallBucket& b = s.slots[at];
    for (int k = 0; k < kBucketSlots; ++k) {
      if (b.keys[k] == key) return &b.counts[k];
      if (b.keys[k] != 0) continue;
      *is_new = true;
      return &b.counts[k];
    }
  }
  return nullptr;
}

MidSlot* place(Slots<MidSlot>& s, uint64_t low, uint64_t high, uint64_t hash) {
  uint64_t at = s.home(hash);
  for (uint64_t tried = 0; tried <= s.round; ++tried, at = s.next(at)) {
    MidSlot& m = s.slots[at];
    if (m.high == 0 || (m.low == low && m.high == high)) return &m;
  }
  return nullptr;
}

LargeSlot* place(const Slots<LargeSlot>& s,
                 std::string_view token,
                 uint64_t hash) {
  uint64_t at = s.home(hash);
  for (uint64_t tried = 0; tried <= s.round; ++tried, at = s.next(at)) {
    LargeSlot& l = s.slots[at];
    if (l.bytes == nullptr) return &l;
    if (l.hash == hash && l.length == token.size() &&
        std::memcmp(l.bytes, token.data(), token.size()) == 0) {
      return &l;
    }
  }
  return nullptr;
}

// The key beside a count.
void set_key(uint64_t* count, uint64_t key) {
  *(count - kBucketSlots) = key;
}
static_assert(offsetof(SmallBucket, counts) == kBucketSlots * sizeof(uint64_t));

// Each copies a slot to where there is room for it. The keys are different, so
// nothing is compared.
void move_to(Slots<SmallBucket>& to, const SmallBucket& b, const HashKey& key) {
  const size_t used = b.size();
  for (size_t k = 0; k < used; ++k) {
    uint64_t at = to.home(hash_small(b.keys[k], key));
    while (!to.slots[at].has_room()) at = to.next(at);
    SmallBucket& bucket = to.slots[at];
    const size_t free = bucket.size();
    bucket.keys[free] = b.keys[k];
    bucket.counts[free] = b.counts[k];
  }
}
void move_to(Slots<MidSlot>& to, const MidSlot& m, const HashKey& key) {
  if (m.high == 0) return;
  *place(to, m.low, m.high, hash_mid(m.low, m.high, key)) = m;
}
void move_to(Slots<LargeSlot>& to, const LargeSlot& l, const HashKey&) {
  if (l.bytes != nullptr) *place(to, {l.bytes, l.length}, l.hash) = l;
}

}  // namespace

const HashKey& hash_key() {
  return mutable_key();
}
void keep_hash_bits_for_tests(uint64_t keep) {
  mutable_key().keep = keep;
}

uint64_t hash_large(std::string_view token, const HashKey& k) {
  return XXH3_64bits_withSeed(token.data(), token.size(), k.a) & k.keep;
}

WordTable::WordTable() {
  small.slots = no_slots<SmallBucket>();
  mid.slots = no_slots<MidSlot>();
  large.slots = no_slots<LargeSlot>();
}

WordTable::~WordTable() {
  free_slots(small);
  free_slots(mid);
  free_slots(large);
}

WordTable::WordTable(WordTable&& other) noexcept : WordTable() {
  *this = std::move(other);
}

WordTable& WordTable::operator=(WordTable&& other) noexcept {
  std::swap(small, other.small);
  std::swap(mid, other.mid);
  std::swap(large, other.large);
  std::swap(blocks_, other.blocks_);
  std::swap(at_, other.at_);
  std::swap(left_, other.left_);
  std::swap(arena_bytes_, other.arena_bytes_);
  std::swap(slot_bytes_, other.slot_bytes_);
  return *this;
}

void WordTable::clear() {
  WordTable empty;
  *this = std::move(empty);
}

const char* WordTable::keep(std::string_view token) {
  if (token.size() > left_) {
    const size_t size = std::max(
        std::clamp(arena_bytes_, kFirstBlock, kLargestBlock), token.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    at_ = blocks_.back().get();
    left_ = size;
    arena_bytes_ += size;
  }
  char* const to = at_;
  std::memcpy(to, token.data(), token.size());
  at_ += token.size();
  left_ -= token.size();
  return to;
}

void WordTable::take_arena(WordTable& other) {
  for (auto& block : other.blocks_) blocks_.push_back(std::move(block));
  arena_bytes_ += other.arena_bytes_;
  other.blocks_.clear();
  other.arena_bytes_ = other.left_ = 0;
  other.at_ = nullptr;
}

template <class Slot>
void WordTable::grow(Slots<Slot>& s, uint64_t shard_slots) {
  Slots<Slot> bigger = new_slots<Slot>(shard_slots);
  bigger.used = s.used;
  const uint64_t old = s.limit == 0 ? 0 : kShards * (s.round + 1);
  const HashKey& key = hash_key();
  for (uint64_t i = 0; i < old; ++i) move_to(bigger, s.slots[i], key);
  slot_bytes_ += bytes_of<Slot>(shard_slots) - old * sizeof(Slot);
  free_slots(s);
  s = bigger;
}

template <class Slot>
void WordTable::grow(Slots<Slot>& s) {
  const uint64_t slots = s.round + 1;
  const uint64_t times = bytes_of<Slot>(slots) < kSmallTable ? 4 : 2;
  grow(s, s.limit == 0 ? kFirstSlots<Slot> : times * slots);
}

uint64_t& WordTable::count_small(uint64_t key, uint64_t hash) {
  for (;;) {
    bool is_new = false;
    uint64_t* const count = place(small, key, hash, &is_new);
    if (count != nullptr && !is_new) return *count;
    if (count != nullptr && small.used < small.limit) {
      set_key(count, key);
      ++small.used;
      return *count;
    }
    grow(small);
  }
}

uint64_t& WordTable::count_mid(uint64_t low, uint64_t high, uint64_t hash) {
  for (;;) {
    MidSlot* const slot = place(mid, low, high, hash);
    if (slot != nullptr && slot->high != 0) return slot->count;
    if (slot != nullptr && mid.used < mid.limit) {
      slot->low = low;
      slot->high = high;
      ++mid.used;
      return slot->count;
    }
    grow(mid);
  }
}

uint64_t& WordTable::count_large(std::string_view token, uint64_t hash) {
  if (token.size() >= kMaxTokenBytes) {
    throw Error(Code::kUnsupported,
                "a token of " + std::to_string(token.size()) +
                    " bytes; the limit is 1 GiB");
  }
  for (;;) {
    LargeSlot* const slot = place(large, token, hash);
    if (slot != nullptr && slot->bytes != nullptr) return slot->count;
    if (slot != nullptr && large.used < large.limit) {
      *slot = {.hash = hash,
               .bytes = keep(token),
               .count = 0,
               .length = token.size()};
      ++large.used;
      return slot->count;
    }
    grow(large);
  }
}

uint64_t& WordTable::count_of(std::string_view token) {
  const HashKey& key = hash_key();
  const size_t n = token.size();
  if (n == 0) throw Error(Code::kInvalidArgument, "an empty token");
  if (n < 8) {
    const uint64_t word = small_key(token.data(), n);
    return count_small(word, hash_small(word, key));
  }
  if (n < 16) {
    uint64_t low = 0;
    uint64_t high = 0;
    mid_key(token.data(), n, &low, &high);
    return count_mid(low, high, hash_mid(low, high, key));
  }
  return count_large(token, hash_large(token, key));
}

uint64_t WordTable::find(std::string_view token) const {
  const HashKey& key = hash_key();
  const size_t n = token.size();
  if (n == 0) return 0;
  if (n < 8) {
    const uint64_t word = small_key(token.data(), n);
    auto slots = small;
    bool is_new = false;
    const uint64_t* count = place(slots, word, hash_small(word, key), &is_new);
    return count == nullptr || is_new ? 0 : *count;
  }
  if (n < 16) {
    uint64_t low = 0;
    uint64_t high = 0;
    mid_key(token.data(), n, &low, &high);
    auto slots = mid;
    const MidSlot* slot = place(slots, low, high, hash_mid(low, high, key));
    return slot == nullptr || slot->high == 0 ? 0 : slot->count;
  }
  const LargeSlot* slot = place(large, token, hash_large(token, key));
  return slot == nullptr || slot->bytes == nullptr ? 0 : slot->count;
}

ShardSizes WordTable::sizes_of(size_t shard) const {
  ShardSizes sizes;
  for (auto* b = small.begin_of(shard); b != small.end_of(shard); ++b) {
    for (int k = 0; k < kBucketSlots; ++k) sizes.small += b->keys[k] != 0;
  }
  for (auto* m = mid.begin_of(shard); m != mid.end_of(shard); ++m) {
    sizes.mid += m->high != 0;
  }
  for (auto* l = large.begin_of(shard); l != large.end_of(shard); ++l) {
    sizes.large += l->bytes != nullptr;
  }
  return sizes;
}

void WordTable::reserve(const ShardSizes& most) {
  const auto fit = [this](auto& s, uint64_t tokens) {
    using Slot = std::decay_t<decltype(*s.slots)>;
    uint64_t slots = s.limit == 0 ? kFirstSlots<Slot> : s.round + 1;
    while (limit_of<Slot>(slots) < tokens) slots *= 2;
    if (s.limit == 0 || slots > s.round + 1) grow(s, slots);
  };
  fit(small, most.small);
  fit(mid, most.mid);
  fit(large, most.large);
}

ShardSizes WordTable::join(size_t shard, const WordTable& other) {
  const HashKey& key = hash_key();
  ShardSizes added;
  const auto& from = other.small;
  for (auto* b = from.begin_of(shard); b != from.end_of(shard); ++b) {
    for (int k = 0; k < kBucketSlots && b->keys[k] != 0; ++k) {
      bool is_new = false;
      uint64_t* const count =
          place(small, b->keys[k], hash_small(b->keys[k], key), &is_new);
      if (is_new) set_key(count, b->keys[k]);
      *count += b->counts[k];
      added.small += is_new;
    }
  }
  const auto& mids = other.mid;
  for (auto* m = mids.begin_of(shard); m != mids.end_of(shard); ++m) {
    if (m->high == 0) continue;
    MidSlot& to = *place(mid, m->low, m->high, hash_mid(m->low, m->high, key));
    added.mid += to.high == 0;
    to = {m->low, m->high, to.count + m->count, 0};
  }
  const auto& larges = other.large;
  for (auto* l = larges.begin_of(shard); l != larges.end_of(shard); ++l) {
    if (l->bytes == nullptr) continue;
    LargeSlot& to = *place(large, {l->bytes, l->length}, l->hash);
    added.large += to.bytes == nullptr;
    to = {l->hash, l->bytes, to.count + l->count, l->length};
  }
  return added;
}

void WordTable::add_used(const ShardSizes& sizes) {
  small.used += sizes.small;
  mid.used += sizes.mid;
  large.used += sizes.large;
}

}  // namespace kexue::text::detail
