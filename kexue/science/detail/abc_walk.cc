#include "kexue/science/detail/abc_walk.h"

#include <cmath>
#include <limits>

namespace kexue::science::detail {
namespace {

// Below this t and the square above it stay in 127 bits.
constexpr unsigned kFastBits = 124;
constexpr uint64_t kProgressMask = (uint64_t{1} << 22) - 1;

// The least r >= 0 with r^2 >= t, and r of p's parity.
template <class T>
int64_t least_q(T t, bool p_is_odd) {
  if (t <= 0) return p_is_odd ? 1 : 0;
  // A float gives the root but for a few units, which the loops correct.
  int64_t r;
  if constexpr (sizeof(T) == 8) {
    r = static_cast<int64_t>(std::sqrt(static_cast<double>(t)));
  } else {
    r = t < (T{1} << 100)
            ? static_cast<int64_t>(std::sqrt(static_cast<double>(t)))
            : static_cast<int64_t>(std::sqrt(static_cast<long double>(t)));
  }
  while (static_cast<T>(r) * r < t) ++r;
  while (r > 0 && static_cast<T>(r - 1) * (r - 1) >= t) --r;
  return ((r & 1) != 0) == p_is_odd ? r : r + 1;
}

// One candidate after the other, in words of type T.
template <class T>
struct Fast {
  T t;       // p^2 - 4N
  T step;    // 2p + 1
  bool odd;  // p
  T k = 0;

  int64_t q() const { return least_q(t, odd); }
  // c of this p and its least q.
  T c(int64_t q) const { return (static_cast<T>(q) * q - t) / 4; }
  void next() {
    t += step;
    step += 2;
    odd = !odd;
    ++k;
  }
};

// The same beyond 128 bits.
struct Slow {
  Big t, step;
  bool odd;
  uint64_t k = 0;

