// Which convolutions the CPU kernels compute, and the calls that do it.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/ops/conv_spec.h"

namespace kexue::ops::detail {
namespace {

// Below this many multiply-adds the call costs more than the compiler's loop.
constexpr int64_t kSmallestConvolution = 1 << 18;

bool all_are(const std::vector<int64_t>& list, int64_t value) {
  return std::all_of(
      list.begin(), list.end(), [&](int64_t v) { return v == value; });
}

// x [N,H,W,C] and y [N,H,W,C]; the kernel's letters in any order.
bool is_forward(const ConvSpec& s) {
  return s.lhs_term == "b01f" && s.out_term == "b01f";
}

// The derivative with respect to the kernel of such a convolution: channels
// of x play the batch, its examples are summed over.
bool is_kernel_grad(const ConvSpec& s) {
  return s.lhs_term == "f01b" && s.rhs_term == "i01o" && s.out_term == "01bf";
}

// No zeros as wide as the window, no more than a stride left over.
bool padding_fits(const std::vector<int64_t>& in,
                  const std::vector<int64_t>& kernel,
                  const std::vector<int64_t>& out,
                  const std::vector<int64_t>& strides,
                  const std::vector<int64_t>& dilation,
                  const std::vector<int64_t>& low) {
  for (size_t i = 0; i < 2; ++i) {
    const int64_t reach = dilated(kernel[i], dilation[i]);
    const int64_t high = (out[i] - 1) * strides[i] + reach - in[i] - low[i];
    if (low[i] < 0 || low[i] >= reach || high >= reach || high <= -strides[i]) {
      return false;
    }
  }
  return true;
}

bool types_fit(const Node& n) {
  const DType in = n.inputs[0].dtype();
  const DType out = n.types[0].dtype;
  return in == DType::kF32 ? out == DType::kF32
                           : in == DType::kBF16 &&
                                 (out == DType::kF32 || out == DType::kBF16);
}

}  // namespace

std::string_view conv_kernel(const Node& n) {
  const Attrs& a = n.attrs;
  const ConvSpec s = parse_conv(a.s("spec"));
  const bool forward = is_forward(s);
  if (!(forward || is_kernel_grad(s)) || !types_fit(n) ||
      a.i("feature_groups") * a.i("batch_groups") != 1 ||
      !all_are(a.ints("lhs_dilation"), 1)) {
    return "";
  }
  const Shape& y = n.types[0].shape;
  const Shape& x = n.inputs[0].shape();
  const Shape& w = n.inputs[1].shape();
  const int64_t work =
      y.size() * w[s.rhs_i] * w[s.rhs_space[0]] * w[s.rhs_space[1]];
  if (work < kSmallestConvolution || x.size() == 0) return "";
  const auto in = sizes_at(x, s.lhs_space);
  const auto window = sizes_at(w, s.rhs_space);
  const auto out = sizes_at(y, s.out_space);
  const auto& strides = a.ints("strides");
  const auto& dilation = a.ints("rhs_dilation");
  const auto& low = a.ints("low");
  // In a gradient window and result, stride and dilation change places.
  const bool fits = forward
                        ? padding_fits(in, window, out, strides, dilation, low)
                        : padding_fits(in, out, window, dilation, strides, low);
  if (!fits) return "";
  return forward ? "kexue_convolution" : "kexue_convolution_kernel_grad";
}

void lower_conv_call(stablehlo::Emitter& e, const Node& n) {
  const Attrs& a = n.attrs;
  const ConvSpec s = parse_conv(a.s("spec"));
  const std::string_view target = conv_kernel(n);
  const bool forward = is_forward(s);
  const Shape& w = n.inputs[1].shape();
  const auto kernel = forward ? sizes_at(w, s.rhs_space)
                              : sizes_at(n.types[0].shape, s.out_space);
  std::string attrs = fmt::format(
      "kernel = {}, strides = {}, low = {}, dilation = {}",
      stablehlo::int_array(kernel),
      stablehlo::int_array(a.ints(forward ? "strides" : "rhs_dilation")),
      stablehlo::int_array(a.ints("low")),
      stablehlo::int_array(a.ints(forward ? "rhs_dilation" : "strides")));
  if (forward) {
    const Shape st(w.strides());
    const std::vector<int64_t> w_strides = {
        st[s.rhs_space[0]], st[s.rhs_space[1]], st[s.rhs_i], st[s.rhs_o]};
    attrs += ", w_strides = " + stablehlo::int_array(w_strides);
  }
  e.custom_call(n, target, attrs);
}

}  // namespace kexue::ops::detail
