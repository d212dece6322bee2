// Small programs against the text they lower to. To look at new text after a
// change: run with KEXUE_UPDATE_GOLDEN=1, then read the difference.
#include "kexue/stablehlo/emitter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/error_matchers.h"

namespace kexue::stablehlo {
namespace {

using Pair = std::pair<Values, Values>;

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path =
      KEXUE_SOURCE_DIR "/tests/stablehlo/golden/" + name + ".mlir";
  if (std::getenv("KEXUE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
  }
  std::stringstream want;
  want << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, want.str()) << path;
}

class Module : public ::testing::Test {
 protected:
  Value input(DType d, const Shape& s) { return g_.input({d, s}); }
  std::string text(const Values& outs, const ModuleOptions& options = {}) {
    g_.set_outputs(outs);
    return to_module(*transforms::simplify(g_), options);
  }
  std::string plain_text(const Values& outs) {
    g_.set_outputs(outs);
    const auto plain = transforms::expand_fused(g_, {});
    return to_module(*transforms::simplify(*plain));
  }

  Graph g_;
  ir::Tracing tracing_{g_};
};

TEST_F(Module, Elementwise) {
  const Value x = input(DType::kF32, {2, 3});
  const Value y = ops::erf(x * 2.0) + ops::stop_gradient(x);
  const Value positive = ops::greater(y, ops::zeros_like(y));
  expect_golden("elementwise", text({ops::select(positive, y, x)}));
}

TEST_F(Module, DenseLayerWithGradients) {
  const Value x = input(DType::kF32, {4, 3});
  const Value w = input(DType::kF32, {3, 2});
  const Value b = input(DType::kF32, {2});
  const Value loss = ops::sum(ops::tanh(ops::einsum("bd,de->be", x, w, b)));
  expect_golden("dense", plain_text(transforms::gradients(loss, {w, b})));
}

TEST_F(Module, EmbeddingWithGradients) {
  const Value table = input(DType::kBF16, {5, 2});
  const Value ids = input(DType::kI32, {2, 3});
  const Value e = ops::take(table, ids);
  const Value g = transforms::vjp({e}, {e}, {table})[0];
  expect_golden("embedding", text({e, g}));
}

TEST_F(Module, Loop) {
  const Value x = input(DType::kF32, {2});
  const Value xs = input(DType::kF32, {4, 2});
  const Value scale = input(DType::kF32, {});
  const auto r = ops::scan(
      [&](const Values& c, const Values& s) {
        const Value h = c[0] * scale + s[0];
        return Pair{{h}, {ops::sum(h)}};
      },
      {x},
      {xs},
      {.reverse = true});
  expect_golden("loop", text({r.carry[0], r.ys[0]}));
}

TEST_F(Module, ShapesAndSlices) {
  const Value x = input(DType::kF16, {2, 3});
  const Value at = input(DType::kI32, {});
  const Value padded = ops::pad(ops::transpose(x, {1, 0}), {1, 0}, {0, 2}, -1);
  const Value part = ops::dynamic_slice(padded, {at, at}, {2, 2});
  const Value joined = ops::concatenate({part, ops::reverse(part, {1})}, 0);
  expect_golden("shapes",
                text({ops::dynamic_update_slice(padded, part, {at, at}),
                      ops::slice(joined, {1, 0}, {3, 1}),
                      ops::sum(joined, {0}),
                      ops::argmax(joined, 1)}));
}

TEST_F(Module, CustomCallsStandWhereTheirKernelIsRegistered) {
  const Value x = input(DType::kF32, {64, 64});
  const Value w = input(DType::kF32, {64});
  const Value y = ops::layer_norm(ops::gelu(ops::matmul(x, x)), w, w, 1e-12);
  g_.set_outputs({y});
  const std::vector<std::string> kernels = {
      "kexue_gelu", "kexue_layer_norm", "kexue_matmul"};
  const auto small =
      transforms::simplify(*transforms::expand_fused(g_, kernels));
  expect_golden("custom_calls", to_module(*small, {.kernels = kernels}));
  const std::string without = plain_text({y});
  EXPECT_EQ(without.find("custom_call"), std::string::npos);
  EXPECT_NE(without.find("stablehlo.dot_general"), std::string::npos);
}

TEST_F(Module, DonatedInputsNameTheirOutput) {
  const Value x = input(DType::kF32, {2});
  const Value y = input(DType::kF32, {2});
  const std::string module =
      text({x + y, y}, {.alias = {-1, 1}, .name = "step"});
  EXPECT_NE(module.find("arg_attrs = [{}, {tf.aliasing_output = 1 : i32}]"),
            std::string::npos)
      << module;
  EXPECT_NE(module.find("sym_name = \"step\""), std::string::npos);
}

TEST_F(Module, AFusedOpMustBeExpandedFirst) {
  const Scope scope("head");
  g_.set_outputs({ops::constant(HostArray::scalar(1.0f))});
  constexpr static OpDef kNoLowering{
      .name = "no_lowering",
      .infer = [](const ir::InferContext& c) -> ir::TypeList {
        return {c.type(0)};
      },
  };
  g_.set_outputs({g_.add(kNoLowering, g_.outputs()).out()});
  EXPECT_ERROR(
      to_module(g_), Code::kInternal, "no_lowering: no lowering", "in head");
}

TEST_F(Module, ShardedProgram) {
  const Value x = input(DType::kF32, {4, 6});
  const Value y = ops::shard(x * 2.0, Sharding{{"data"}, {"model"}});
  const ModuleOptions options{.alias = {0},
                              .mesh = {{"data", 2}, {"model", 2}},
                              .in = {Sharding{{"data"}}},
                              .out = {Sharding{{"data"}}}};
  expect_golden("sharded", text({ops::exp(y)}, options));
  // The same graph for one device says nothing of devices.
  const std::string plain = text({ops::exp(y)});
  EXPECT_EQ(plain.find("sdy"), std::string::npos);
  EXPECT_EQ(plain.find("mhlo"), std::string::npos);
}

TEST_F(Module, ConvolutionWithGradients) {
  const Value x = input(DType::kF32, {2, 5, 6, 3});
  const Value w = input(DType::kF32, {3, 3, 3, 4});
  const Value y = ops::conv2d(
      x, w, {.strides = {2, 1}, .padding = ops::Padding::both({1, 1})});
  expect_golden("convolution",
                plain_text(transforms::gradients(ops::sum(y * y), {x, w})));
}

TEST_F(Module, PoolingWithGradients) {
  const Value x = input(DType::kF32, {1, 4, 4, 2});
  const Value y = ops::max_pool(x, {.window = {2, 2}}) +
                  ops::average_pool(x, {.window = {2, 2}});
  expect_golden("pooling", plain_text(transforms::gradients(ops::sum(y), {x})));
}

TEST_F(Module, SortAndScatter) {
  const Value x = input(DType::kF32, {3, 4});
  const auto top = ops::top_k(x, 2);
  const Value back = ops::put_along_axis(
      x, top.indices, top.values * 2.0, 1, ops::Combine::kKeepLarger);
  expect_golden("sort", plain_text({ops::sort(x, {.descending = true}), back}));
}

TEST_F(Module, FourierTransformOfComplexNumbers) {
  const Value x = input(DType::kF32, {2, 8});
  const Value z = ops::rfft(x);
  const Value y = ops::irfft(z * ops::conj(z));
  expect_golden("fourier", text({y, ops::abs(z)}));
}

TEST_F(Module, BranchesAndOpenLoops) {
  const Value x = input(DType::kF32, {3});
  const Value flag = input(DType::kBool, {});
  const Value y = ops::cond(
      flag,
      [&](const Values&) -> Values { return {ops::exp(x)}; },
      [&](const Values&) -> Values { return {x * 2.0}; })[0];
  const Values z = ops::while_loop(
      [](const Values& c) {
        return ops::less(ops::sum(c[0]), ops::full({DType::kF32, {}}, 10));
      },
      [&](const Values& c) -> Values { return {c[0] + y}; },
      {x});
  expect_golden("control", text({z[0]}));
}

TEST_F(Module, AnUpdateInPlace) {
  const Value w = input(DType::kF32, {8});
  const Value g = input(DType::kF32, {8});
  const Value s = input(DType::kF32, {});
  const Values next = ops::adamw(w, w, w, g, {s, s, s, s, s}, 0.9, 0.99);
  g_.set_outputs(next);
  expect_golden(
      "update",
      to_module(*transforms::simplify(g_), {.kernels = {"kexue_adamw"}}));
}

TEST_F(Module, ALayerComputedAgain) {
  const Value x = input(DType::kF32, {2, 3});
  const Value w = input(DType::kF32, {3, 3});
  const Value y = ops::remat(
      [](const Values& v) -> Values {
        return {ops::tanh(ops::matmul(v[0], v[1]))};
      },
      {x, w},
      ops::RematPolicy::save_nothing())[0];
  expect_golden("remat", text(transforms::gradients(ops::sum(y), {w})));
}

TEST_F(Module, ShardingsMustFit) {
  const Value x = input(DType::kF32, {4, 5});
  const Mesh mesh{{"data", 2}};
  EXPECT_ERROR(text({x}, {.mesh = mesh, .in = {Sharding{{}, {"data"}}}}),
               Code::kInvalidArgument,
               "input 0: ",
               "do not divide dimension 1 of [4,5]");
  EXPECT_ERROR(text({x}, {.mesh = mesh, .out = {Sharding{{"model"}}}}),
               Code::kInvalidArgument,
               "output 0: mesh data=2 has no axis \"model\"");
  EXPECT_ERROR(ops::shard(x, Sharding{{}, {}, {"data"}}),
               Code::kInvalidArgument,
               "shard: [{}, {}, {data}] has more dimensions",
               "f32[4,5]");
}

TEST(TypeText, OfEveryDtype) {
  EXPECT_EQ(type_text({DType::kBool, {2, 0}}), "tensor<2x0xi1>");
  EXPECT_EQ(type_text({DType::kU8, {}}), "tensor<ui8>");
  EXPECT_EQ(type_text({DType::kI32, {1}}), "tensor<1xi32>");
  EXPECT_EQ(type_text({DType::kU32, {1}}), "tensor<1xui32>");
  EXPECT_EQ(type_text({DType::kI64, {1}}), "tensor<1xi64>");
  EXPECT_EQ(type_text({DType::kF16, {1}}), "tensor<1xf16>");
  EXPECT_EQ(type_text({DType::kBF16, {1}}), "tensor<1xbf16>");
  EXPECT_EQ(type_text({DType::kF64, {1}}), "tensor<1xf64>");
  EXPECT_EQ(type_text({DType::kC64, {1}}), "tensor<1xcomplex<f32>>");
  EXPECT_EQ(type_text({DType::kC128, {}}), "tensor<complex<f64>>");
}

TEST(Dense, WritesFloatsAsBitsAndIntegersAsDecimals) {
  EXPECT_EQ(dense(HostArray::of<float>({2, 2}, {1, -0.0f, INFINITY, 0.1f})),
            "dense<[[0x3F800000, 0x80000000], [0x7F800000, 0x3DCCCCCD]]> : "
            "tensor<2x2xf32>");
  EXPECT_EQ(dense(HostArray::scalar(std::numeric_limits<double>::max())),
            "dense<0x7FEFFFFFFFFFFFFF> : tensor<f64>");
  EXPECT_EQ(dense(HostArray::full({DType::kBF16, {1}}, 1)),
            "dense<[0x3F80]> : tensor<1xbf16>");
  EXPECT_EQ(dense(HostArray::scalar(std::numeric_limits<int64_t>::min())),
            "dense<-9223372036854775808> : tensor<i64>");
  EXPECT_EQ(dense(HostArray::scalar(uint32_t{4294967295})),
            "dense<4294967295> : tensor<ui32>");
  EXPECT_EQ(dense(HostArray::full({DType::kBool, {2}}, 1)),
            "dense<[true, true]> : tensor<2xi1>");
  EXPECT_EQ(dense(HostArray::scalar(std::complex<float>(1, -0.0f))),
            "dense<(0x3F800000, 0x80000000)> : tensor<complex<f32>>");
  EXPECT_EQ(dense(HostArray::scalar(std::complex<double>(0, 2))),
            "dense<(0x0000000000000000, 0x4000000000000000)> : "
            "tensor<complex<f64>>");
  EXPECT_EQ(dense(HostArray(DType::kF32, {0, 3})), "dense<> : tensor<0x3xf32>");
}

TEST(IntArray, IsTypedEvenWhenEmpty) {
  EXPECT_EQ(int_array({}), "array<i64>");
  const int64_t v[] = {1, -2};
  EXPECT_EQ(int_array(v), "array<i64: 1, -2>");
}

}  // namespace
}  // namespace kexue::stablehlo
