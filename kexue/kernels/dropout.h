// Dropout from counter-based bits: no stored mask, the same on every machine.
#pragma once

#include <cstdint>

#include "kexue/base/random.h"
#include "kexue/kernels/floats.h"

namespace kexue::kernels {

// y[i] = kept(i) ? x[i] * (65536 / (65536 - threshold)) : 0.
//
// Element i takes a 16-bit value from w = threefry2x32(key, high and low 32
// bits of j), j = i / 4: for i % 4 = 0, 1, 2, 3 the low half of w[0], its high
// half, the low half of w[1], its high half. kept(i): value >= threshold. So
// a rate r is threshold = round(r * 65536). The gradient is the same function
// applied to dy.
//
// Shapes:   x, y [n] f32 or bf16; y may be x's memory.
// Numerics: the factor is rounded to f32 once; y once to its type.
// Errors:   kInvalidArgument unless 0 <= threshold <= 65536.
void dropout(int64_t n, int64_t threshold, Key key, FloatsIn x, FloatsOut y);

}  // namespace kexue::kernels
