// Private to io: the data types of ONNX.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kexue/base/dtype.h"
#include "kexue/io/widen.h"

namespace kexue::io::detail {

struct OnnxType {
  int32_t id;
  std::string_view name;
  uint64_t bits;   // 0: no fixed number
  uint32_t typed;  // the TensorProto field for its numbers; 0: none
  std::optional<DType> dtype;
  std::optional<Narrow> narrow;

  std::optional<DType> result() const {
    return narrow ? std::optional(wide_dtype(*narrow)) : dtype;
  }
};

// TensorProto's fields for numbers.
inline constexpr uint32_t kFloatData = 4, kInt32Data = 5, kInt64Data = 7,
                          kDoubleData = 10, kUint64Data = 11;

// onnx/onnx.proto, TensorProto.DataType. Those without result are listed only.
inline constexpr std::array<OnnxType, 26> kOnnxTypes = {{
    {1, "FLOAT", 32, kFloatData, DType::kF32, std::nullopt},
    {2, "UINT8", 8, kInt32Data, DType::kU8, std::nullopt},
    {3, "INT8", 8, kInt32Data, std::nullopt, Narrow::kI8},
    {4, "UINT16", 16, kInt32Data, std::nullopt, Narrow::kU16},
    {5, "INT16", 16, kInt32Data, std::nullopt, Narrow::kI16},
    {6, "INT32", 32, kInt32Data, DType::kI32, std::nullopt},
    {7, "INT64", 64, kInt64Data, DType::kI64, std::nullopt},
    {8, "STRING", 0, 0, std::nullopt, std::nullopt},
    {9, "BOOL", 8, kInt32Data, DType::kBool, std::nullopt},
    {10, "FLOAT16", 16, kInt32Data, DType::kF16, std::nullopt},
    {11, "DOUBLE", 64, kDoubleData, DType::kF64, std::nullopt},
    {12, "UINT32", 32, kUint64Data, DType::kU32, std::nullopt},
    {13, "UINT64", 64, kUint64Data, std::nullopt, Narrow::kU64},
    {14, "COMPLEX64", 64, kFloatData, DType::kC64, std::nullopt},
    {15, "COMPLEX128", 128, kDoubleData, DType::kC128, std::nullopt},
    {16, "BFLOAT16", 16, kInt32Data, DType::kBF16, std::nullopt},
    {17, "FLOAT8E4M3FN", 8, kInt32Data, std::nullopt, std::nullopt},
    {18, "FLOAT8E4M3FNUZ", 8, kInt32Data, std::nullopt, std::nullopt},
    {19, "FLOAT8E5M2", 8, kInt32Data, std::nullopt, std::nullopt},
    {20, "FLOAT8E5M2FNUZ", 8, kInt32Data, std::nullopt, std::nullopt},
    {21, "UINT4", 4, 0, std::nullopt, std::nullopt},
    {22, "INT4", 4, 0, std::nullopt, std::nullopt},
    {23, "FLOAT4E2M1", 4, 0, std::nullopt, std::nullopt},
    {24, "FLOAT8E8M0", 8, kInt32Data, std::nullopt, std::nullopt},
    {25, "UINT2", 2, 0, std::nullopt, std::nullopt},
    {26, "INT2", 2, 0, std::nullopt, std::nullopt},
}};

inline const OnnxType* find_onnx_type(uint64_t id) {
  for (const auto& t : kOnnxTypes) {
    if (static_cast<uint64_t>(t.id) == id) return &t;
  }
  return nullptr;
}

}  // namespace kexue::io::detail
