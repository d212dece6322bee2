// Complex tensors: c64 and c128 from pairs of f32 and f64.
//
// Arithmetic, exp, log, sums, products, shape ops, indexing, scan and the
// transforms of fft.h take complex tensors as they take real ones; ops that
// need an order (max, less, ...) refuse them.
//
// Gradients: for a real loss L and z = x + iy the gradient is
// dL/dx + i dL/dy, so that z - rate * gradient lowers L. A holomorphic
// y = f(z) sends the cotangent dy to dy * conj(f'(z)).
//
// Shapes: c c64 or c128, f the float type of its parts.
// Errors: kInvalidArgument for other dtypes, showing them.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// re + i im, broadcast.  f[...], f[...] -> c[...]
Value complex(const Arg& re, const Value& im);
// The parts.  c[...] -> f[...]; a real x is its own real part, and 0.
Value real(const Arg& x);
Value imag(const Arg& x);
// real(x) - i imag(x); a real x is returned as it is, without a node.
Value conj(const Arg& x);
// The angle of z in [-pi, pi], 0 at z = 0 with derivative 0 there.
// c[...] -> f[...]
Value angle(const Arg& z);

}  // namespace kexue::ops
