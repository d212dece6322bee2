// Private to io: numbers without a DType of their own, made wider.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kexue/io/input_file.h"

namespace kexue::io::detail {

enum class Narrow { kI8, kI16, kU16, kU64 };

// i8, i16 and u16 to i32; u64 to i64.
// Errors: kCorruptData if the bytes are not `type`'s count of numbers;
//         kUnsupported for a u64 above 2^63-1.
HostArray widened(Narrow kind,
                  const Shape& shape,
                  const FileBytes& data,
                  const std::string& where,
                  std::string_view name);

inline DType wide_dtype(Narrow kind) {
  return kind == Narrow::kU64 ? DType::kI64 : DType::kI32;
}

}  // namespace kexue::io::detail
