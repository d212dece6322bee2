// The kernels called from compiled programs give the functions' own bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kexue/kernels/attention.h"
#include "kexue/kernels/column_sum.h"
#include "kexue/kernels/convolution.h"
#include "kexue/kernels/cross_entropy.h"
#include "kexue/kernels/dropout.h"
#include "kexue/kernels/gelu.h"
#include "kexue/kernels/group_norm.h"
#include "kexue/kernels/layer_norm.h"
#include "kexue/kernels/matmul.h"
#include "kexue/kernels/targets.h"
#include "tests/kernels/kernel_test_util.h"
#include "tests/pjrt/device_fixture.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

std::string tensor(const TensorType& type) {
  std::string text = "tensor<";
  for (const int64_t d : type.shape.dims()) text += std::to_string(d) + "x";
  const auto name = std::string(kexue::name(type.dtype));
  if (name == "u32") return text + "ui32>";
  return text + (name == "bool" ? "i1" : name) + ">";
}

// A program that is one custom call.
std::string program(const std::string& target,
                    const std::string& attributes,
                    const std::vector<TensorType>& args,
                    const std::vector<TensorType>& results) {
  std::string parameters, operands, arg_types, result_types, values;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string comma = i ? ", " : "";
    const std::string value = "%a" + std::to_string(i);
    parameters += comma + value + ": " + tensor(args[i]);
    operands += comma + value;
    arg_types += comma + tensor(args[i]);
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const std::string comma = i ? ", " : "";
    result_types += comma + tensor(results[i]);
    values += comma + "%r#" + std::to_string(i);
  }
  return "func.func public @main(" + parameters + ") -> (" + result_types +
         ") {\n  %r:" + std::to_string(results.size()) +
         " = \"stablehlo.custom_call\"(" + operands +
         ") {call_target_name = \"" + target +
         "\", api_version = 4 : i32, backend_config = {" + attributes +
         "}} : (" + arg_types + ") -> (" + result_types + ")\n  return " +
         values + " : " + result_types + "\n}\n";
}

class KernelCall : public pjrt::testing::DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped()) return;
    if (!client().plugin().has_ffi()) GTEST_SKIP() << "plugin without FFI";
    pjrt::register_ffi(client().plugin(), ffi_targets());
  }

  std::vector<HostArray> call(const std::string& target,
                              const std::string& attributes,
                              const std::vector<HostArray>& args,
                              const std::vector<TensorType>& results) {
    std::vector<TensorType> types;
    std::vector<pjrt::Buffer> buffers;
    std::vector<const pjrt::Buffer*> pointers;
    for (const HostArray& arg : args) {
      types.push_back(arg.type());
      buffers.push_back(client().to_device(arg));
    }
    for (const auto& buffer : buffers) pointers.push_back(&buffer);
    const auto compiled =
        client().compile(program(target, attributes, types, results));
    std::vector<HostArray> values;
    for (const auto& out : compiled.execute(pointers)) {
      values.push_back(out.to_host());
    }
    return values;
  }
};

HostArray array(Shape shape, uint64_t seed) {
  return HostArray::of(shape, normals(shape.size(), seed));
}

std::vector<float> values(const HostArray& x) {
  const auto span = x.span<float>();
  return {span.begin(), span.end()};
}

const float* data(const HostArray& x) {
  return x.span<float>().data();
}

TEST_F(KernelCall, Matmul) {
  if (!has_matmul()) GTEST_SKIP() << "built without oneDNN";
  const auto a = array({9, 33}, 1), b = array({17, 9}, 2),
             bias = array({17}, 3);
  const auto got = call("kexue_matmul",
                        "sizes = array<i64: 1, 1, 33, 17, 9>, "
                        "a_strides = array<i64: 0, 0, 1, 33>, "
                        "b_strides = array<i64: 0, 0, 1, 9>, "
                        "c_strides = array<i64: 0, 0, 17, 1>",
                        {a, b, bias},
                        {{DType::kF32, {33, 17}}});
  std::vector<float> want(33 * 17);
  matmul({.m = 33,
          .n = 17,
          .k = 9,
          .a_strides = {0, 0, 1, 33},
          .b_strides = {0, 0, 1, 9},
          .c_strides = {0, 0, 17, 1}},
         data(a),
         data(b),
         data(bias),
         want.data());
  EXPECT_EQ(values(got[0]), want);
}

