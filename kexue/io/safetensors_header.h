// Private to io: the JSON header of a safetensors file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/base/dtype.h"
#include "kexue/io/safetensors.h"

namespace kexue::io::detail {

struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  // sorted by begin, then end
  std::map<std::string, std::string> metadata;
};

// Parses and checks everything but the tensor bytes. `data_bytes` is what the
// file holds after the header.
SafetensorsHeader parse_safetensors_header(std::string_view json,
                                           uint64_t data_bytes,
                                           const std::string& where,
                                           bool allow_trailing_bytes);

// nullopt for dtypes that exist in the format but not here.
std::optional<DType> dtype_of_safetensors(std::string_view name);
std::string_view safetensors_name(DType dtype);

// What stands between the file's first 8 bytes and its tensors, which follow in
// this order. Errors: as save_safetensors.
std::string safetensors_header_text(
    const std::vector<std::pair<std::string, HostArray>>& tensors,
    const std::map<std::string, std::string>& metadata);

// True for the first bytes of PyTorch's zip archives and bare pickles.
bool looks_like_pickle(std::string_view first_bytes);
[[noreturn]] void refuse_pickle(const std::string& where);

}  // namespace kexue::io::detail
