// Indexes of TensorFlow checkpoints as strings, right or wrong.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kexue/io/crc32c.h"
#include "kexue/io/tf_checkpoint.h"
#include "tests/support/gguf_image.h"
#include "tests/support/wire_image.h"

namespace kexue::testing {

inline uint32_t masked(const std::string& s) {
  return io::mask_crc(io::crc32c(std::as_bytes(std::span(s.data(), s.size()))));
}

// A block with its type and sum. Keys are stored whole, unless `shared` says
// how many bytes to take from the key before.
struct TableRow {
  std::string key;
  std::string value;
  uint64_t shared = 0;
};

inline std::string table_block(const std::vector<TableRow>& rows,
                               char type = 0,
                               uint32_t restarts = 1) {
  std::string out;
  for (const auto& r : rows) {
    out += varint(r.shared) + varint(r.key.size()) + varint(r.value.size()) +
           r.key + r.value;
  }
  for (uint32_t i = 0; i < restarts; ++i) out += le<uint32_t>(0);
  out += le(restarts);
  out += type;
  return out + le(masked(out));
}

inline std::string handle(uint64_t at, uint64_t block_with_trailer) {
  return varint(at) + varint(block_with_trailer - 5);
}

inline std::string table_footer(const std::string& meta,
                                const std::string& index) {
  std::string out = meta + index;
  out.resize(40, '\0');
  return out + le<uint64_t>(0xDB4775248B80FB57u);
}

// A table of these blocks; each index key is the last key of its block.
inline std::string table(const std::vector<std::string>& blocks,
                         const std::vector<std::string>& last_keys) {
  std::string out;
  std::vector<TableRow> index;
  for (size_t i = 0; i < blocks.size(); ++i) {
    index.push_back({last_keys[i], handle(out.size(), blocks[i].size())});
    out += blocks[i];
  }
  const std::string meta = table_block({}, 0, 0);
  const std::string places = table_block(index);
  const std::string footer =
      table_footer(handle(out.size(), meta.size()),
                   handle(out.size() + meta.size(), places.size()));
  return out + meta + places + footer;
}

inline std::string one_block(const std::vector<TableRow>& rows) {
  return table({table_block(rows)}, {rows.empty() ? "" : rows.back().key});
}

// BundleHeaderProto and BundleEntryProto.
inline std::string bundle_header(uint64_t shards, uint64_t endianness = 0) {
  return wire_number(1, shards) + wire_number(2, endianness);
}
inline std::string tf_shape(const std::vector<uint64_t>& dims) {
  std::string out;
  for (const uint64_t d : dims) out += wire_bytes(2, wire_number(1, d));
  return out;
}
inline std::string bundle_entry(uint64_t type,
                                const std::vector<uint64_t>& dims,
                                uint64_t offset,
                                uint64_t size,
                                uint32_t crc,
                                uint64_t shard = 0) {
  return wire_number(1, type) + wire_bytes(2, tf_shape(dims)) +
         wire_number(3, shard) + wire_number(4, offset) + wire_number(5, size) +
         wire_fixed32(6, crc);
}

inline io::InputFile image_file(const std::string& image,
                                const std::string& where) {
  const auto owner = std::make_shared<const std::string>(image);
  return io::InputFile::from_bytes(
      std::as_bytes(std::span(owner->data(), owner->size())), owner, where);
}

inline std::shared_ptr<const io::TfCheckpoint> open_checkpoint(
    const std::string& index, const std::string& data) {
  return io::TfCheckpoint::from_files(image_file(index, "index"),
                                      {image_file(data, "data")});
}

}  // namespace kexue::testing