  Big q() const {
    Big r = t <= 0 ? Big(0) : ceil_sqrt(t);
    if ((mpz_odd_p(r.get_mpz_t()) != 0) != odd) r += 1;
    return r;
  }
  Big c(const Big& q) const { return (q * q - t) / 4; }
  void next() {
    t += step;
    step += 2;
    odd = !odd;
    ++k;
  }
};

bool is_odd(const Big& v) {
  return mpz_odd_p(v.get_mpz_t()) != 0;
}

bool is_fast(const WalkStart& start) {
  return fits(start.p0, kFastBits - 4);
}

Fast<Int128> fast_from(const WalkStart& start) {
  return {.t = int128_of(start.t0),
          .step = int128_of(Big(2 * start.p0 + 1)),
          .odd = is_odd(start.p0)};
}

Slow slow_from(const WalkStart& start, uint64_t k) {
  const Big shift = big_of(k);
  return {.t = start.t0 + shift * (2 * start.p0 + shift),
          .step = 2 * (start.p0 + shift) + 1,
          .odd = is_odd(start.p0) != ((k & 1) != 0),
          .k = k};
}

void report(const AbcProgress& progress, uint64_t k) {
  if ((k & kProgressMask) == 0 && k != 0 && progress) {
    progress(static_cast<double>(k));
  }
}

}  // namespace

WalkStart::WalkStart(const Big& n)
    : p0(sqrt(Big(4 * n))), t0(p0 * p0 - 4 * n) {}

Walk walk(const WalkStart& start,
          const Big* steps,
          const AbcProgress& progress) {
  Walk out{.start = start, .best_k = 0, .best_q = 0, .best_s = 0};
  uint64_t k = 0;
  const uint64_t last = steps != nullptr && fits(*steps, 63)
                            ? steps->get_ui()
                            : std::numeric_limits<uint64_t>::max();
  if (is_fast(start)) {
    auto at = fast_from(start);
    constexpr Int128 kTop = Int128{1} << kFastBits;
    int64_t best_q = at.q();
    Int128 best = at.c(best_q);
    at.next();
    // c is at least 0, so p (k) alone is a bound of S from below.
    for (; static_cast<uint64_t>(at.k) <= last &&
           (steps != nullptr || at.k < best) && at.t < kTop;
         at.next()) {
      const int64_t q = at.q();
      const Int128 s = at.k + at.c(q);
      if (s < best) {
        best = s;
        best_q = q;
        out.best_k = static_cast<uint64_t>(at.k);
      }
      report(progress, static_cast<uint64_t>(at.k));
    }
    out.best_q = big_of(static_cast<Int128>(best_q));
    out.best_s = big_of(best);
    k = static_cast<uint64_t>(at.k);
  } else {
    const Slow first = slow_from(start, 0);
    out.best_q = first.q();
    out.best_s = first.c(out.best_q);
    k = 1;
  }
  Slow at = slow_from(start, k);
  for (; at.k <= last && (steps != nullptr || big_of(at.k) < out.best_s);
       at.next()) {
    const Big q = at.q();
    const Big s = big_of(at.k) + at.c(q);
    if (s < out.best_s) {
      out.best_s = s;
      out.best_q = q;
      out.best_k = at.k;
    }
    report(progress, at.k);
  }
  out.candidates = at.k - 1;
  return out;
}

std::vector<std::pair<uint64_t, Big>> all_best(const WalkStart& start,
                                               const Walk& best,
                                               const AbcProgress& progress) {
  std::vector<std::pair<uint64_t, Big>> out;
  uint64_t k = 0;
  if (is_fast(start)) {
    auto at = fast_from(start);
    constexpr Int128 kTop = Int128{1} << kFastBits;
    const Int128 s = int128_of(best.best_s);
    for (; at.k <= s && at.t < kTop; at.next()) {
      const int64_t q = at.q();
      if (at.k + at.c(q) == s) {
        out.emplace_back(static_cast<uint64_t>(at.k),
                         big_of(static_cast<Int128>(q)));
      }
      report(progress, static_cast<uint64_t>(at.k));
    }
    k = static_cast<uint64_t>(at.k);
  }
  for (Slow at = slow_from(start, k); big_of(at.k) <= best.best_s; at.next()) {
    const Big q = at.q();
    if (big_of(at.k) + at.c(q) == best.best_s) out.emplace_back(at.k, q);
    report(progress, at.k);
  }
  return out;
}

AbcRow walk_small(uint64_t n) {
  AbcRow row{.n = n, .s = n, .c = n};
  const auto four_n = static_cast<int64_t>(4 * n);
  auto p0 = static_cast<int64_t>(std::sqrt(static_cast<double>(four_n)));
  while (p0 * p0 > four_n) --p0;
  while ((p0 + 1) * (p0 + 1) <= four_n) ++p0;
  const int64_t ceiling = p0 * p0 == four_n ? p0 : p0 + 1;
  if (n >= 4) {
    Fast<int64_t> at{
        .t = p0 * p0 - four_n, .step = 2 * p0 + 1, .odd = (p0 & 1) != 0};
    int64_t best_q = at.q();
    int64_t best_k = 0;
    int64_t best = at.c(best_q);
    for (at.next(); at.k < best; at.next()) {
      const int64_t q = at.q();
      const int64_t s = at.k + at.c(q);
      if (s >= best) continue;
      best = s;
      best_k = at.k;
      best_q = q;
    }
    const int64_t p = p0 + best_k;
    row.a = static_cast<uint64_t>((p - best_q) / 2);
    row.b = static_cast<uint64_t>((p + best_q) / 2);
    row.s = static_cast<uint64_t>(p0 + best);
    row.c = n - row.a * row.b;
    row.candidates = static_cast<uint64_t>(at.k - 1);
  }
  row.excess = static_cast<int64_t>(row.s) - ceiling;
  return row;
}

}  // namespace kexue::science::detail
