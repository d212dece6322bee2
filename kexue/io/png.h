// Images as PNG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kexue::io {

// Rows from the top, pixels from the left, channels side by side.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;  // 1: grey, 3: red green blue, 4: with opacity
  std::vector<uint8_t> pixels = {};
};

// This build has libpng (KEXUE_WITH_PNG).
bool has_png();

// The bytes of a PNG file, 8 bits a channel.
// Errors: kInvalidArgument for other channels, more than 16,384 rows or
//         columns, or pixels that do not fill them; kUnsupported without
//         libpng.
std::string encode_png(const Image& image);

}  // namespace kexue::io
