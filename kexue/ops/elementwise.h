// Elementwise ops and the operators on Value.
//
// Binary ops broadcast as NumPy does (trailing dimensions aligned, 1 stretches)
// and want one dtype; a C++ number takes the dtype of the other side. Complex
// tensors have + - * / pow equal not_equal select convert; see complex.h.
// Errors: kInvalidArgument showing both types.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ir {

Value operator+(const Arg& a, const Value& b);
Value operator-(const Arg& a, const Value& b);
Value operator*(const Arg& a, const Value& b);
Value operator/(const Arg& a, const Value& b);
Value operator-(const Arg& x);
Value operator+(const Arg& a, double b);
Value operator-(const Arg& a, double b);
Value operator*(const Arg& a, double b);
Value operator/(const Arg& a, double b);
Value operator+(double a, const Arg& b);
Value operator-(double a, const Arg& b);
Value operator*(double a, const Arg& b);
Value operator/(double a, const Arg& b);

}  // namespace kexue::ir

namespace kexue::ops {

Value add(const Arg& a, const Value& b);
Value subtract(const Arg& a, const Value& b);
Value multiply(const Arg& a, const Value& b);
Value divide(const Arg& a, const Value& b);
Value remainder(const Arg& a, const Value& b);
// Ties send half of the cotangent to each side.
Value maximum(const Arg& a, const Value& b);
Value minimum(const Arg& a, const Value& b);
// a^b for a >= 0 (or integer b); d/db uses log(a) where a > 0, else 0.
// Complex: e^(b log a), the principal value; 0^b is 1 for b = 0, else 0.
Value pow(const Arg& a, const Value& b);
Value atan2(const Arg& y, const Value& x);
// log(e^a + e^b) without overflow; the derivatives are the softmax weights.
Value logaddexp(const Arg& a, const Value& b);
// x held in [low, high]; NaN passes. The derivative is 1 inside, 0 outside and
// at the ends; an end has what x has not.
// Errors: kInvalidArgument for numbers with low > high.
Value clamp(const Arg& x, const Value& low, const Value& high);
Value clamp(const Arg& x, double low, double high);

// Bits, on integers and (the first four) bool. Shifts by >= the width give 0,
// or the sign in each bit if they are arithmetic; unsigned types count as
// two's complement there.
Value bit_and(const Arg& a, const Value& b);
Value bit_or(const Arg& a, const Value& b);
Value bit_xor(const Arg& a, const Value& b);
Value bit_not(const Arg& x);
Value shift_left(const Arg& a, const Value& b);
Value shift_right_logical(const Arg& a, const Value& b);
Value shift_right_arithmetic(const Arg& a, const Value& b);
Value popcnt(const Arg& x);  // how many bits are 1
Value count_leading_zeros(const Arg& x);
// The bits of x read as another type of 32 or of 64 bits; no derivative.
Value bitcast_convert(const Arg& x, DType dtype);

// bool[...]; NaN compares false except with not_equal.
Value equal(const Arg& a, const Value& b);
Value not_equal(const Arg& a, const Value& b);
Value less(const Arg& a, const Value& b);
Value less_equal(const Arg& a, const Value& b);
Value greater(const Arg& a, const Value& b);
Value greater_equal(const Arg& a, const Value& b);

// where(condition bool, a, b), broadcasting all three.
Value select(const Arg& condition, const Value& a, const Value& b);
// x in the given dtype; float to integer truncates. From complex to another
// kind: kInvalidArgument, real() and imag() say which part.
Value convert(const Arg& x, DType dtype);
// x, or x in f32 if it is a 16-bit float. Under a precision policy everything
// computed from the result stays f32: for statistics, softmax and losses that
// are made of plain ops.
Value widen(const Arg& x);
// The value passes, the derivative is zero, in every order.
Value stop_gradient(const Arg& x);

}  // namespace kexue::ops
