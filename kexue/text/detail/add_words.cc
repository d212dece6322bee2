#include "kexue/text/detail/add_words.h"

namespace kexue::text {

// One per instruction set, from add_words_simd.cc.
#define KEXUE_DECLARE_LOOPS(isa)                                            \
  namespace isa {                                                           \
  uint64_t add_words(const char*,                                           \
                     size_t,                                                \
                     detail::WordTable&,                                    \
                     const detail::HashKey&);                               \
  detail::WordSums hash_words(const char*, size_t, const detail::HashKey&); \
  }
KEXUE_DECLARE_LOOPS(baseline)
#ifdef __x86_64__
KEXUE_DECLARE_LOOPS(avx2)
KEXUE_DECLARE_LOOPS(avx512)
#endif
#undef KEXUE_DECLARE_LOOPS

namespace detail {

std::vector<WordLoops> all_word_loops() {
  std::vector<WordLoops> all = {
      {"baseline", baseline::add_words, baseline::hash_words}};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
    all.push_back({"avx2", avx2::add_words, avx2::hash_words});
    if (__builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")) {
      all.push_back({"avx512", avx512::add_words, avx512::hash_words});
    }
  }
#endif
  return all;
}

const WordLoops& word_loops() {
  static const WordLoops best = all_word_loops().back();
  return best;
}

}  // namespace detail
}  // namespace kexue::text
