// Element types, and the 16-bit floats with exact rounding.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kexue {

enum class DType : uint8_t {
  kBool,
  kU8,
  kI32,
  kU32,
  kI64,
  kF16,
  kBF16,
  kF32,
  kF64,
  kC64,   // two f32: real, imaginary
  kC128,  // two f64
};

inline constexpr int kNumDTypes = 11;

// "f32", "bf16", "i32", "bool", ... as in f32[8,128].
std::string_view name(DType dtype);
std::optional<DType> dtype_from_name(std::string_view text);

size_t size_bytes(DType dtype);
bool is_float(DType dtype);    // f16 bf16 f32 f64
bool is_integer(DType dtype);  // u8 i32 u32 i64, not bool
bool is_complex(DType dtype);  // c64 c128
bool is_inexact(DType dtype);  // float or complex: what has derivatives

// f32 <-> c64, f64 <-> c128; a float's real dtype and a complex one's complex
// dtype are themselves. Errors: kInvalidArgument for other dtypes (there is no
// complex number of 16-bit parts).
DType real_dtype_of(DType dtype);
DType complex_dtype_of(DType dtype);

// Nearest, ties to even; NaN stays NaN; overflow gives infinity.
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float x);
  explicit operator float() const;
};
struct Float16 {
  uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float x);
  explicit Float16(double x);  // rounds once, not through f32
  explicit operator float() const;
};

// x rounded to the values that `dtype` can hold (one rounding), as a double.
double round_to(DType dtype, double x);

// The C++ type that stores a dtype: storage_of<float> == kF32 and so on.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::kBool;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::kU8;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::kI32;
};
template <>
struct DTypeOf<uint32_t> {
  static constexpr DType value = DType::kU32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::kI64;
};
template <>
struct DTypeOf<Float16> {
  static constexpr DType value = DType::kF16;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::kBF16;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kF32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kF64;
};
template <>
struct DTypeOf<std::complex<float>> {
  static constexpr DType value = DType::kC64;
};
template <>
struct DTypeOf<std::complex<double>> {
  static constexpr DType value = DType::kC128;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

}  // namespace kexue
