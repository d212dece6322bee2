#include "kexue/io/transpose.h"

#include <algorithm>
#include <cstring>

#include "kexue/base/error.h"

namespace kexue::io {

HostArray transposed(const HostArray& a) {
  if (a.shape().rank() != 2) {
    throw Error(Code::kInvalidArgument,
                "transpose: a matrix wanted, got " + a.type().str());
  }
  const auto rows = static_cast<size_t>(a.shape()[0]);
  const auto columns = static_cast<size_t>(a.shape()[1]);
  HostArray out(a.dtype(), Shape{a.shape()[1], a.shape()[0]});
  const size_t width = size_bytes(a.dtype());
  const std::byte* from = a.data();
  std::byte* to = out.mutable_data();
  // In squares that stay in the first cache.
  constexpr size_t kSide = 32;
  for (size_t i0 = 0; i0 < rows; i0 += kSide) {
    for (size_t j0 = 0; j0 < columns; j0 += kSide) {
      const size_t i1 = std::min(rows, i0 + kSide);
      const size_t j1 = std::min(columns, j0 + kSide);
      for (size_t j = j0; j < j1; ++j) {
        for (size_t i = i0; i < i1; ++i) {
          std::memcpy(to + (j * rows + i) * width,
                      from + (i * columns + j) * width,
                      width);
        }
      }
    }
  }
  return out;
}

}  // namespace kexue::io
