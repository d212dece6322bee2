// GGUF images as strings, right or wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kexue/io/gguf.h"

namespace kexue::testing {

template <class T>
std::string le(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

inline std::string gguf_text(const std::string& s) {
  return le<uint64_t>(s.size()) + s;
}

inline std::string gguf_key(const std::string& key,
                            uint32_t type,
                            const std::string& value) {
  return gguf_text(key) + le(type) + value;
}

inline std::string gguf_list(const std::string& key,
                             uint32_t type,
                             uint64_t count,
                             const std::string& values) {
  return gguf_key(key, 9, le(type) + le(count) + values);
}

inline std::string gguf_tensor(const std::string& name,
                               const std::vector<uint64_t>& dims,
                               uint32_t type,
                               uint64_t offset) {
  std::string out = gguf_text(name) + le(static_cast<uint32_t>(dims.size()));
  for (const uint64_t d : dims) out += le(d);
  return out + le(type) + le(offset);
}

struct GgufImage {
  uint32_t version = 3;
  std::vector<std::string> keys = {};
  std::vector<std::string> tensors = {};
  uint64_t data_bytes = 0;
  uint64_t alignment = 32;

  std::string str() const {
    std::string out = "GGUF" + le(version) + le<uint64_t>(tensors.size()) +
                      le<uint64_t>(keys.size());
    for (const auto& k : keys) out += k;
    for (const auto& t : tensors) out += t;
    out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
    for (uint64_t i = 0; i < data_bytes; ++i) out += static_cast<char>(i);
    return out;
  }
};

inline std::shared_ptr<const io::Gguf> open_gguf(const std::string& image) {
  const auto owner = std::make_shared<const std::string>(image);
  return io::Gguf::from_file(io::InputFile::from_bytes(
      std::as_bytes(std::span(owner->data(), owner->size())), owner, "image"));
}

}  // namespace kexue::testing
