#include "kexue/base/dtype.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "kexue/base/error.h"

namespace kexue {
namespace {

constexpr std::array<std::string_view, kNumDTypes> kNames = {"bool",
                                                             "u8",
                                                             "i32",
                                                             "u32",
                                                             "i64",
                                                             "f16",
                                                             "bf16",
                                                             "f32",
                                                             "f64",
                                                             "c64",
                                                             "c128"};
constexpr std::array<size_t, kNumDTypes> kSizes = {
    1, 1, 4, 4, 8, 2, 2, 4, 8, 8, 16};

// Rounds a double to `mantissa` explicit bits with minimum exponent `emin`
// (of the smallest normal number); nearest, ties to even.
double round_mantissa(double x, int mantissa, int emin) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = std::ilogb(x);
  if (exponent < emin) exponent = emin;
  const double ulp = std::ldexp(1.0, exponent - mantissa);
  return std::nearbyint(x / ulp) * ulp;
}

double round_f16(double x) {
  const double r = round_mantissa(x, 10, -14);
  if (std::isfinite(r) && std::fabs(r) > 65504.0) {
    return std::copysign(INFINITY, r);
  }
  return r;
}

uint16_t f16_bits(double x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) return static_cast<uint16_t>(sign | 0x7e00);
  const double a = std::fabs(round_f16(x));
  if (std::isinf(a)) return static_cast<uint16_t>(sign | 0x7c00);
  if (a < std::ldexp(1.0, -14)) {
    const auto sub = static_cast<uint16_t>(std::ldexp(a, 24));
    return static_cast<uint16_t>(sign | sub);
  }
  const int e = std::ilogb(a);
  const auto m = static_cast<uint16_t>(std::ldexp(a, 10 - e) - 1024.0);
  return static_cast<uint16_t>(sign | ((e + 15) << 10) | m);
}

}  // namespace

std::string_view name(DType dtype) {
  return kNames.at(static_cast<size_t>(dtype));
}

std::optional<DType> dtype_from_name(std::string_view text) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<DType>(i);
  }
  return std::nullopt;
}

size_t size_bytes(DType dtype) {
  return kSizes.at(static_cast<size_t>(dtype));
}

bool is_float(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16 ||
         dtype == DType::kF32 || dtype == DType::kF64;
}

bool is_integer(DType dtype) {
  return dtype == DType::kU8 || dtype == DType::kI32 || dtype == DType::kU32 ||
         dtype == DType::kI64;
}

bool is_complex(DType dtype) {
  return dtype == DType::kC64 || dtype == DType::kC128;
}

bool is_inexact(DType dtype) {
  return is_float(dtype) || is_complex(dtype);
}

DType real_dtype_of(DType dtype) {
  if (dtype == DType::kC64) return DType::kF32;
  if (dtype == DType::kC128) return DType::kF64;
  if (is_float(dtype)) return dtype;
  throw Error(Code::kInvalidArgument,
              std::string(name(dtype)) + " has no real dtype",
              "convert to a float dtype first");
}

DType complex_dtype_of(DType dtype) {
  if (dtype == DType::kF32) return DType::kC64;
  if (dtype == DType::kF64) return DType::kC128;
  if (is_complex(dtype)) return dtype;
  throw Error(Code::kInvalidArgument,
              std::string(name(dtype)) + " has no complex dtype",
              "convert to f32 or f64 first");
}

BFloat16::BFloat16(float x) {
  auto u = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) {
    bits = static_cast<uint16_t>((u >> 16) | 0x40);
    return;
  }
  u += 0x7fff + ((u >> 16) & 1);
  bits = static_cast<uint16_t>(u >> 16);
}

BFloat16::operator float() const {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

Float16::Float16(float x) : bits(f16_bits(static_cast<double>(x))) {}
Float16::Float16(double x) : bits(f16_bits(x)) {}

Float16::operator float() const {
  const int e = (bits >> 10) & 31;
  const int m = bits & 1023;
  float a = 0;
  if (e == 31) {
    a = m != 0 ? NAN : INFINITY;
  } else if (e == 0) {
    a = std::ldexp(static_cast<float>(m), -24);
  } else {
    a = std::ldexp(static_cast<float>(m + 1024), e - 25);
  }
  return (bits & 0x8000) != 0 ? -a : a;
}

double round_to(DType dtype, double x) {
  switch (dtype) {
    case DType::kF64:
    case DType::kC128:
      return x;
    case DType::kF32:
    case DType::kC64:
      return static_cast<double>(static_cast<float>(x));
    case DType::kF16:
      return round_f16(x);
    case DType::kBF16: {
      const double r = round_mantissa(x, 7, -126);
      if (std::isfinite(r) && std::fabs(r) > 3.3895313892515355e38) {
        return std::copysign(INFINITY, r);
      }
      return r;
    }
    default:
      throw Error(Code::kInternal, "round_to: not a float dtype");
  }
}

}  // namespace kexue
