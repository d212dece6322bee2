// Products. Everything that multiplies matrices is one op, `matmul`.
#pragma once

#include <string>

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// Contraction by letters, "btd,de->bte": a letter in both inputs but not in
// the result is summed; one in all three is a batch dimension.
//
// Shapes:   as the letters say; each letter has one size.
// Numerics: products accumulate in f32 (f64 for f64) and round once.
// Errors:   kInvalidArgument: sizes that differ, a letter that occurs in one
//           input only (sum it first), a repeated letter, mixed dtypes.
Value einsum(const std::string& spec, const Arg& a, const Value& b);

// einsum plus a bias over the last dimensions of the result. The last letters
// of the result, as many as bias has dimensions, are the bias's shape.
Value einsum(const std::string& spec,
             const Arg& a,
             const Value& b,
             const Value& bias);

// a[...,m,k] b[k,n] (b may have the same leading dims as a).
Value matmul(const Arg& a, const Value& b);

}  // namespace kexue::ops
