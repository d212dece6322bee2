#include "kexue/kernels/targets.h"

#include <array>
#include <string_view>

#include "kexue/kernels/adamw.h"
#include "kexue/kernels/attention.h"
#include "kexue/kernels/call_tools.h"
#include "kexue/kernels/convolution.h"
#include "kexue/kernels/decompose_targets.h"
#include "kexue/kernels/dropout.h"
#include "kexue/kernels/group_norm_targets.h"
#include "kexue/kernels/line_targets.h"
#include "kexue/kernels/matmul.h"
#include "kexue/kernels/row_targets.h"

namespace kexue::kernels {
namespace {

using namespace detail;
using pjrt::FfiBuffer;
using pjrt::FfiCall;

Key key_of(const FfiBuffer& x) {
  const auto* words = typed<uint32_t>(x, 2, "key");
  return {words[0], words[1]};
}

std::array<int64_t, 4> strides_of(const FfiCall& call,
                                  std::string_view name,
                                  std::array<int64_t, 4> sizes,
                                  const FfiBuffer& buffer) {
  const auto attr = call.attr_ints(name);
  require(attr.size() == 4, name);
  std::array<int64_t, 4> strides{};
  int64_t last = 0;
  bool empty = false;
  for (size_t i = 0; i < 4; ++i) {
    require(attr[i] >= 0 && sizes[i] >= 0, name);
    strides[i] = attr[i];
    empty = empty || sizes[i] == 0;
    int64_t reach = 0;
    require(!__builtin_mul_overflow(sizes[i] - 1, attr[i], &reach) &&
                !__builtin_add_overflow(last, reach, &last),
            name);
  }
  require(empty || last < count(buffer), name);
  return strides;
}

void call_matmul(const FfiCall& call) {
  const auto args = call.args();
  require(args.size() == 2 || args.size() == 3, "number of arguments");
  require(call.results().size() == 1, "number of results");
  const FfiBuffer& result = call.results()[0];
  const auto sizes = call.attr_ints("sizes");
  require(sizes.size() == 5, "sizes");
  MatmulSpec s{.b1 = sizes[0],
               .b2 = sizes[1],
               .m = sizes[2],
               .n = sizes[3],
               .k = sizes[4],
               .in = args[0].dtype,
               .out = result.dtype};
  require(args[1].dtype == s.in, "operand types");
  s.a_strides = strides_of(call, "a_strides", {s.b1, s.b2, s.m, s.k}, args[0]);
  s.b_strides = strides_of(call, "b_strides", {s.b1, s.b2, s.k, s.n}, args[1]);
  s.c_strides = strides_of(call, "c_strides", {s.b1, s.b2, s.m, s.n}, result);
  const float* bias =
      args.size() == 3 ? typed<float>(args[2], s.n, "bias") : nullptr;
  matmul(s, args[0].data, args[1].data, bias, result.data);
}

std::array<int64_t, 2> pair_of(const FfiCall& call, std::string_view name) {
  const auto v = call.attr_ints(name);
  require(v.size() == 2, name);
  return {v[0], v[1]};
}

// From [batch,height,width,channels] operands x and y and the attributes.
ConvolutionSpec convolution_spec(const FfiCall& call,
                                 const FfiBuffer& x,
                                 const FfiBuffer& y,
                                 const FfiBuffer& result) {
  require(x.dims.size() == 4 && y.dims.size() == 4, "rank");
  require(x.dims[0] == y.dims[0], "batch");
  ConvolutionSpec s{.batch = x.dims[0],
                    .in = {x.dims[1], x.dims[2]},
                    .inputs = x.dims[3],
                    .kernel = pair_of(call, "kernel"),
                    .outputs = y.dims[3],
                    .out = {y.dims[1], y.dims[2]},
                    .strides = pair_of(call, "strides"),
                    .low = pair_of(call, "low"),
                    .dilation = pair_of(call, "dilation"),
                    .in_type = call.args()[0].dtype,
                    .out_type = result.dtype};
  require(call.args()[1].dtype == s.in_type, "operand types");
  return s;
}

int64_t kernel_size(const ConvolutionSpec& s) {
  return s.kernel[0] * s.kernel[1] * s.inputs * s.outputs;
}

void call_convolution(const FfiCall& call) {
  require_counts(call, 2, 1);
  const auto args = call.args();
  const FfiBuffer& y = call.results()[0];
  ConvolutionSpec s = convolution_spec(call, args[0], y, y);
  s.w_strides = strides_of(call,
                           "w_strides",
                           {s.kernel[0], s.kernel[1], s.inputs, s.outputs},
                           args[1]);
  require(convolution_fits(s), "convolution");
  convolution(s, args[0].data, args[1].data, y.data);
}

void call_convolution_kernel_grad(const FfiCall& call) {
  require_counts(call, 2, 1);
  const auto args = call.args();
  const FfiBuffer& dw = call.results()[0];
  const ConvolutionSpec s = convolution_spec(call, args[0], args[1], dw);
  require(convolution_fits(s) && count(dw) == kernel_size(s), "convolution");
  convolution_kernel_grad(s, args[0].data, args[1].data, dw.data);
}

void call_dropout(const FfiCall& call) {
  require_counts(call, 2, 1);
  const FfiBuffer& x = call.args()[0];
  require(count(call.results()[0]) == count(x), "result");
  dropout(count(x),
          call.attr_int("threshold"),
          key_of(call.args()[1]),
          in(x),
          out(call.results()[0]));
}

void call_fold_in(const FfiCall& call) {
  require_counts(call, 2, 1);
  const FfiBuffer& index = call.args()[1];
  const FfiBuffer& result = call.results()[0];
  require(index.dtype == DType::kU32 && count(index) == 1, "index");
  require(result.dtype == DType::kU32 && count(result) == 2, "result");
  const Key made =
      key_of(call.args()[0]).fold_in(*static_cast<const uint32_t*>(index.data));
  auto* words = static_cast<uint32_t*>(result.data);
  words[0] = made.a;
  words[1] = made.b;
}

// From q, k, v, mask, key: the first five arguments in both directions.
AttentionSpec attention_spec(const FfiCall& call) {
  const auto args = call.args();
  const auto q = args[0].dims;
  const auto k = args[1].dims;
  require(q.size() == 4 && k.size() == 4, "rank");
  require(q[0] == k[0] && q[2] == k[2] && q[3] == k[3], "shape of k");
  require(count(args[2]) == count(args[1]), "shape of v");
  return {.batch = q[0],
          .queries = q[1],
          .keys = k[1],
          .heads = q[2],
          .dim = q[3],
          .scale = static_cast<float>(call.attr_float("scale")),
          .causal = call.attr_int("causal") != 0,
          .threshold = call.attr_int("threshold"),
          .key = key_of(args[4])};
}

const bool* mask_of(const FfiCall& call, const AttentionSpec& s) {
  return typed<bool>(call.args()[3], s.batch * s.keys, "mask");
}

void call_attention(const FfiCall& call) {
  require_counts(call, 5, 2);
  const AttentionSpec s = attention_spec(call);
  const auto args = call.args();
  const auto results = call.results();
  require(count(results[0]) == count(args[0]), "result");
  attention(s,
            in(args[0]),
            in(args[1]),
            in(args[2]),
            mask_of(call, s),
            out(results[0]),
            typed<float>(results[1], s.batch * s.heads * s.queries, "lse"));
}

void call_attention_grad(const FfiCall& call) {
  require_counts(call, 8, 3);
  const AttentionSpec s = attention_spec(call);
  const auto args = call.args();
  const auto results = call.results();
  require(count(args[5]) == count(args[0]), "o");
  require(count(args[7]) == count(args[0]), "do");
  for (size_t i = 0; i < 3; ++i) {
    require(count(results[i]) == count(args[i]), "result");
  }
  attention_grad(s,
                 in(args[0]),
                 in(args[1]),
                 in(args[2]),
                 mask_of(call, s),
                 in(args[5]),
                 typed<float>(args[6], s.batch * s.heads * s.queries, "lse"),
                 in(args[7]),
                 out(results[0]),
                 out(results[1]),
                 out(results[2]));
}

// Arguments: w, m, v, g, then the rule's numbers that change from step to step.
void call_adamw(const FfiCall& call) {
  require_counts(call, 9, 3);
  const auto args = call.args();
  const auto results = call.results();
  const int64_t n = count(args[0]);
  const auto array = [&](size_t i) {
    return typed<float>(args[i], n, "array");
  };
  const auto number = [&](size_t i) {
    return *typed<float>(args[i], 1, "number");
  };
  const auto result = [&](size_t i) {
    return typed<float>(results[i], n, "result");
  };
  const AdamWRule rule = {.beta1 = static_cast<float>(call.attr_float("beta1")),
                          .beta2 = static_cast<float>(call.attr_float("beta2")),
                          .rest1 = static_cast<float>(call.attr_float("rest1")),
                          .rest2 = static_cast<float>(call.attr_float("rest2")),
                          .rate = number(4),
                          .eps = number(5),
                          .decay = number(6),
                          .scale = number(7),
                          .go = number(8) != 0};
  adamw(n,
        rule,
        array(0),
        array(1),
        array(2),
        array(3),
        result(0),
        result(1),
        result(2));
}

}  // namespace

std::span<const pjrt::FfiTarget> ffi_targets() {
  static const std::vector<pjrt::FfiTarget> targets = [] {
    std::vector<pjrt::FfiTarget> all = {
        pjrt::ffi_target<call_adamw>("kexue_adamw"),
        pjrt::ffi_target<call_attention>("kexue_attention"),
        pjrt::ffi_target<call_attention_grad>("kexue_attention_grad"),
        pjrt::ffi_target<call_dropout>("kexue_dropout"),
        pjrt::ffi_target<call_fold_in>("kexue_fold_in"),
    };
    for (const auto& more :
         {row_targets(), group_norm_targets(), decompose_targets()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    for (const auto& target : detail::line_targets()) all.push_back(target);
    if (has_matmul()) {
      all.push_back(pjrt::ffi_target<call_matmul>("kexue_matmul"));
      all.push_back(pjrt::ffi_target<call_convolution>("kexue_convolution"));
      all.push_back(pjrt::ffi_target<call_convolution_kernel_grad>(
          "kexue_convolution_kernel_grad"));
    }
    return all;
  }();
  return targets;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& target : ffi_targets()) all.emplace_back(target.name);
  return all;
}

}  // namespace kexue::kernels
