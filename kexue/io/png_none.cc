// A build without libpng.
#include "kexue/base/error.h"
#include "kexue/io/png.h"

namespace kexue::io {

bool has_png() {
  return false;
}

std::string encode_png(const Image& /*image*/) {
  throw Error(Code::kUnsupported,
              "png: this build has no libpng",
              "install libpng-dev and configure again");
}

}  // namespace kexue::io
