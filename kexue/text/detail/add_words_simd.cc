// Compiled once per instruction set.
//
// The text goes by in pieces that stay in the first cache. Of a piece the
// borders of all words are written down first, by comparing 64 bytes at once;
// then words are taken 128 at a time: keys and hashes of all of them, which
// also asks for their cache lines, and only then the counts. So the memory's
// latency is that of many words at once.
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <bit>

#include "kexue/text/detail/add_words.h"

namespace kexue::text::KEXUE_ISA {
namespace {

using namespace detail;

constexpr size_t kPiece = 8192;
constexpr size_t kGroup = 128;  // words: their lines fit the first cache

// Borders of words in a piece. Both lists have room for a block's worth of
// entries that are written and not meant.
struct Borders {
  uint32_t begins[kPiece / 2 + 80];
  uint32_t ends[kPiece / 2 + 80];
  size_t begun = 0;
  size_t ended = 0;
};

// Bit i is set if text[i] is white space.
inline uint64_t spaces_of(const char* text) {
#ifdef __AVX512BW__
  const __m512i x = _mm512_loadu_si512(text);
  return _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(' ')) |
         _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(9)),
                                _mm512_set1_epi8(5));
#elif defined(__AVX2__)
  uint64_t mask = 0;
  for (int i = 0; i < 2; ++i) {
    const __m256i x =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text) + i);
    const __m256i low = _mm256_sub_epi8(x, _mm256_set1_epi8(9));
    const __m256i is = _mm256_or_si256(
        _mm256_cmpeq_epi8(x, _mm256_set1_epi8(' ')),
        _mm256_cmpeq_epi8(_mm256_min_epu8(low, _mm256_set1_epi8(4)), low));
    mask |=
        static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(is)))
        << (32 * i);
  }
  return mask;
#elif defined(__SSE2__)
  uint64_t mask = 0;
  for (int i = 0; i < 4; ++i) {
    const __m128i x =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(text) + i);
    const __m128i low = _mm_sub_epi8(x, _mm_set1_epi8(9));
    const __m128i is =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')),
                     _mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8(4)), low));
    mask |= static_cast<uint64_t>(_mm_movemask_epi8(is)) << (16 * i);
  }
  return mask;
#else
  uint64_t mask = 0;
  for (int i = 0; i < 64; ++i) {
    mask |= static_cast<uint64_t>(
                is_space_byte(static_cast<unsigned char>(text[i])))
            << i;
  }
  return mask;
#endif
}

// Appends base + i for each set bit i; may write up to 15 entries more.
inline void append_bits(uint64_t bits,
                        uint32_t base,
                        uint32_t* list,
                        size_t& size) {
#ifdef __AVX512BW__
  const __m512i iota =
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int i = 0; i < 4; ++i) {
    const auto part = static_cast<__mmask16>(bits >> (16 * i));
    const __m512i at = _mm512_add_epi32(
        iota, _mm512_set1_epi32(static_cast<int>(base) + 16 * i));
    _mm512_storeu_si512(list + size, _mm512_maskz_compress_epi32(part, at));
    size += static_cast<size_t>(std::popcount(static_cast<uint32_t>(part)));
  }
#else
  uint32_t* to = list + size;
  size += static_cast<size_t>(std::popcount(bits));
  while (bits != 0) {
    for (int i = 0; i < 8; ++i) {  // without a guess for each bit
      *to++ = base + static_cast<uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
#endif
}

// Adds the borders in text[from, to) to the lists; `in_word` goes on.
inline void find_borders(
    const char* text, size_t from, size_t to, bool& in_word, Borders& b) {
  for (size_t at = from; at < to; at += 64) {
    uint64_t spaces = spaces_of(text + at);
    if (to - at < 64) spaces |= ~uint64_t{0} << (to - at);
    const uint64_t after_space = spaces << 1 | (in_word ? 0 : 1);
    const auto base = static_cast<uint32_t>(at);
    append_bits(~spaces & after_space, base, b.begins, b.begun);
    append_bits(spaces & ~after_space, base, b.ends, b.ended);
    in_word = spaces >> 63 == 0;
  }
}

inline uint64_t load_word(const char* at) {
  uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}
// The first n bytes, 0 <= n < 8, and the rest 0.
inline uint64_t first_bytes(uint64_t word, uint64_t n) {
  return word & ((uint64_t{1} << (8 * n)) - 1);
}

inline int find_key(const SmallBucket& b, uint64_t key) {
#ifdef __AVX512VL__
  return _mm256_cmpeq_epi64_mask(
      _mm256_load_si256(reinterpret_cast<const __m256i*>(b.keys)),
      _mm256_set1_epi64x(static_cast<int64_t>(key)));
#elif defined(__AVX2__)
  return _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(
      _mm256_load_si256(reinterpret_cast<const __m256i*>(b.keys)),
      _mm256_set1_epi64x(static_cast<int64_t>(key)))));
#else
  int found = 0;
  for (int k = 0; k < kBucketSlots; ++k) {
    found |= static_cast<int>(b.keys[k] == key) << k;
  }
  return found;
#endif
}

// Words that have been looked at and asked for, but not counted yet.
struct Group {
  uint64_t keys[kGroup];
  uint64_t hashes[kGroup];
  size_t size = 0;
  uint64_t lows[kGroup];  // of words with 8 to 15 bytes
  uint64_t highs[kGroup];
  uint64_t mid_hashes[kGroup];
  size_t mids = 0;
};

