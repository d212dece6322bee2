// Private to the folder: bf16 work where oneDNN has none, which is on
// processors without AVX-512. Operands are widened, the sums run in f32 and are
// rounded once, as elsewhere; it costs more than f32 would.
#pragma once

#include <memory>

#include "kexue/kernels/convolution.h"
#include "kexue/kernels/product.h"

namespace kexue::kernels::detail {

// The product of f32 that widened_product() needs inside.
ProductKey widened_key(const ProductKey& key);
std::shared_ptr<const Product> widened_product(
    const ProductKey& key, std::shared_ptr<const Product> product);

void widened_convolution(const ConvolutionSpec& spec,
                         const void* x,
                         const void* w,
                         void* y);
void widened_kernel_grad(const ConvolutionSpec& spec,
                         const void* x,
                         const void* dy,
                         void* dw);

}  // namespace kexue::kernels::detail