TEST_F(KernelCall, MatmulBeyondItsBuffersFails) {
  if (!has_matmul()) GTEST_SKIP() << "built without oneDNN";
  const auto a = array({4, 4}, 1);
  EXPECT_ERROR(call("kexue_matmul",
                    "sizes = array<i64: 1, 1, 4, 4, 4>, "
                    "a_strides = array<i64: 0, 0, 4, 1>, "
                    "b_strides = array<i64: 0, 0, 5, 1>, "
                    "c_strides = array<i64: 0, 0, 4, 1>",
                    {a, a},
                    {{DType::kF32, {4, 4}}}),
               Code::kDevice,
               "wrong b_strides");
}

constexpr const char* kWindow =
    "kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, "
    "low = array<i64: 1, 1>, dilation = array<i64: 1, 1>";

TEST_F(KernelCall, ConvolutionAndItsKernelGradient) {
  if (!has_convolution()) GTEST_SKIP() << "built without oneDNN";
  const auto x = array({3, 5, 4, 6}, 1), w = array({3, 3, 6, 2}, 2),
             dy = array({3, 5, 4, 2}, 3);
  const auto y =
      call("kexue_convolution",
           std::string(kWindow) + ", w_strides = array<i64: 36, 12, 2, 1>",
           {x, w},
           {{DType::kF32, {3, 5, 4, 2}}});
  const auto dw = call("kexue_convolution_kernel_grad",
                       kWindow,
                       {x, dy},
                       {{DType::kF32, {3, 3, 6, 2}}});
  const ConvolutionSpec spec{.batch = 3,
                             .in = {5, 4},
                             .inputs = 6,
                             .kernel = {3, 3},
                             .outputs = 2,
                             .out = {5, 4},
                             .low = {1, 1},
                             .w_strides = {36, 12, 2, 1}};
  std::vector<float> want(120);
  convolution(spec, data(x), data(w), want.data());
  EXPECT_EQ(values(y[0]), want);
  want.resize(108);
  convolution_kernel_grad(spec, data(x), data(dy), want.data());
  EXPECT_EQ(values(dw[0]), want);
}

TEST_F(KernelCall, ConvolutionBeyondItsBuffersFails) {
  if (!has_convolution()) GTEST_SKIP() << "built without oneDNN";
  const auto x = array({3, 5, 4, 6}, 1), w = array({3, 3, 6, 2}, 2);
  const auto run = [&](const char* w_strides, const TensorType& y) {
    call("kexue_convolution",
         std::string(kWindow) + ", w_strides = array<i64: " + w_strides + ">",
         {x, w},
         {y});
  };
  EXPECT_ERROR(run("36, 12, 2, 2", {DType::kF32, {3, 5, 4, 2}}),
               Code::kDevice,
               "wrong w_strides");
  EXPECT_ERROR(run("36, 12, 2, 1", {DType::kF32, {3, 9, 4, 2}}),
               Code::kDevice,
               "wrong convolution");
  EXPECT_ERROR(call("kexue_convolution_kernel_grad",
                    kWindow,
                    {x, array({3, 5, 4, 2}, 3)},
                    {{DType::kF32, {3, 3, 6, 1}}}),
               Code::kDevice,
               "wrong convolution");
}

TEST_F(KernelCall, LayerNormAndItsGradient) {
  const auto x = array({2, 3, 40}, 1), dy = array({2, 3, 40}, 2);
  const auto gamma = array({40}, 3), beta = array({40}, 4);
  const auto got = call("kexue_layer_norm",
                        "eps = 1.0e-5 : f32",
                        {x, gamma, beta},
                        {{DType::kF32, {2, 3, 40}},
                         {DType::kF32, {2, 3}},
                         {DType::kF32, {2, 3}}});
  std::vector<float> y(240), mean(6), rstd(6), dx(240), dgamma(40), dbeta(40);
  layer_norm(6,
             40,
             1e-5f,
             data(x),
             data(gamma),
             data(beta),
             y.data(),
             mean.data(),
             rstd.data());
  EXPECT_EQ(values(got[0]), y);
  EXPECT_EQ(values(got[1]), mean);
  EXPECT_EQ(values(got[2]), rstd);
  const auto grad = call(
      "kexue_layer_norm_grad",
      "",
      {dy, x, gamma, got[1], got[2]},
      {{DType::kF32, {2, 3, 40}}, {DType::kF32, {40}}, {DType::kF32, {40}}});
  layer_norm_grad(6,
                  40,
                  data(dy),
                  data(x),
                  data(gamma),
                  mean.data(),
                  rstd.data(),
                  dx.data(),
                  dgamma.data(),
                  dbeta.data());
  EXPECT_EQ(values(grad[0]), dx);
  EXPECT_EQ(values(grad[1]), dgamma);
  EXPECT_EQ(values(grad[2]), dbeta);
}

