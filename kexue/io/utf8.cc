#include "kexue/io/utf8.h"

#include <cstddef>
#include <cstdint>

namespace kexue::io {
namespace {

// Bytes of the sequence that `first` begins, and the least value it may hold.
struct Lead {
  size_t length;
  uint32_t bits;
  uint32_t least;
};

Lead lead_of(uint8_t first) {
  if (first < 0x80) return {1, first, 0};
  if (first >= 0xC2 && first <= 0xDF) return {2, first & 0x1Fu, 0x80};
  if (first >= 0xE0 && first <= 0xEF) return {3, first & 0x0Fu, 0x800};
  if (first >= 0xF0 && first <= 0xF4) return {4, first & 0x07u, 0x10000};
  return {0, 0, 0};
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Lead lead = lead_of(static_cast<uint8_t>(text[0]));
    if (lead.length == 0 || lead.length > text.size()) return false;
    uint32_t value = lead.bits;
    for (const char c : text.substr(1, lead.length - 1)) {
      const auto byte = static_cast<uint8_t>(c);
      if ((byte & 0xC0u) != 0x80u) return false;
      value = (value << 6) | (byte & 0x3Fu);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < lead.least || value > 0x10FFFF || surrogate) return false;
    text.remove_prefix(lead.length);
  }
  return true;
}

}  // namespace kexue::io
