// In place of convolution.cc in a build without oneDNN.
#include "kexue/base/error.h"
#include "kexue/kernels/convolution.h"

namespace kexue::kernels {
namespace {

[[noreturn]] void refuse() {
  throw Error(Code::kUnsupported,
              "convolution: this build has no oneDNN",
              "configure with KEXUE_WITH_ONEDNN=ON");
}

}  // namespace

bool has_convolution() {
  return false;
}

void convolution(const ConvolutionSpec&, const void*, const void*, void*) {
  refuse();
}

void convolution_kernel_grad(const ConvolutionSpec&,
                             const void*,
                             const void*,
                             void*) {
  refuse();
}

}  // namespace kexue::kernels
