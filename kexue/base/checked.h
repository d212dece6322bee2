// Arithmetic on sizes that come from files: overflow is an error, not a wrap.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "kexue/base/error.h"

namespace kexue {

// Errors: kCorruptData naming `what` on overflow.
inline uint64_t checked_add(uint64_t a, uint64_t b, const char* what) {
  uint64_t r = 0;
  if (__builtin_add_overflow(a, b, &r)) {
    throw Error(Code::kCorruptData, std::string(what) + ": size overflows");
  }
  return r;
}

inline uint64_t checked_mul(uint64_t a, uint64_t b, const char* what) {
  uint64_t r = 0;
  if (__builtin_mul_overflow(a, b, &r)) {
    throw Error(Code::kCorruptData, std::string(what) + ": size overflows");
  }
  return r;
}

template <class To, class From>
To narrow(From x, const char* what) {
  static_assert(std::is_integral_v<To> && std::is_integral_v<From>);
  const To r = static_cast<To>(x);
  if (static_cast<From>(r) != x || ((r < To{}) != (x < From{}))) {
    throw Error(Code::kCorruptData,
                std::string(what) + ": " + std::to_string(x) + " does not fit");
  }
  return r;
}

}  // namespace kexue
