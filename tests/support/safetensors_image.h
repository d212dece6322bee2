// Safetensors images as strings, right or wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "kexue/io/safetensors.h"

namespace kexue::testing {

// 8 bytes of length, the header as it is, then the data.
inline std::string safetensors_image(const std::string& header,
                                     const std::string& data) {
  const uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

inline io::Safetensors open_image(const std::string& image,
                                  bool allow_trailing_bytes = false) {
  const auto owner = std::make_shared<const std::string>(image);
  return io::Safetensors::from_bytes(
      std::as_bytes(std::span(owner->data(), owner->size())),
      owner,
      "image",
      allow_trailing_bytes);
}

}  // namespace kexue::testing
