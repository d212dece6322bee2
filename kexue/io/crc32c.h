// CRC-32C (Castagnoli), the checksum of TensorFlow's record and table files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kexue::io {

// The checksum of all bytes so far, given that of those before; 0 to start.
//
// Source: RFC 3720, appendix B.4 (polynomial 0x1EDC6F41, reflected). Runs on
//         the processor's instruction where it has one.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0);
// The same without that instruction.
uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t before = 0);

// Stored checksums are masked: the checksum of bytes that hold a checksum is
// no good one. Source: TensorFlow's record format, leveldb's log format.
inline constexpr uint32_t kCrcMask = 0xa282ead8u;
constexpr uint32_t mask_crc(uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + kCrcMask;
}
constexpr uint32_t unmask_crc(uint32_t masked) {
  const uint32_t turned = masked - kCrcMask;
  return (turned >> 17) | (turned << 15);
}

}  // namespace kexue::io
