// Elementwise ops and the operators on Value.
//
// Binary ops broadcast as NumPy does (trailing dimensions aligned, 1 stretches)
// and want one dtype; a C++ number takes the dtype of the other side.
// Errors: kInvalidArgument showing both types.
#pragma once

#include "kexue/ir/value.h"

namespace kexue::ir {

Value operator+(const Value& a, const Value& b);
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);
Value operator-(const Value& x);
Value operator+(const Value& a, double b);
Value operator-(const Value& a, double b);
Value operator*(const Value& a, double b);
Value operator/(const Value& a, double b);
Value operator+(double a, const Value& b);
Value operator-(double a, const Value& b);
Value operator*(double a, const Value& b);
Value operator/(double a, const Value& b);

}  // namespace kexue::ir

namespace kexue::ops {

Value add(const Value& a, const Value& b);
Value subtract(const Value& a, const Value& b);
Value multiply(const Value& a, const Value& b);
Value divide(const Value& a, const Value& b);
Value remainder(const Value& a, const Value& b);
// Ties send half of the cotangent to each side.
Value maximum(const Value& a, const Value& b);
Value minimum(const Value& a, const Value& b);
// a^b for a >= 0 (or integer b); d/db uses log(a) where a > 0, else 0.
Value pow(const Value& a, const Value& b);
Value atan2(const Value& y, const Value& x);

// Bits, on integers and bool. Shifts by >= the width give 0.
Value bit_and(const Value& a, const Value& b);
Value bit_or(const Value& a, const Value& b);
Value bit_xor(const Value& a, const Value& b);
Value bit_not(const Value& x);
Value shift_left(const Value& a, const Value& b);
Value shift_right_logical(const Value& a, const Value& b);

// bool[...]; NaN compares false except with not_equal.
Value equal(const Value& a, const Value& b);
Value not_equal(const Value& a, const Value& b);
Value less(const Value& a, const Value& b);
Value less_equal(const Value& a, const Value& b);
Value greater(const Value& a, const Value& b);
Value greater_equal(const Value& a, const Value& b);

// where(condition bool, a, b), broadcasting all three.
Value select(const Value& condition, const Value& a, const Value& b);
// x in the given dtype; float to integer truncates.
Value convert(const Value& x, DType dtype);
// x, or x in f32 if it is a 16-bit float. Under a precision policy everything
// computed from the result stays f32: for statistics, softmax and losses that
// are made of plain ops.
Value widen(const Value& x);
// The value passes, the derivative is zero, in every order.
Value stop_gradient(const Value& x);

}  // namespace kexue::ops
