// Private to io: the tensor types of GGUF, and the rules about its values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/block_quant.h"
#include "kexue/io/gguf.h"
#include "kexue/io/widen.h"

namespace kexue::io::detail {

inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr uint64_t kGgufAlignment = 32;

struct GgufTensorType {
  uint32_t id;
  std::string_view name;
  uint64_t block;              // weights
  uint64_t bytes;              // of a block
  std::optional<DType> dtype;  // of plain types
  std::optional<BlockQuant> quant;
  std::optional<Narrow> narrow;

  std::optional<DType> result() const {
    if (quant) return DType::kF32;
    if (narrow) return wide_dtype(*narrow);
    return dtype;
  }
};

// Null for a type that this table lacks.
const GgufTensorType* find_gguf_type(uint32_t id);
const GgufTensorType& gguf_type_of(DType dtype);  // kUnsupported

uint64_t gguf_width(GgufType type);  // bytes of a number
std::string_view gguf_name(GgufType type);

// What tokenizer and model keys promise about each other and the tensors.
// Errors: kCorruptData, kUnsupported.
void check_gguf_model(const Gguf& file);

}  // namespace kexue::io::detail
