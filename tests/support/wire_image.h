// Protobuf messages as strings, right or wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kexue/io/onnx.h"

namespace kexue::testing {

inline std::string varint(uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out += static_cast<char>((v & 0x7F) | 0x80);
  return out + static_cast<char>(v);
}

inline std::string wire_number(uint32_t field, uint64_t v) {
  return varint(uint64_t{field} << 3) + varint(v);
}
inline std::string wire_bytes(uint32_t field, const std::string& s) {
  std::string out = varint((uint64_t{field} << 3) | 2);
  out.append(varint(s.size()));
  return out.append(s);
}
inline std::string wire_fixed32(uint32_t field, uint32_t v) {
  std::string out = varint((uint64_t{field} << 3) | 5) + std::string(4, '\0');
  std::memcpy(out.data() + out.size() - 4, &v, 4);
  return out;
}

// TensorProto with raw data.
inline std::string onnx_tensor(const std::string& name,
                               uint64_t type,
                               const std::vector<uint64_t>& dims,
                               const std::string& raw) {
  std::string out;
  for (const uint64_t d : dims) out += wire_number(1, d);
  return out + wire_number(2, type) + wire_bytes(8, name) + wire_bytes(9, raw);
}

// ModelProto with one graph of these initialisers, then more of the graph.
inline std::string onnx_model(const std::vector<std::string>& tensors,
                              const std::string& rest_of_graph = "") {
  std::string graph;
  for (const auto& t : tensors) graph += wire_bytes(5, t);
  return wire_number(1, 8) + wire_bytes(7, graph + rest_of_graph);
}

inline std::shared_ptr<const io::Onnx> open_onnx(const std::string& image) {
  const auto owner = std::make_shared<const std::string>(image);
  return io::Onnx::from_file(io::InputFile::from_bytes(
      std::as_bytes(std::span(owner->data(), owner->size())), owner, "image"));
}

}  // namespace kexue::testing
