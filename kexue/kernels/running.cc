#include "kexue/kernels/running.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

// Lines that advance together: neighbours in memory.
constexpr int64_t kWidth = 32;

// Calls body(first, count) for groups of neighbouring lines; `first` is the
// element where the first line starts.
template <class Body>
void for_each_group(const RunningSpec& s, Body body) {
  if (s.outer * s.size * s.inner == 0) return;
  const int64_t groups = (s.inner + kWidth - 1) / kWidth;
  parallel_for(s.outer * groups, [&](int64_t i) {
    const int64_t column = i % groups * kWidth;
    const int64_t first = i / groups * s.size * s.inner + column;
    body(first, std::min(kWidth, s.inner - column));
  });
}

// exp(a - b) for a <= b; see the header for infinities.
template <class T>
T share(T a, T b) {
  constexpr T kInf = std::numeric_limits<T>::infinity();
  if (a == -kInf) return 0;
  return a == b ? T{1} : std::exp(a - b);
}

}  // namespace

template <class T>
void cumlogsumexp(const RunningSpec& s, const T* x, T* y) {
  constexpr T kInf = std::numeric_limits<T>::infinity();
  const int64_t step = s.reverse ? -s.inner : s.inner;
  for_each_group(s, [&](int64_t first, int64_t count) {
    T top[kWidth];
    double total[kWidth];  // of exp(x - top)
    std::fill_n(top, count, -kInf);
    std::fill_n(total, count, 0.0);
    int64_t at = first + (s.reverse ? (s.size - 1) * s.inner : 0);
    for (int64_t i = 0; i < s.size; ++i, at += step) {
      for (int64_t c = 0; c < count; ++c) {
        const T v = x[at + c];
        if (!(v <= top[c])) {  // NaN too: it stays in top
          total[c] = total[c] * share(top[c], v) + 1;
          top[c] = v;
        } else if (v != -kInf) {
          total[c] += share(v, top[c]);
        }
        y[at + c] = total[c] <= 1 ? top[c]
                                  : top[c] + std::log(static_cast<T>(total[c]));
      }
    }
  });
}

template <class T>
void cumlogsumexp_grad(
    const RunningSpec& s, const T* dy, const T* x, const T* y, T* dx) {
  // Against the direction of the sums.
  const int64_t step = s.reverse ? s.inner : -s.inner;
  for_each_group(s, [&](int64_t first, int64_t count) {
    double carried[kWidth];
    std::fill_n(carried, count, 0.0);
    int64_t at = first + (s.reverse ? 0 : (s.size - 1) * s.inner);
    for (int64_t i = 0; i < s.size; ++i, at += step) {
      for (int64_t c = 0; c < count; ++c) {
        const int64_t j = at + c;
        const double fade = i == 0 ? 0 : share(y[j], y[j - step]);
        carried[c] = dy[j] + fade * carried[c];
        const double own = i + 1 == s.size ? 1 : share(x[j], y[j]);
        dx[j] = static_cast<T>(own * carried[c]);
      }
    }
  });
}

template void cumlogsumexp(const RunningSpec&, const float*, float*);
template void cumlogsumexp(const RunningSpec&, const double*, double*);
template void cumlogsumexp_grad(
    const RunningSpec&, const float*, const float*, const float*, float*);
template void cumlogsumexp_grad(
    const RunningSpec&, const double*, const double*, const double*, double*);

}  // namespace kexue::kernels
