// In place of matmul.cc and product.cc in a build without oneDNN.
#include "kexue/base/error.h"
#include "kexue/kernels/matmul.h"

namespace kexue::kernels {

bool has_matmul() { return false; }

void matmul(const MatmulSpec &, const void *, const void *, const float *,
            void *) {
  throw Error(Code::kUnsupported, "matmul: this build has no oneDNN",
              "configure with KEXUE_WITH_ONEDNN=ON");
}

} // namespace kexue::kernels
