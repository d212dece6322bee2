// Discrete Fourier transforms over the last 1 to 3 axes, scaled as NumPy does.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

using Lengths = std::vector<int64_t>;

// y[k] = sum_j x[j] e^(-2 pi i j k / n), along each of the last lengths.size()
// axes. No lengths: the last axis as it is. An axis of another length is cut
// at the end or filled up with zeros first.
//
// Shapes:   x c[...,m] or f[...,m] -> y c[...,n].
// Numerics: in x's precision; gradients of any order are transforms again.
// Errors:   kInvalidArgument: more than 3 lengths or more than x has axes, a
//           length below 1, a dtype but f32, f64, c64, c128.
Value fft(const Arg& x, const Lengths& lengths = {});
// The inverse: x[j] = 1/n sum_k y[k] e^(2 pi i j k / n).
Value ifft(const Arg& x, const Lengths& lengths = {});

// fft of a real x without the half that is the conjugate of the other half:
// along the last axis only k = 0 .. n/2.  f[...,n] -> c[...,n/2+1]
Value rfft(const Arg& x, const Lengths& lengths = {});
// The inverse of rfft.  c[...,n/2+1] -> f[...,n]; the last length is n, by
// default 2 (m - 1) for the m elements there are. The imaginary parts of
// k = 0 and (n even) k = n/2, of no meaning here, are not read.
Value irfft(const Arg& x, const Lengths& lengths = {});

// Frequency 0 from the front to the middle (n/2) of each axis of `axes`, all
// if empty; and back.
Value fftshift(const Arg& x, const std::vector<int64_t>& axes = {});
Value ifftshift(const Arg& x, const std::vector<int64_t>& axes = {});

}  // namespace kexue::ops
