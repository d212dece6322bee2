#include "kexue/io/byte_reader.h"

#include <fmt/format.h>

#include <utility>

#include "kexue/base/error.h"

namespace kexue::io {

ByteReader::ByteReader(std::span<const std::byte> bytes,
                       std::string where,
                       uint64_t base_offset)
    : bytes_(bytes), where_(std::move(where)), base_(base_offset) {}

uint64_t ByteReader::varint() {
  const uint64_t start = offset();
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    const auto byte = read<uint8_t>("a varint");
    if (shift == 63 && byte > 1) break;
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  throw Error(
      Code::kCorruptData,
      fmt::format(
          "{}: offset {}: a varint of more than 64 bits", where_, start));
}

std::span<const std::byte> ByteReader::bytes(uint64_t count, const char* what) {
  if (count > left()) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: offset {}: {} needs {} bytes, {} left",
                            where_,
                            offset(),
                            what,
                            count,
                            left()));
  }
  const auto part = bytes_.subspan(at_, count);
  at_ += count;
  return part;
}

std::string_view ByteReader::text(uint64_t count, const char* what) {
  const auto part = bytes(count, what);
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

ByteReader ByteReader::sub(uint64_t count, const char* what) {
  const uint64_t start = offset();
  return ByteReader(bytes(count, what), where_, start);
}

void ByteReader::skip(uint64_t count, const char* what) {
  bytes(count, what);
}

void ByteReader::check_count(uint64_t count,
                             uint64_t smallest_entry,
                             const char* what) const {
  if (smallest_entry != 0 && count > left() / smallest_entry) {
    throw Error(
        Code::kCorruptData,
        fmt::format("{}: offset {}: {} {} of at least {} bytes each, {} left",
                    where_,
                    offset(),
                    count,
                    what,
                    smallest_entry,
                    left()));
  }
}

}  // namespace kexue::io
