#include "kexue/io/printable.h"

#include <fmt/format.h>

namespace kexue::io {
namespace {

std::string escape(std::string_view text, size_t max, bool ascii_only) {
  size_t end = text.size();
  if (end > max) {
    end = max;
    // Not in the middle of a UTF-8 sequence.
    while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0u) == 0x80u) --end;
  }
  std::string out;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F || (ascii_only && byte > 0x7E)) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  if (end < text.size()) out += "...";
  return out;
}

}  // namespace

std::string printable(std::string_view text, size_t max) {
  return escape(text, max, false);
}

std::string ascii(std::string_view text, size_t max) {
  return escape(text, max, true);
}

}  // namespace kexue::io
