// In place of product.cc in a build without oneDNN.
#include "kexue/base/error.h"
#include "kexue/kernels/product.h"

namespace kexue::kernels::detail {

bool Product::exists() {
  return false;
}

std::shared_ptr<const Product> Product::get(const ProductKey&) {
  throw Error(Code::kUnsupported,
              "matmul: this build has no oneDNN",
              "configure with KEXUE_WITH_ONEDNN=ON");
}

}  // namespace kexue::kernels::detail
