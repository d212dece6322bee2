// Private to science: exact integers.
#pragma once

#include <gmpxx.h>

#include <cstdint>
#include <string>

namespace kexue::science::detail {

using Big = mpz_class;
// Compilers we build with have both; the standard does not.
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

inline Big big_of(uint64_t v) {
  Big out;
  mpz_import(out.get_mpz_t(), 1, 1, sizeof v, 0, 0, &v);
  return out;
}

// Negative values too.
inline Big big_of(Int128 v) {
  const bool negative = v < 0;
  const auto u = negative ? -static_cast<Uint128>(v) : static_cast<Uint128>(v);
  Big out = big_of(static_cast<uint64_t>(u >> 64));
  out = (out << 64) + big_of(static_cast<uint64_t>(u));
  return negative ? Big(-out) : out;
}

// |v| must be below 2^bits.
inline bool fits(const Big& v, unsigned bits) {
  return mpz_sizeinbase(v.get_mpz_t(), 2) <= bits;
}

// The value; |v| < 2^127.
inline Int128 int128_of(const Big& v) {
  const Big absolute = abs(v);
  uint64_t words[2] = {0, 0};
  mpz_export(words, nullptr, -1, sizeof words[0], 0, 0, absolute.get_mpz_t());
  const auto u = (static_cast<Uint128>(words[1]) << 64) | words[0];
  return v < 0 ? -static_cast<Int128>(u) : static_cast<Int128>(u);
}

// The least r >= 0 with r^2 >= v.
inline Big ceil_sqrt(const Big& v) {
  if (v <= 0) return 0;
  Big root = sqrt(Big(v - 1));
  return root + 1;
}

}  // namespace kexue::science::detail
