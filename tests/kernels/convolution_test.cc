#include "kexue/kernels/convolution.h"

#include <gtest/gtest.h>

#include "tests/kernels/kernel_test_util.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

// y and dw by the definition, in double.
struct Reference {
  std::vector<double> y, dw;
};

size_t image_at(int64_t n,
                int64_t p,
                int64_t q,
                int64_t c,
                const std::array<int64_t, 2>& size,
                int64_t channels) {
  return static_cast<size_t>(((n * size[0] + p) * size[1] + q) * channels + c);
}

Reference reference(const ConvolutionSpec& s,
                    const std::vector<float>& x,
                    const std::vector<float>& w,
                    const std::vector<float>& dy) {
  Reference r{std::vector<double>(dy.size()), std::vector<double>(w.size())};
  const auto each_term =
      [&](int64_t n, int64_t a, int64_t b, int64_t k, int64_t l) {
        const int64_t p = a * s.strides[0] + k * s.dilation[0] - s.low[0];
        const int64_t q = b * s.strides[1] + l * s.dilation[1] - s.low[1];
        if (p < 0 || q < 0 || p >= s.in[0] || q >= s.in[1]) return;
        for (int64_t i = 0; i < s.inputs; ++i) {
          const double v =
              static_cast<double>(x[image_at(n, p, q, i, s.in, s.inputs)]);
          for (int64_t o = 0; o < s.outputs; ++o) {
            const size_t to = image_at(n, a, b, o, s.out, s.outputs);
            const auto at =
                static_cast<size_t>(k * s.w_strides[0] + l * s.w_strides[1] +
                                    i * s.w_strides[2] + o * s.w_strides[3]);
            const auto dense = static_cast<size_t>(
                ((k * s.kernel[1] + l) * s.inputs + i) * s.outputs + o);
            r.y[to] += v * static_cast<double>(w[at]);
            r.dw[dense] += v * static_cast<double>(dy[to]);
          }
        }
      };
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t a = 0; a < s.out[0]; ++a) {
      for (int64_t b = 0; b < s.out[1]; ++b) {
        for (int64_t k = 0; k < s.kernel[0]; ++k) {
          for (int64_t l = 0; l < s.kernel[1]; ++l) each_term(n, a, b, k, l);
        }
      }
    }
  }
  return r;
}

// x, the kernel and dy of a spec, in f32 and rounded to bf16.
struct Data {
  explicit Data(const ConvolutionSpec& s)
      : x(normals(s.batch * s.in[0] * s.in[1] * s.inputs, 1)),
        w(normals(s.kernel[0] * s.kernel[1] * s.inputs * s.outputs, 2)),
        dy(normals(s.batch * s.out[0] * s.out[1] * s.outputs, 3)),
        x16(to_bf16(x)),
        w16(to_bf16(w)),
        dy16(to_bf16(dy)) {}
  std::vector<float> x, w, dy;
  std::vector<BFloat16> x16, w16, dy16;
};

// Both passes in all types against the definition.
void check_spec(ConvolutionSpec s) {
  ASSERT_TRUE(convolution_fits(s));
  const Data d(s);
  const Reference want = reference(s, d.x, d.w, d.dy);
  std::vector<float> y(want.y.size());
  std::vector<float> dw(want.dw.size());
  convolution(s, d.x.data(), d.w.data(), y.data());
  convolution_kernel_grad(s, d.x.data(), d.dy.data(), dw.data());
  EXPECT_LT(worst(y, want.y), 1e-5);
  EXPECT_LT(worst(dw, want.dw), 1e-5);
  const Reference low =
      reference(s, to_f32(d.x16), to_f32(d.w16), to_f32(d.dy16));
  s.in_type = DType::kBF16;
  convolution(s, d.x16.data(), d.w16.data(), y.data());
  convolution_kernel_grad(s, d.x16.data(), d.dy16.data(), dw.data());
  EXPECT_LT(worst(y, low.y), 1e-5);
  EXPECT_LT(worst(dw, low.dw), 1e-5);
  s.out_type = DType::kBF16;
  std::vector<BFloat16> y16(y.size());
  std::vector<BFloat16> dw16(dw.size());
  convolution(s, d.x16.data(), d.w16.data(), y16.data());
  convolution_kernel_grad(s, d.x16.data(), d.dy16.data(), dw16.data());
  EXPECT_LT(worst(y16, low.y), 1.0 / 256);
  EXPECT_LT(worst(dw16, low.dw), 1.0 / 256);
}

