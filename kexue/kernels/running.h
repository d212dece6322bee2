// Running log-sum-exp along lines of an array.
#pragma once

#include <cstdint>

namespace kexue::kernels {

// Lines of `size` elements, a distance of `inner` apart: [outer,size,inner].
struct RunningSpec {
  int64_t outer;
  int64_t size;
  int64_t inner;
  bool reverse;  // from the far end
};

// y[i] = log(exp(x[0]) + ... + exp(x[i])), T f32 or f64.
//
// Numerics: the running maximum is taken out and the rest summed in f64: no
//           overflow, no growing error. Infinities as the formula says; NaN
//           stays from where it enters.
template <class T>
void cumlogsumexp(const RunningSpec& spec, const T* x, T* y);

// dx[j] = sum over i >= j of dy[i] exp(x[j] - y[i]), y as above.
//
// Numerics: with s[j] = dy[j] + exp(y[j] - y[j+1]) s[j+1] it is
//           exp(x[j] - y[j]) s[j], and no power is positive. An x of -inf has
//           the share 0 and +inf in +inf 1; the first of all always has 1.
// Source:   derived.
template <class T>
void cumlogsumexp_grad(
    const RunningSpec& spec, const T* dy, const T* x, const T* y, T* dx);

}  // namespace kexue::kernels