TEST_F(KernelCall, GroupNormAndItsGradient) {
  const auto x = array({2, 3, 5, 12}, 1), dz = array({2, 3, 5, 12}, 2);
  const auto gamma = array({12}, 3), beta = array({12}, 4);
  const TensorType all = x.type(), row = gamma.type(), few{DType::kF32, {2, 4}};
  const std::string attrs = "groups = 4 : i64, silu = 1 : i64";
  const auto got = call("kexue_group_norm",
                        "eps = 1.0e-5 : f32, " + attrs,
                        {x, gamma, beta},
                        {all, few, few});
  const GroupNormSpec spec = {2, 15, 12, 4, true};
  std::vector<float> z(360), mean(8), rstd(8), dx(360), dgamma(12), dbeta(12);
  group_norm(spec,
             1e-5f,
             data(x),
             data(gamma),
             data(beta),
             z.data(),
             mean.data(),
             rstd.data());
  EXPECT_EQ(values(got[0]), z);
  EXPECT_EQ(values(got[1]), mean);
  EXPECT_EQ(values(got[2]), rstd);
  const auto grad = call("kexue_group_norm_grad",
                         attrs,
                         {dz, x, gamma, beta, got[1], got[2]},
                         {all, row, row});
  group_norm_grad(spec,
                  data(dz),
                  data(x),
                  data(gamma),
                  data(beta),
                  mean.data(),
                  rstd.data(),
                  dx.data(),
                  dgamma.data(),
                  dbeta.data());
  EXPECT_EQ(values(grad[0]), dx);
  EXPECT_EQ(values(grad[1]), dgamma);
  EXPECT_EQ(values(grad[2]), dbeta);
}

TEST_F(KernelCall, WrongGroupNormsFail) {
  const auto x = array({2, 3, 4}, 1), row = array({4}, 2);
  const auto run = [&](const char* groups,
                       const HostArray& gamma,
                       const TensorType& mean) {
    call("kexue_group_norm",
         std::string("eps = 1.0e-5 : f32, silu = 0 : i64, groups = ") + groups,
         {x, gamma, row},
         {x.type(), mean, {DType::kF32, {2, 2}}});
  };
  const TensorType few{DType::kF32, {2, 2}};
  EXPECT_ERROR(run("3 : i64", row, few), Code::kDevice, "wrong groups");
  EXPECT_ERROR(run("0 : i64", row, few), Code::kDevice, "wrong groups");
  EXPECT_ERROR(
      run("2 : i64", array({3}, 2), few), Code::kDevice, "wrong gamma");
  EXPECT_ERROR(
      run("2 : i64", row, {DType::kF32, {2, 4}}), Code::kDevice, "wrong mean");
}

TEST_F(KernelCall, GeluToBf16AndItsGradient) {
  const auto x = array({5, 7}, 1), dy = array({5, 7}, 2);
  const auto y = call("kexue_gelu", "", {x}, {{DType::kBF16, {5, 7}}});
  std::vector<BFloat16> want(35);
  gelu(35, data(x), want.data());
  for (size_t i = 0; i < 35; ++i) {
    EXPECT_EQ(y[0].span<BFloat16>()[i].bits, want[i].bits);
  }
  const auto dx = call("kexue_gelu_grad", "", {dy, x}, {{DType::kF32, {5, 7}}});
  std::vector<float> want_dx(35);
  gelu_grad(35, data(dy), data(x), want_dx.data());
  EXPECT_EQ(values(dx[0]), want_dx);
}

TEST_F(KernelCall, ColumnSum) {
  const auto x = array({2, 9, 7}, 1);
  const auto y = call("kexue_column_sum", "", {x}, {{DType::kF32, {7}}});
  std::vector<float> want(7);
  column_sum(18, 7, data(x), want.data());
  EXPECT_EQ(values(y[0]), want);
}

