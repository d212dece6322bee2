#include "kexue/kernels/convolution.h"

namespace kexue::kernels {

std::array<int64_t, 2> ConvolutionSpec::high() const {
  std::array<int64_t, 2> h{};
  for (size_t i = 0; i < 2; ++i) {
    h[i] = (out[i] - 1) * strides[i] + (kernel[i] - 1) * dilation[i] + 1 -
           in[i] - low[i];
  }
  return h;
}

bool convolution_fits(const ConvolutionSpec& s) {
  const bool types =
      s.in_type == DType::kF32
          ? s.out_type == DType::kF32
          : s.in_type == DType::kBF16 &&
                (s.out_type == DType::kF32 || s.out_type == DType::kBF16);
  if (!types || s.batch < 1 || s.inputs < 1 || s.outputs < 1) return false;
  const auto high = s.high();
  for (size_t i = 0; i < 2; ++i) {
    if (s.in[i] < 1 || s.out[i] < 1 || s.kernel[i] < 1 || s.strides[i] < 1 ||
        s.dilation[i] < 1) {
      return false;
    }
    const int64_t reach = (s.kernel[i] - 1) * s.dilation[i] + 1;
    if (s.low[i] < 0 || s.low[i] >= reach || high[i] >= reach ||
        high[i] <= -s.strides[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace kexue::kernels
