// Private to text: splits at white space, hashes and counts in one go, in the
// best form that the processor can run.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kexue/text/detail/word_table.h"

namespace kexue::text::detail {

// Bytes after a text that the loops may read.
inline constexpr size_t kPadding = 64;

// ' ', \t, \n, \v, \f and \r, as Python's bytes.split() has it.
inline constexpr bool is_space_byte(unsigned char c) {
  return c == ' ' || (c >= 9 && c <= 13);
}

struct WordSums {
  uint64_t tokens = 0;
  uint64_t hashes = 0;  // sum of all
};

struct WordLoops {
  const char* name;
  // Counts the words of text[0, n), which ends like white space; kPadding
  // bytes more can be read; n < 2^32. Returns the number of words.
  uint64_t (*add_words)(const char* text,
                        size_t n,
                        WordTable& table,
                        const HashKey& key);
  // The same without the counting, for the bench.
  WordSums (*hash_words)(const char* text, size_t n, const HashKey& key);
};

const WordLoops& word_loops();
// Every form that this processor can run, for tests.
std::vector<WordLoops> all_word_loops();

}  // namespace kexue::text::detail