TEST_F(KernelCall, CrossEntropyAndItsGradientInBf16) {
  const auto x = array({3, 7}, 1), dy = array({3}, 2);
  const auto labels = HostArray::of(Shape{3}, std::vector<int32_t>{6, -1, 2});
  const TensorType row{DType::kF32, {3}};
  const auto y = call("kexue_cross_entropy", "", {x, labels}, {row, row});
  std::vector<float> loss(3), lse(3);
  const auto* at = labels.span<int32_t>().data();
  cross_entropy(3, 7, data(x), at, loss.data(), lse.data());
  EXPECT_EQ(values(y[0]), loss);
  EXPECT_EQ(values(y[1]), lse);
  const auto dx = call("kexue_cross_entropy_grad",
                       "",
                       {dy, x, labels, y[1]},
                       {{DType::kBF16, {3, 7}}});
  std::vector<BFloat16> want(21);
  cross_entropy_grad(3, 7, data(dy), data(x), at, lse.data(), want.data());
  for (size_t i = 0; i < 21; ++i) {
    EXPECT_EQ(dx[0].span<BFloat16>()[i].bits, want[i].bits);
  }
}

TEST_F(KernelCall, CrossEntropyOfOtherLabelsFails) {
  const auto x = array({3, 7}, 1);
  const auto labels = HostArray::of(Shape{2}, std::vector<int32_t>{6, 1});
  const TensorType row{DType::kF32, {2}};
  EXPECT_ERROR(call("kexue_cross_entropy", "", {x, labels}, {row, row}),
               Code::kDevice,
               "wrong labels");
}

TEST_F(KernelCall, Dropout) {
  const auto x = array({100}, 1);
  const auto key = HostArray::of(Shape{2}, std::vector<uint32_t>{3, 4});
  const auto y = call("kexue_dropout",
                      "threshold = 20000 : i64",
                      {x, key},
                      {{DType::kF32, {100}}});
  std::vector<float> want(100);
  dropout(100, 20000, Key{3, 4}, data(x), want.data());
  EXPECT_EQ(values(y[0]), want);
}

TEST_F(KernelCall, AttentionAndItsGradient) {
  const Shape shape{2, 6, 3, 8};
  const auto q = array(shape, 1), k = array(shape, 2), v = array(shape, 3);
  const auto d_o = array(shape, 4);
  const auto key = HostArray::of(Shape{2}, std::vector<uint32_t>{3, 4});
  std::vector<double> allowed(12, 1.0);
  allowed[5] = allowed[7] = 0.0;
  const auto mask = HostArray::from_doubles({DType::kBool, {2, 6}}, allowed);
  const std::string attributes =
      "scale = 0.5 : f32, threshold = 6554 : i64, causal = 1 : i64";
  const TensorType type{DType::kF32, shape};
  const auto got = call("kexue_attention",
                        attributes,
                        {q, k, v, mask, key},
                        {type, {DType::kF32, {2, 3, 6}}});
  const AttentionSpec s{.batch = 2,
                        .queries = 6,
                        .keys = 6,
                        .heads = 3,
                        .dim = 8,
                        .scale = 0.5f,
                        .causal = true,
                        .threshold = 6554,
                        .key = {3, 4}};
  std::vector<float> o(288), lse(36), dq(288), dk(288), dv(288);
  const bool* seen = mask.span<bool>().data();
  attention(s, data(q), data(k), data(v), seen, o.data(), lse.data());
  EXPECT_EQ(values(got[0]), o);
  EXPECT_EQ(values(got[1]), lse);
  const auto grad = call("kexue_attention_grad",
                         attributes,
                         {q, k, v, mask, key, got[0], got[1], d_o},
                         {type, type, type});
  attention_grad(s,
                 data(q),
                 data(k),
                 data(v),
                 seen,
                 o.data(),
                 lse.data(),
                 data(d_o),
                 dq.data(),
                 dk.data(),
                 dv.data());
  EXPECT_EQ(values(grad[0]), dq);
  EXPECT_EQ(values(grad[1]), dk);
  EXPECT_EQ(values(grad[2]), dv);
}

TEST_F(KernelCall, WrongOperandsFail) {
  const auto x = array({4, 4}, 1), beta = array({4}, 2);
  const auto short_gamma = array({3}, 3);
  EXPECT_ERROR(
      call("kexue_layer_norm",
           "eps = 1.0e-5 : f32",
           {x, short_gamma, beta},
           {{DType::kF32, {4, 4}}, {DType::kF32, {4}}, {DType::kF32, {4}}}),
      Code::kDevice,
      "wrong gamma");
}

