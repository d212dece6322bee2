#include "kexue/io/png.h"

#include <fmt/format.h>
#include <png.h>

#include "kexue/base/error.h"
#include "kexue/io/limits.h"

namespace kexue::io {
namespace {

void check(const Image& image) {
  const auto fits = [](int64_t n) { return n >= 1 && n <= limits::kPngSide; };
  const bool channels =
      image.channels == 1 || image.channels == 3 || image.channels == 4;
  if (!channels || !fits(image.width) || !fits(image.height) ||
      image.pixels.size() !=
          static_cast<size_t>(image.width * image.height * image.channels)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("png: {} bytes of pixels for {} x {} x {}",
                            image.pixels.size(),
                            image.height,
                            image.width,
                            image.channels),
                fmt::format("1, 3 or 4 channels; at most {} rows and columns",
                            limits::kPngSide));
  }
}

}  // namespace

bool has_png() {
  return true;
}

std::string encode_png(const Image& image) {
  check(image);
  png_image head{};
  head.version = PNG_IMAGE_VERSION;
  head.width = static_cast<png_uint_32>(image.width);
  head.height = static_cast<png_uint_32>(image.height);
  head.format = image.channels == 1   ? PNG_FORMAT_GRAY
                : image.channels == 3 ? PNG_FORMAT_RGB
                                      : PNG_FORMAT_RGBA;
  // The first call asks for an upper bound of the size.
  png_alloc_size_t bytes = 0;
  const auto write = [&](void* to) {
    return png_image_write_to_memory(
               &head, to, &bytes, 0, image.pixels.data(), 0, nullptr) != 0;
  };
  std::string out;
  bool good = write(nullptr);
  if (good) {
    out.resize(bytes);
    good = write(out.data());
  }
  if (!good) {
    const std::string text = head.message;
    png_image_free(&head);
    throw Error(Code::kInternal, "png: " + text);
  }
  out.resize(bytes);
  return out;
}

}  // namespace kexue::io