ConvolutionSpec base() {
  return {.batch = 3,
          .in = {7, 6},
          .inputs = 5,
          .kernel = {3, 3},
          .outputs = 4,
          .out = {7, 6},
          .low = {1, 1},
          .w_strides = {60, 20, 4, 1}};
}

class ConvolutionKernel : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_convolution()) GTEST_SKIP() << "built without oneDNN";
  }
};

TEST_F(ConvolutionKernel, SamePadding) {
  check_spec(base());
  ConvolutionSpec wide = base();
  wide.batch = 17;  // parts of 3, the last of 2
  wide.inputs = 16;
  wide.outputs = 32;
  wide.w_strides = {1536, 512, 32, 1};
  check_spec(wide);
}

TEST_F(ConvolutionKernel, ReadsKernelsInAnyOrder) {
  ConvolutionSpec s = base();
  s.w_strides = {60, 20, 1, 5};  // [kernel,outputs,inputs]
  check_spec(s);
  s.w_strides = {3, 1, 9, 45};  // [outputs,inputs,kernel]
  check_spec(s);
}

TEST_F(ConvolutionKernel, StridesDilationAndUnevenPadding) {
  ConvolutionSpec s = base();
  s.strides = {2, 3};
  s.out = {4, 2};
  check_spec(s);
  s = base();
  s.low = {0, 2};  // none above, rows left over below
  s.dilation = {2, 1};
  s.strides = {2, 1};
  s.out = {2, 7};
  check_spec(s);
  s = base();
  s.kernel = {2, 4};
  s.w_strides = {80, 20, 4, 1};
  s.low = {0, 3};
  s.out = {6, 6};
  check_spec(s);
  s = base();
  s.kernel = {1, 1};
  s.w_strides = {20, 20, 4, 1};
  s.low = {0, 0};
  check_spec(s);
}

TEST_F(ConvolutionKernel, SameBitsForAnyThreadCount) {
  ConvolutionSpec s = base();
  s.batch = 19;
  const Data d(s);
  expect_thread_independent([&] {
    std::vector<float> y(d.dy.size());
    std::vector<float> dw(d.w.size());
    convolution(s, d.x.data(), d.w.data(), y.data());
    convolution_kernel_grad(s, d.x.data(), d.dy.data(), dw.data());
    y.insert(y.end(), dw.begin(), dw.end());
    return y;
  });
}

TEST_F(ConvolutionKernel, RefusesWhatDoesNotFit) {
  const auto refused = [](auto change) {
    ConvolutionSpec s = base();
    change(s);
    ASSERT_FALSE(convolution_fits(s));
    EXPECT_ERROR(convolution(s, nullptr, nullptr, nullptr),
                 Code::kInvalidArgument,
                 "convolution: sizes or types");
    EXPECT_ERROR(convolution_kernel_grad(s, nullptr, nullptr, nullptr),
                 Code::kInvalidArgument,
                 "convolution: sizes or types");
  };
  refused([](ConvolutionSpec& s) { s.batch = 0; });
  refused([](ConvolutionSpec& s) { s.low = {-1, 1}; });
  refused([](ConvolutionSpec& s) { s.low = {3, 1}; });
  refused([](ConvolutionSpec& s) { s.out = {9, 6}; });
  refused([](ConvolutionSpec& s) { s.out = {5, 5}; });
  refused([](ConvolutionSpec& s) { s.strides = {0, 1}; });
  refused([](ConvolutionSpec& s) { s.in_type = DType::kF16; });
  refused([](ConvolutionSpec& s) { s.out_type = DType::kBF16; });
}

}  // namespace
}  // namespace kexue::kernels
