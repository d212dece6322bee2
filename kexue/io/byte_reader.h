// Reads little-endian values from untrusted bytes; every access is checked.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace kexue::io {

static_assert(std::endian::native == std::endian::little,
              "the readers copy little-endian file bytes as they are");

// A span with a position. `where` names the file in errors; offsets in errors
// are absolute, in sub-readers too.
// Errors: kCorruptData with the offset, the bytes wanted and the bytes left.
class ByteReader final {
 public:
  ByteReader(std::span<const std::byte> bytes,
             std::string where,
             uint64_t base_offset = 0);

  uint64_t offset() const { return base_ + at_; }  // absolute
  uint64_t left() const { return bytes_.size() - at_; }

  template <class T>
  T read(const char* what) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    T value;
    std::memcpy(&value, bytes(sizeof(T), what).data(), sizeof(T));
    return value;
  }
  // Seven bits a byte, the lowest first, as protobuf and tables store numbers.
  uint64_t varint();
  std::span<const std::byte> bytes(uint64_t count, const char* what);
  std::string_view text(uint64_t count, const char* what);
  ByteReader sub(uint64_t count, const char* what);
  void skip(uint64_t count, const char* what);

  // Call before allocating or looping from a declared count: kCorruptData
  // unless count * smallest_entry bytes can still be there.
  void check_count(uint64_t count,
                   uint64_t smallest_entry,
                   const char* what) const;

 private:
  std::span<const std::byte> bytes_;
  std::string where_;
  uint64_t base_;
  uint64_t at_ = 0;
};

}  // namespace kexue::io
