// Private to the folder: tensors of four axes with any strides.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kexue::kernels::detail {

using Strides = std::array<int64_t, 4>;

inline int64_t count_of(const Strides& sizes) {
  return sizes[0] * sizes[1] * sizes[2] * sizes[3];
}

inline Strides dense(const Strides& sizes) {
  return {sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1};
}

// Calls f(offset, index): the element's place in a strided tensor and in a
// dense one.
template <class F>
void for_each_place(const Strides& sizes, const Strides& strides, F f) {
  int64_t index = 0;
  for (int64_t p = 0; p < sizes[0]; ++p) {
    for (int64_t q = 0; q < sizes[1]; ++q) {
      for (int64_t i = 0; i < sizes[2]; ++i) {
        const int64_t row = p * strides[0] + q * strides[1] + i * strides[2];
        for (int64_t j = 0; j < sizes[3]; ++j, ++index) {
          f(row + j * strides[3], index);
        }
      }
    }
  }
}

}  // namespace kexue::kernels::detail