// Words [from, to) of the lists, at most kGroup. Those from 16 bytes are
// counted at once, the others ask for their cache lines.
inline void look_at(const char* text,
                    const Borders& b,
                    size_t from,
                    size_t to,
                    WordTable& table,
                    const HashKey& key,
                    Group& g) {
  uint32_t others[kGroup];
  size_t other_words = 0;
  size_t size = 0;
  for (size_t i = from; i < to; ++i) {
    const uint32_t begin = b.begins[i];
    const uint64_t length = b.ends[i] - begin;
    const uint64_t word =
        first_bytes(load_word(text + begin), length & 7) | length << 56;
    const uint64_t hash = hash_small(word, key);
    __builtin_prefetch(table.small.slots + table.small.home(hash), 1);
    g.keys[size] = word;
    g.hashes[size] = hash;
    others[other_words] = static_cast<uint32_t>(i);
    const bool is_small = length < 8;  // counted without a guess
    size += is_small;
    other_words += !is_small;
  }
  g.size = size;
  g.mids = 0;
  for (size_t j = 0; j < other_words; ++j) {
    const uint32_t begin = b.begins[others[j]];
    const uint64_t length = b.ends[others[j]] - begin;
    const char* const at = text + begin;
    if (length >= 16) {
      const std::string_view token(at, length);
      ++table.count_large(token, hash_large(token, key));
      continue;
    }
    const uint64_t low = load_word(at);
    const uint64_t high =
        first_bytes(load_word(at + 8), length - 8) | length << 56;
    const uint64_t hash = hash_mid(low, high, key);
    __builtin_prefetch(table.mid.slots + table.mid.home(hash), 1);
    g.lows[g.mids] = low;
    g.highs[g.mids] = high;
    g.mid_hashes[g.mids] = hash;
    ++g.mids;
  }
}

// A key that is not in its home. If that has room, it is nowhere else.
[[gnu::noinline]] void add_small(uint64_t key,
                                 uint64_t hash,
                                 SmallBucket& home,
                                 WordTable& table) {
  if (!home.has_room() || table.small.used >= table.small.limit) {
    ++table.count_small(key, hash);
    return;
  }
  const size_t at = home.size();
  home.keys[at] = key;
  home.counts[at] = 1;
  ++table.small.used;
}

inline void count(const Group& g, WordTable& table) {
  for (size_t j = 0; j < g.size; ++j) {
    SmallBucket& bucket = table.small.slots[table.small.home(g.hashes[j])];
    const int found = find_key(bucket, g.keys[j]);
    if (found != 0) [[likely]] {
      ++bucket.counts[std::countr_zero(static_cast<unsigned>(found))];
    } else {
      add_small(g.keys[j], g.hashes[j], bucket, table);
    }
  }
  for (size_t j = 0; j < g.mids; ++j) {
    MidSlot& slot = table.mid.slots[table.mid.home(g.mid_hashes[j])];
    if (slot.low == g.lows[j] && slot.high == g.highs[j]) [[likely]] {
      ++slot.count;
    } else {
      ++table.count_mid(g.lows[j], g.highs[j], g.mid_hashes[j]);
    }
  }
}

// Calls take(borders, words) for each piece.
template <class Take>
inline void for_each_piece(const char* text, size_t n, Take&& take) {
  Borders b;
  bool in_word = false;
  for (size_t at = 0; at < n; at += kPiece) {
    const size_t to = n - at < kPiece ? n : at + kPiece;
    find_borders(text, at, to, in_word, b);
    if (to == n && b.begun > b.ended) {
      b.ends[b.ended++] = static_cast<uint32_t>(n);
    }
    take(b, b.ended);
    if (b.begun > b.ended) b.begins[0] = b.begins[b.ended];
    b.begun -= b.ended;
    b.ended = 0;
  }
}

}  // namespace

uint64_t add_words(const char* text,
                   size_t n,
                   WordTable& table,
                   const HashKey& key) {
  // While the lines of one group come in, the next one is looked at.
  Group groups[2];
  unsigned turn = 0;
  uint64_t tokens = 0;
  for_each_piece(text, n, [&](const Borders& b, size_t words) {
    for (size_t i = 0; i < words; i += kGroup) {
      const size_t to = words - i < kGroup ? words : i + kGroup;
      look_at(text, b, i, to, table, key, groups[turn & 1]);
      ++turn;
      count(groups[turn & 1], table);
    }
    tokens += words;
  });
  count(groups[(turn + 1) & 1], table);
  return tokens;
}

WordSums hash_words(const char* text, size_t n, const HashKey& key) {
  WordSums sums;
  for_each_piece(text, n, [&](const Borders& b, size_t words) {
    for (size_t i = 0; i < words; ++i) {
      const uint32_t begin = b.begins[i];
      const uint64_t length = b.ends[i] - begin;
      const char* const at = text + begin;
      if (length < 8) {
        sums.hashes +=
            hash_small(first_bytes(load_word(at), length) | length << 56, key);
      } else if (length < 16) {
        sums.hashes +=
            hash_mid(load_word(at),
                     first_bytes(load_word(at + 8), length - 8) | length << 56,
                     key);
      } else {
        sums.hashes += hash_large({at, length}, key);
      }
    }
    sums.tokens += words;
  });
  return sums;
}

}  // namespace kexue::text::KEXUE_ISA
