// Protobuf's wire format: fields by number, in untrusted bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/byte_reader.h"

namespace kexue::io {

enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,  // text, a nested message or packed numbers
  kFixed32 = 5,
};

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;                // kVarint, kFixed64, kFixed32
  std::span<const std::byte> bytes;  // kBytes
  uint64_t offset = 0;               // of the value, in the file

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// The fields of one message in the order of the file. Unknown ones are the
// caller's to skip: they have been read over already, without recursion.
//
// Own code, because a library that accepts a varint whose tenth byte is above
// 1, or a field number of 0, reads other values than the writer had; and
// because errors shall name the offset.
// Checks: varints <= 10 bytes, the tenth <= 1; field numbers 1..2^29-1; wire
//         types 0, 1, 2 and 5; lengths inside the message; messages <= 2^31-1
//         bytes and <= 64 deep.
// Errors: kCorruptData with the offset; kUnsupported for the two limits and
//         for groups (types 3 and 4).
class WireReader final {
 public:
  WireReader(std::span<const std::byte> bytes,
             const std::string& where,
             uint64_t base_offset = 0);

  // False at the end of the message.
  bool next(WireField* out);

  // The message inside a field. Errors also kCorruptData if it is no kBytes.
  WireReader message(const WireField& field) const;
  // Text that must be UTF-8, of at most `limit` bytes (kUnsupported).
  std::string text(const WireField& field, uint64_t limit) const;
  std::span<const std::byte> bytes(const WireField& field) const;
  uint64_t varint(const WireField& field) const;
  // Appends a repeated number, packed or not.
  void append_varints(const WireField& field, std::vector<uint64_t>& to) const;

 private:
  void want(const WireField& field, WireType type) const;
  [[noreturn]] void fail(uint64_t offset, const std::string& text) const;

  ByteReader reader_;
  std::string where_;
  uint64_t depth_ = 1;
};

}  // namespace kexue::io
