// Private to text: the hash table behind FrequencyTable, laid out so that a
// token costs one cache line and, mostly, no wrong guess of the processor.
//
// A table has 64 shards, chosen by the top bits of a token's hash, each a part
// of the slots of its own: tables of several threads are joined, and written
// to disk, shard by shard. Tokens are kept by their length:
//   small  1..7 bytes: the bytes and the length are one 64-bit key; a bucket
//          of 4 keys and 4 counts is a cache line
//   mid    8..15 bytes: two 64-bit words, the length in the second
//   large  from 16: hash, length and the bytes in an arena
// Bytes of a key beyond its length are 0; no key is 0, as the length is in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace kexue::text::detail {

inline constexpr int kShardBits = 6;
inline constexpr size_t kShards = size_t{1} << kShardBits;
inline constexpr uint64_t kMaxTokenBytes = uint64_t{1} << 30;

// Secrets of this process, so that nobody can choose tokens that collide.
// `keep` is all ones, but for tests.
struct HashKey {
  uint64_t a;
  uint64_t b;
  uint64_t c;
  uint64_t keep;
};
const HashKey& hash_key();
// Tests: hashes have only these bits from now on. Tables made before are of
// no use afterwards.
void keep_hash_bits_for_tests(uint64_t keep);

inline uint64_t mix(uint64_t x, uint64_t y) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(x) * y;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
inline uint64_t hash_small(uint64_t key, const HashKey& k) {
  return mix(key ^ k.a, k.b) & k.keep;
}
inline uint64_t hash_mid(uint64_t low, uint64_t high, const HashKey& k) {
  return mix(mix(low ^ k.a, k.b) ^ high, k.c) & k.keep;
}
uint64_t hash_large(std::string_view token, const HashKey& k);

inline constexpr int kBucketSlots = 4;
struct alignas(64) SmallBucket {
  uint64_t keys[kBucketSlots];  // filled from the first; 0: free
  uint64_t counts[kBucketSlots];

  bool has_room() const { return keys[kBucketSlots - 1] == 0; }
  size_t size() const {
    size_t used = 0;
    for (const uint64_t key : keys) used += key != 0;
    return used;
  }
};
struct alignas(32) MidSlot {
  uint64_t low;
  uint64_t high;  // 0: free
  uint64_t count;
  uint64_t unused;
};
struct alignas(32) LargeSlot {
  uint64_t hash;
  const char* bytes;  // null: free
  uint64_t count;
  uint64_t length;
};

// Open addressing. The top bits of a hash are the index; a search goes round
// in the slots of its shard.
template <class Slot>
struct Slots {
  Slot* slots = nullptr;
  int shift = 64 - kShardBits;  // index = hash >> shift
  uint64_t round = 0;           // slots of a shard - 1
  uint64_t used = 0;            // tokens
  uint64_t limit = 0;           // grow when `used` has reached it

  uint64_t home(uint64_t hash) const { return hash >> shift; }
  uint64_t next(uint64_t at) const {
    return (at & ~round) | ((at + 1) & round);
  }
  Slot* begin_of(size_t shard) const { return slots + shard * (round + 1); }
  Slot* end_of(size_t shard) const { return begin_of(shard + 1); }
};

// Tokens of one shard, by kind.
struct ShardSizes {
  uint64_t small = 0;
  uint64_t mid = 0;
  uint64_t large = 0;
};

class WordTable final {
 public:
  WordTable();
  ~WordTable();
  WordTable(WordTable&& other) noexcept;
  WordTable& operator=(WordTable&& other) noexcept;
  WordTable(const WordTable&) = delete;
  WordTable& operator=(const WordTable&) = delete;

  // Where the count of a token stands; inserts it with 0. The reference lives
  // until the next insertion. kInvalidArgument for an empty token,
  // kUnsupported from 1 GiB.
  uint64_t& count_of(std::string_view token);
  uint64_t& count_small(uint64_t key, uint64_t hash);
  uint64_t& count_mid(uint64_t low, uint64_t high, uint64_t hash);
  uint64_t& count_large(std::string_view token, uint64_t hash);
  // 0 if absent.
  uint64_t find(std::string_view token) const;

  uint64_t distinct() const { return small.used + mid.used + large.used; }
  size_t bytes() const { return slot_bytes_ + arena_bytes_; }
  void clear();

  ShardSizes sizes_of(size_t shard) const;
  // Room for this many tokens in every shard.
  void reserve(const ShardSizes& most);
  // Adds a shard of `other`. Shards may be joined by several threads at once
  // after a reserve() that covers all of them; then take_arena(), as large
  // tokens stay where they are, and add_used() with the sum of what it
  // returns, the number of new tokens.
  ShardSizes join(size_t shard, const WordTable& other);
  void add_used(const ShardSizes& sizes);
  void take_arena(WordTable& other);

  // Calls fn(token, count) for a shard; views live during the call, those of
  // large tokens as long as the table.
  template <class Function>
  void for_each(size_t shard, Function&& fn) const;

  // Read and counted up by the loops of add_words_simd.cc.
  Slots<SmallBucket> small;
  Slots<MidSlot> mid;
  Slots<LargeSlot> large;

 private:
  const char* keep(std::string_view token);
  template <class Slot>
  void grow(Slots<Slot>& s, uint64_t shard_slots);
  template <class Slot>
  void grow(Slots<Slot>& s);

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
  size_t arena_bytes_ = 0;
  size_t slot_bytes_ = 0;
};

// The key of 1..7 bytes.
inline uint64_t small_key(const char* bytes, size_t length) {
  uint64_t key = 0;
  std::memcpy(&key, bytes, length);
  return key | static_cast<uint64_t>(length) << 56;
}
// The key of 8..15.
inline void mid_key(const char* bytes,
                    size_t length,
                    uint64_t* low,
                    uint64_t* high) {
  std::memcpy(low, bytes, 8);
  *high = small_key(bytes + 8, length - 8) & ~(uint64_t{0xff} << 56);
  *high |= static_cast<uint64_t>(length) << 56;
}
// The bytes of such keys; `to` holds 16.
inline size_t small_bytes(uint64_t key, char* to) {
  std::memcpy(to, &key, sizeof(key));
  return key >> 56;
}
inline size_t mid_bytes(uint64_t low, uint64_t high, char* to) {
  std::memcpy(to, &low, sizeof(low));
  std::memcpy(to + 8, &high, sizeof(high));
  return high >> 56;
}

template <class Function>
void WordTable::for_each(size_t shard, Function&& fn) const {
  char bytes[16];
  for (auto* b = small.begin_of(shard); b != small.end_of(shard); ++b) {
    for (int k = 0; k < kBucketSlots && b->keys[k] != 0; ++k) {
      fn(std::string_view(bytes, small_bytes(b->keys[k], bytes)), b->counts[k]);
    }
  }
  for (auto* m = mid.begin_of(shard); m != mid.end_of(shard); ++m) {
    if (m->high == 0) continue;
    fn(std::string_view(bytes, mid_bytes(m->low, m->high, bytes)), m->count);
  }
  for (auto* l = large.begin_of(shard); l != large.end_of(shard); ++l) {
    if (l->bytes != nullptr) {
      fn(std::string_view(l->bytes, l->length), l->count);
    }
  }
}

}  // namespace kexue::text::detail
