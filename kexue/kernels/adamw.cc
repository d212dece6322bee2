#include "kexue/kernels/adamw.h"

#include <algorithm>
#include <utility>

#include "kexue/kernels/parallel.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {

void adamw(int64_t n,
           const AdamWRule& rule,
           const float* w,
           const float* m,
           const float* v,
           const float* g,
           float* new_w,
           float* new_m,
           float* new_v) {
  if (!rule.go) {
    for (const auto& [from, to] :
         {std::pair(w, new_w), std::pair(m, new_m), std::pair(v, new_v)}) {
      if (from != to) std::copy_n(from, n, to);
    }
    return;
  }
  constexpr int64_t kChunk = 65536;  // elements that a thread takes at a time
  const auto& simd = detail::simd();
  parallel_for((n + kChunk - 1) / kChunk, [&](int64_t chunk) {
    const int64_t at = chunk * kChunk;
    simd.adamw(rule,
               w + at,
               m + at,
               v + at,
               g + at,
               new_w + at,
               new_m + at,
               new_v + at,
               std::min(kChunk, n - at));
  });
}

}  // namespace kexue::kernels
