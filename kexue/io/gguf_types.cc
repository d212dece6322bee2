#include "kexue/io/gguf_types.h"

#include <fmt/format.h>

namespace kexue::io::detail {
namespace {

constexpr auto kNone = std::nullopt;

// Block sizes: ggml/src/ggml-common.h. Types without a result can be listed.
constexpr std::array<GgufTensorType, 31> kTypes = {{
    {0, "F32", 1, 4, DType::kF32, kNone, kNone},
    {1, "F16", 1, 2, DType::kF16, kNone, kNone},
    {2, "Q4_0", 32, 18, kNone, BlockQuant::kQ4_0, kNone},
    {3, "Q4_1", 32, 20, kNone, BlockQuant::kQ4_1, kNone},
    {6, "Q5_0", 32, 22, kNone, kNone, kNone},
    {7, "Q5_1", 32, 24, kNone, kNone, kNone},
    {8, "Q8_0", 32, 34, kNone, BlockQuant::kQ8_0, kNone},
    {10, "Q2_K", 256, 84, kNone, kNone, kNone},
    {11, "Q3_K", 256, 110, kNone, kNone, kNone},
    {12, "Q4_K", 256, 144, kNone, kNone, kNone},
    {13, "Q5_K", 256, 176, kNone, kNone, kNone},
    {14, "Q6_K", 256, 210, kNone, kNone, kNone},
    {15, "Q8_K", 256, 292, kNone, kNone, kNone},
    {16, "IQ2_XXS", 256, 66, kNone, kNone, kNone},
    {17, "IQ2_XS", 256, 74, kNone, kNone, kNone},
    {18, "IQ3_XXS", 256, 98, kNone, kNone, kNone},
    {19, "IQ1_S", 256, 50, kNone, kNone, kNone},
    {20, "IQ4_NL", 32, 18, kNone, kNone, kNone},
    {21, "IQ3_S", 256, 110, kNone, kNone, kNone},
    {22, "IQ2_S", 256, 82, kNone, kNone, kNone},
    {23, "IQ4_XS", 256, 136, kNone, kNone, kNone},
    {24, "I8", 1, 1, kNone, kNone, Narrow::kI8},
    {25, "I16", 1, 2, kNone, kNone, Narrow::kI16},
    {26, "I32", 1, 4, DType::kI32, kNone, kNone},
    {27, "I64", 1, 8, DType::kI64, kNone, kNone},
    {28, "F64", 1, 8, DType::kF64, kNone, kNone},
    {29, "IQ1_M", 256, 56, kNone, kNone, kNone},
    {30, "BF16", 1, 2, DType::kBF16, kNone, kNone},
    {34, "TQ1_0", 256, 54, kNone, kNone, kNone},
    {35, "TQ2_0", 256, 66, kNone, kNone, kNone},
    {39, "MXFP4", 32, 17, kNone, kNone, kNone},
}};

struct NumberType {
  std::string_view name;
  uint64_t width;
};

constexpr std::array<NumberType, 13> kNumbers = {{
    {"u8", 1},
    {"i8", 1},
    {"u16", 2},
    {"i16", 2},
    {"u32", 4},
    {"i32", 4},
    {"f32", 4},
    {"bool", 1},
    {"string", 0},
    {"array", 0},
    {"u64", 8},
    {"i64", 8},
    {"f64", 8},
}};

}  // namespace

const GgufTensorType* find_gguf_type(uint32_t id) {
  for (const auto& t : kTypes) {
    if (t.id == id) return &t;
  }
  return nullptr;
}

const GgufTensorType& gguf_type_of(DType dtype) {
  for (const auto& t : kTypes) {
    if (t.dtype == dtype) return t;
  }
  throw Error(Code::kUnsupported,
              fmt::format("GGUF has no tensors of {}", name(dtype)),
              "--dtype f32, f16 or bf16 converts floats");
}

uint64_t gguf_width(GgufType type) {
  return kNumbers.at(static_cast<size_t>(type)).width;
}

std::string_view gguf_name(GgufType type) {
  return kNumbers.at(static_cast<size_t>(type)).name;
}

}  // namespace kexue::io::detail
