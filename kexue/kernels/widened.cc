#include "kexue/kernels/widened.h"

#include <utility>
#include <vector>

#include "kexue/kernels/floats.h"
#include "kexue/kernels/strided.h"

namespace kexue::kernels::detail {
namespace {

// Slots of thread_floats that the products and attention leave free.
constexpr int kA = 28;
constexpr int kB = 29;
constexpr int kC = 30;

float value_at(const void* data, DType type, int64_t at) {
  return type == DType::kF32
             ? static_cast<const float*>(data)[at]
             : static_cast<float>(static_cast<const BFloat16*>(data)[at]);
}

struct Operand {
  Strides sizes;
  Strides strides;
  DType type;

  float* read(const void* data, int slot) const {
    float* out = thread_floats(slot, count_of(sizes));
    for_each_place(sizes, strides, [&](int64_t at, int64_t i) {
      out[i] = value_at(data, type, at);
    });
    return out;
  }
  void write(const float* from, void* data) const {
    for_each_place(sizes, strides, [&](int64_t at, int64_t i) {
      if (type == DType::kF32) {
        static_cast<float*>(data)[at] = from[i];
      } else {
        static_cast<BFloat16*>(data)[at] = BFloat16(from[i]);
      }
    });
  }
};

class WidenedProduct final : public Product {
 public:
  WidenedProduct(const ProductKey& key, std::shared_ptr<const Product> product)
      : product_(std::move(product)),
        a_{{key.b1, key.b2, key.m, key.k}, key.a, key.in},
        b_{{key.b1, key.b2, key.k, key.n}, key.b, key.in},
        c_{{key.b1, key.b2, key.m, key.n}, key.c, key.out},
        add_(key.add) {}

  void run(const void* a,
           const void* b,
           const float* bias,
           void* c) const noexcept override {
    float* out = add_ ? c_.read(c, kC) : thread_floats(kC, count_of(c_.sizes));
    product_->run(a_.read(a, kA), b_.read(b, kB), bias, out);
    c_.write(out, c);
  }

 private:
  std::shared_ptr<const Product> product_;
  Operand a_, b_, c_;
  bool add_;
};

std::vector<float> widened(const void* data, int64_t count) {
  std::vector<float> out(static_cast<size_t>(count));
  FloatsIn(static_cast<const BFloat16*>(data)).read(0, count, out.data());
  return out;
}

// Elements from the first one to the last one of a kernel.
int64_t extent(const ConvolutionSpec& s) {
  return 1 + (s.kernel[0] - 1) * s.w_strides[0] +
         (s.kernel[1] - 1) * s.w_strides[1] + (s.inputs - 1) * s.w_strides[2] +
         (s.outputs - 1) * s.w_strides[3];
}

int64_t image_count(const ConvolutionSpec& s, bool out) {
  const auto& size = out ? s.out : s.in;
  return s.batch * size[0] * size[1] * (out ? s.outputs : s.inputs);
}

ConvolutionSpec f32(ConvolutionSpec s) {
  s.in_type = s.out_type = DType::kF32;
  return s;
}

}  // namespace

ProductKey widened_key(const ProductKey& key) {
  ProductKey wide = key;
  wide.in = wide.out = DType::kF32;
  const auto canonical = [](const Strides& sizes) {
    return canonical_strides(dense(sizes), sizes);
  };
  wide.a = canonical({key.b1, key.b2, key.m, key.k});
  wide.b = canonical({key.b1, key.b2, key.k, key.n});
  wide.c = canonical({key.b1, key.b2, key.m, key.n});
  return wide;
}

std::shared_ptr<const Product> widened_product(
    const ProductKey& key, std::shared_ptr<const Product> product) {
  return std::make_shared<const WidenedProduct>(key, std::move(product));
}

void widened_convolution(const ConvolutionSpec& spec,
                         const void* x,
                         const void* w,
                         void* y) {
  const auto in = widened(x, image_count(spec, false));
  const auto kernel = widened(w, extent(spec));
  std::vector<float> out(static_cast<size_t>(image_count(spec, true)));
  const FloatsOut result(y, spec.out_type);
  float* const to = result.stage(0, out.data());
  convolution(f32(spec), in.data(), kernel.data(), to);
  result.write(0, image_count(spec, true), to);
}

void widened_kernel_grad(const ConvolutionSpec& spec,
                         const void* x,
                         const void* dy,
                         void* dw) {
  const auto in = widened(x, image_count(spec, false));
  const auto grad = widened(dy, image_count(spec, true));
  const int64_t size =
      spec.kernel[0] * spec.kernel[1] * spec.inputs * spec.outputs;
  std::vector<float> out(static_cast<size_t>(size));
  const FloatsOut result(dw, spec.out_type);
  float* const to = result.stage(0, out.data());
  convolution_kernel_grad(f32(spec), in.data(), grad.data(), to);
  result.write(0, size, to);
}

}  // namespace kexue::kernels::detail
