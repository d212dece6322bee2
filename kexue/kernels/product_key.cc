#include "kexue/kernels/product.h"

namespace kexue::kernels::detail {

std::array<int64_t, 4> canonical_strides(std::array<int64_t, 4> strides,
                                         std::array<int64_t, 4> sizes) {
  // A lone row or column keeps its own stride; the other one is free.
  if (sizes[2] == 1 && sizes[3] == 1) {
    strides[2] = strides[3] = 1;
  } else if (sizes[2] == 1) {
    strides[2] = strides[3] == 1 ? sizes[3] : 1;
  } else if (sizes[3] == 1) {
    strides[3] = 1;
  }
  const int64_t matrix = sizes[2] * sizes[3];
  if (sizes[1] == 1) strides[1] = matrix;
  if (sizes[0] == 1) {
    strides[0] = sizes[1] == 1 ? matrix : sizes[1] * strides[1];
  }
  return strides;
}

}  // namespace kexue::kernels::detail