TEST_F(KernelCall, WrongDecompositionsFail) {
  const auto wide = array({3, 4}, 1), square = array({4, 4}, 2);
  const TensorType f32{DType::kF32, {4, 4}}, f64{DType::kF64, {4, 4}};
  const TensorType row{DType::kF32, {4}}, order{DType::kI32, {4}};
  for (const char* name : {"cholesky", "lu", "qr", "eigh", "svd"}) {
    const std::string target = std::string("kexue_") + name;
    std::vector<TensorType> out = {f32};
    if (target == "kexue_lu") out = {f32, order, {DType::kF32, {}}};
    if (target == "kexue_qr") out = {f32, f32};
    if (target == "kexue_eigh") out = {row, f32};
    if (target == "kexue_svd") out = {f32, row, f32};
    EXPECT_ERROR(call(target, "", {wide}, out), Code::kDevice, "wrong shape");
    EXPECT_ERROR(call(target, "", {square, square}, out),
                 Code::kDevice,
                 "wrong number of arguments");
    out.back() = f64;
    EXPECT_ERROR(
        call(target, "", {square}, out), Code::kDevice, "wrong type or size");
  }
  const std::string flags =
      "lower = 1 : i64, transpose = 0 : i64, left = 1 : i64, unit = 0 : i64";
  EXPECT_ERROR(call("kexue_triangular_solve",
                    flags,
                    {square, wide},
                    {{DType::kF32, {3, 4}}}),
               Code::kDevice,
               "wrong shape of b");
  EXPECT_ERROR(call("kexue_triangular_solve", flags, {square, square}, {f64}),
               Code::kDevice,
               "wrong type or size");
}

TEST_F(KernelCall, WrongLineCallsFail) {
  const auto x = array({4, 6}, 1), other = array({6, 4}, 2);
  const TensorType f32{DType::kF32, {4, 6}}, i32{DType::kI32, {4, 2}};
  const TensorType head{DType::kF32, {4, 2}}, f64{DType::kF64, {4, 6}};
  const auto expect = [&](const std::string& name,
                          const std::string& attributes,
                          const std::vector<HostArray>& args,
                          const std::vector<TensorType>& results,
                          const char* text) {
    EXPECT_ERROR(
        call("kexue_" + name, attributes, args, results), Code::kDevice, text);
  };
  const std::string down = "axis = 1 : i64, descending = 0 : i64";
  expect("sort", down, {x, other}, {f32, f32}, "wrong shape");
  expect("sort", down, {x}, {f64}, "wrong result type");
  expect("sort", down, {x, x}, {f32}, "wrong number of results");
  expect("sort", "axis = 2 : i64", {x}, {f32}, "wrong axis");
  expect("top_k", "", {x}, {head}, "wrong number of results");
  expect("top_k", "", {x}, {head, head}, "wrong type");
  expect("top_k", "", {other}, {head, i32}, "wrong shape");
  expect("top_k",
         "",
         {x},
         {{DType::kF32, {4, 9}}, {DType::kI32, {4, 9}}},
         "k outside the row");
  const std::string up = "axis = 0 : i64, reverse = 0 : i64";
  expect("cumlogsumexp", up, {x, x}, {f32}, "wrong number of arguments");
  expect("cumlogsumexp", up, {x}, {f64}, "wrong type");
  expect("cumlogsumexp_grad", up, {x, x, other}, {f32}, "wrong shape");
}

TEST_F(KernelCall, ProgramsSurviveSerialisation) {
  const TensorType type{DType::kF32, {50}};
  const auto compiled =
      client().compile(program("kexue_gelu", "", {type}, {type}));
  const auto loaded = client().deserialize(compiled.serialize());
  const auto x = array({50}, 1);
  const auto buffer = client().to_device(x);
  const auto got = pjrt::testing::run(loaded, buffer)[0].to_host();
  std::vector<float> want(50);
  gelu(50, data(x), want.data());
  EXPECT_EQ(values(got), want);
}

TEST(KernelNames, ListOneDnnTargetsOnlyIfBuilt) {
  const auto all = names();
  const auto has = [&](const char* name) {
    return std::find(all.begin(), all.end(), name) != all.end();
  };
  EXPECT_TRUE(has("kexue_layer_norm"));
  EXPECT_EQ(has("kexue_matmul"), has_matmul());
  EXPECT_TRUE(has("kexue_attention_grad"));
}

}  // namespace
}  // namespace kexue::kernels
