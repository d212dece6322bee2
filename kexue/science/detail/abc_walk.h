// Private to science: the walk over p = a+b behind abc.h.
#pragma once

#include <utility>
#include <vector>

#include "kexue/science/abc.h"
#include "kexue/science/detail/big.h"

namespace kexue::science::detail {

// Everything relative to p0 = isqrt(4N): p = p0 + k, S = p0 + (k + c).
struct WalkStart {
  explicit WalkStart(const Big& n);

  Big p0;
  Big t0;  // p0^2 - 4N <= 0
};

struct Walk {
  WalkStart start;
  uint64_t best_k = 0;
  Big best_q;
  Big best_s;  // less p0
  uint64_t candidates = 0;
};

// The best p in p0..p0 + *steps, or until no further p can win (nullptr).
// Words of 128 bits where t = p^2 - 4N fits, GMP beyond.
Walk walk(const WalkStart& start,
          const Big* steps,
          const AbcProgress& progress);

// (k, q) of every optimum, given the best.
std::vector<std::pair<uint64_t, Big>> all_best(const WalkStart& start,
                                               const Walk& best,
                                               const AbcProgress& progress);

// The pruned walk in 64 bits; n <= kAbcTableLimit.
AbcRow walk_small(uint64_t n);

}  // namespace kexue::science::detail
