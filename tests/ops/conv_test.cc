#include "kexue/ops/conv.h"

#include <gtest/gtest.h>

#include "kexue/ir/flops.h"
#include "kexue/transforms/batch.h"
#include "kexue/transforms/grad.h"
#include "kexue/transforms/precision.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using ops::ConvOptions;
using ops::Layout;
using ops::Padding;
constexpr Code kBad = Code::kInvalidArgument;
constexpr Layout kFirst = Layout::kChannelsFirst;

class Convolution : public ::testing::Test {
 protected:
  Value input(const Shape& s, DType d = DType::kF32) {
    return g_.input({d, s});
  }
  Graph g_;
  ir::Tracing tracing_{g_};
};

TEST_F(Convolution, InfersTheShapeInBothLayouts) {
  const Value x = input({8, 28, 28, 3});
  const Value w = input({5, 5, 3, 16});
  EXPECT_EQ(ops::conv2d(x, w).type().str(), "f32[8,24,24,16]");
  EXPECT_EQ(ops::conv2d(x, w, {.strides = {2, 3}}).type().str(),
            "f32[8,12,8,16]");
  EXPECT_EQ(ops::conv2d(x, w, {.padding = Padding::both({2, 1})}).type().str(),
            "f32[8,28,26,16]");
  EXPECT_EQ(ops::conv2d(
                input({8, 3, 28, 28}), input({16, 3, 5, 5}), {.layout = kFirst})
                .type()
                .str(),
            "f32[8,16,24,24]");
  EXPECT_EQ(ops::conv1d(input({2, 9, 4}), input({3, 4, 5})).type().str(),
            "f32[2,7,5]");
  EXPECT_EQ(
      ops::conv3d(input({2, 9, 8, 7, 4}), input({3, 2, 1, 4, 5})).type().str(),
      "f32[2,7,7,7,5]");
}

TEST_F(Convolution, FlopsCountEachProductAndItsSum) {
  const auto flops = [](const Value& y) { return ir::flops(*y.node()); };
  const Value x = input({2, 8, 8, 6});
  EXPECT_EQ(flops(ops::conv2d(x, input({3, 3, 6, 4}))),
            2.0 * (2 * 6 * 6 * 4) * (3 * 3 * 6));
  EXPECT_EQ(flops(ops::conv2d(x, input({3, 3, 2, 9}), {.feature_groups = 3})),
            2.0 * (2 * 6 * 6 * 9) * (3 * 3 * 2));
  EXPECT_EQ(flops(ops::conv2d(
                input({2, 6, 8, 8}), input({4, 6, 3, 3}), {.layout = kFirst})),
            2.0 * (2 * 6 * 6 * 4) * (3 * 3 * 6));
}

TEST_F(Convolution, GradientsHaveTheFlopsOfTheConvolution) {
  for (const int64_t stride : {1, 2}) {
    Graph g;
    const ir::Tracing tracing(g);
    const Value x = g.input({DType::kF32, {2, 8, 8, 3}});
    const Value w = g.input({DType::kF32, {3, 3, 3, 4}});
    const Value y = ops::conv2d(
        x, w, {.strides = {stride, stride}, .padding = Padding::both({1, 1})});
    const double forward = ir::flops(*y.node());
    EXPECT_EQ(forward, 2.0 * static_cast<double>(y.shape().size()) * 27);
    const Values grads = transforms::gradients(ops::sum(y * y), {x, w});
    g.set_outputs(grads);
    EXPECT_EQ(ir::flops(g), 3 * forward);
  }
}

TEST_F(Convolution, SamePaddingGivesSizeOverStrideRoundedUp) {
  for (int64_t n = 1; n < 9; ++n) {
    for (const int64_t k : {1, 2, 3, 5}) {
      for (const int64_t s : {1, 2, 3}) {
        const Value y = ops::conv1d(input({1, n, 1}),
                                    input({k, 1, 1}),
                                    {.strides = {s},
                                     .padding = Padding::same(),
                                     .kernel_dilation = {2}});
        EXPECT_EQ(y.dim(1), (n + s - 1) / s) << n << " " << k << " " << s;
        const Value up = ops::conv_transpose(
            y, input({k, 1, 1}), {.strides = {s}, .padding = Padding::same()});
        EXPECT_EQ(up.dim(1), y.dim(1) * s);
      }
    }
  }
}

TEST_F(Convolution, DepthwiseAndTransposedShapes) {
  const Value x = input({2, 9, 9, 4});
  EXPECT_EQ(ops::depthwise_conv(x, input({3, 3, 4, 2})).type().str(),
            "f32[2,7,7,8]");
  EXPECT_EQ(ops::depthwise_conv(
                input({2, 4, 9, 9}), input({4, 2, 3, 3}), {.layout = kFirst})
                .type()
                .str(),
            "f32[2,8,7,7]");
  EXPECT_EQ(ops::conv_transpose(x, input({3, 3, 4, 5}), {.strides = {2, 1}})
                .type()
                .str(),
            "f32[2,19,11,5]");
}

TEST_F(Convolution, RefusesWhatDoesNotFit) {
  const Value x = input({2, 9, 9, 4});
  const Value w = input({3, 3, 4, 6});
  const auto conv = [&](const ConvOptions& o) { ops::conv2d(x, w, o); };
  EXPECT_ERROR(ops::conv1d(x, w), kBad, "conv1d: wants x of rank 3", "f32[2,9");
  EXPECT_ERROR(ops::conv(input({2, 3}), w), kBad, "1 to 10 spatial dimensions");
  EXPECT_ERROR(ops::conv(x, input({3, 4, 6})), kBad, "wants rank 4");
  EXPECT_ERROR(ops::conv(x, input({3, 3, 5, 6})),
               kBad,
               "x has 4 channels, the kernel reads 5 in each of 1 groups",
               "f32[2,9,9,4] and f32[3,3,5,6]");
  EXPECT_ERROR(ops::conv(x, input({3, 3, 4, 6}, DType::kF16)),
               kBad,
               "two float tensors of one dtype");
  EXPECT_ERROR(ops::conv(input({2, 9, 9, 4}, DType::kI32),
                         input({3, 3, 4, 6}, DType::kI32)),
               kBad,
               "float");
  EXPECT_ERROR(conv({.strides = {2}}), kBad, "one entry a spatial dimension");
  EXPECT_ERROR(conv({.padding = {.low = {1}}}), kBad, "one entry a spatial");
  EXPECT_ERROR(conv({.strides = {0, 1}}), kBad, "strides and dilations >= 1");
  EXPECT_ERROR(conv({.kernel_dilation = {1, -1}}), kBad, "dilations >= 1");
  EXPECT_ERROR(conv({.padding = Padding::same(), .input_dilation = {1, 0}}),
               kBad,
               "dilations >= 1");
  EXPECT_ERROR(ops::conv(x, input({0, 3, 4, 6})), kBad, "windows, strides");
}

TEST_F(Convolution, RefusesGroupsThatDoNotDivide) {
  const Value x = input({3, 9, 9, 4});
  const Value w = input({3, 3, 2, 5});
  EXPECT_ERROR(ops::conv(x, w, {.feature_groups = 2}),
               kBad,
               "5 output channels do not make 2 groups");
  EXPECT_ERROR(ops::conv(x, w, {.feature_groups = 0}), kBad, "groups >= 1");
  EXPECT_ERROR(ops::conv(x, w, {.feature_groups = 2, .batch_groups = 2}),
               kBad,
               "of features or of batches");
  EXPECT_ERROR(ops::conv(x, input({3, 3, 4, 6}), {.batch_groups = 2}),
               kBad,
               "3 examples do not make 2 groups");
  EXPECT_ERROR(
      ops::depthwise_conv(x, w), kBad, "[space...,C,M] for 4 channels");
  EXPECT_ERROR(
      ops::depthwise_conv(x, input({3, 3, 4, 1}), {.feature_groups = 2}),
      kBad,
      "the channels make the groups");
}

TEST_F(Convolution, RefusesBadLettersAndTransposedArguments) {
  const Value x = input({2, 9, 9, 4});
  const Value w = input({3, 3, 4, 6});
  for (const char* bad : {"b01f,01io", "b01f->b01f,01io"}) {
    EXPECT_ERROR(ops::conv_general(bad, x, w), kBad, "wants the form");
  }
  EXPECT_ERROR(ops::conv_general("bf,io->bf", x, w), kBad, "1 to 10 spatial");
  EXPECT_ERROR(ops::conv_general("b01c,01io->b01f", x, w),
               kBad,
               "term \"b01c\" wants 'f' once among 4 letters");
  EXPECT_ERROR(ops::conv_general("b01f,01io->b0f", x, w), kBad, "\"b0f\"");
  EXPECT_ERROR(ops::conv_general("b00f,01io->b01f", x, w), kBad, "'0' once");
  EXPECT_ERROR(
      ops::conv_transpose(x, input({3, 4, 6})), kBad, "a kernel of rank 4");
  EXPECT_ERROR(ops::conv_transpose(x, w, {.strides = {2}}),
               kBad,
               "one entry a spatial dimension");
}

HostArray normal(const Shape& s, uint64_t seed) {
  return random_normal({DType::kF64, s}, Key::from_seed(seed));
}

// <conv(x, w), y> = <x, conv_transpose(y, w with i and o exchanged)>
TEST(ConvTranspose, IsTheAdjointOfConv) {
  const auto x = normal({2, 6, 8, 3}, 1);
  const auto w = normal({3, 2, 3, 4}, 2);
  const auto y = normal({2, 3, 4, 4}, 3);
  const auto both = evaluate_at(
      [](const Values& v) -> Values {
        const Value a = ops::conv(
            v[0], v[1], {.strides = {2, 2}, .padding = Padding::same()});
        const Value b = ops::conv_transpose(
            v[2],
            ops::transpose(v[1], {0, 1, 3, 2}),
            {.strides = {2, 2}, .padding = Padding::same()});
        return {ops::sum(a * v[2]), ops::sum(v[0] * b)};
      },
      {x, w, y});
  EXPECT_NEAR(both[0].at(0), both[1].at(0), 1e-11);
}

// The rule for many examples against one example at a time.
void expect_batched(const std::string& spec,
                    const ConvOptions& options,
                    const Shape& x_shape,
                    const Shape& w_shape) {
  constexpr int64_t kSize = 3;
  const auto f = [&](const Values& v) -> Values {
    return {ops::conv_general(spec, v[0], v[1], options)};
  };
  for (const auto& [x_axis, w_axis] :
       {std::pair<int64_t, int64_t>(0, transforms::kShared),
        {transforms::kShared, 0},
        {0, 0}}) {
    const auto shape = [&](int64_t axis, const Shape& one) {
      auto dims = one.dims();
      if (axis == 0) dims.insert(dims.begin(), kSize);
      return Shape(dims);
    };
    const auto x = normal(shape(x_axis, x_shape), 4);
    const auto w = normal(shape(w_axis, w_shape), 5);
    const auto got =
        evaluate_at(transforms::batch(f, {x_axis, w_axis}), {x, w})[0];
    const auto want = evaluate_at(
        [&](const Values& v) -> Values {
          Values each;
          for (int64_t i = 0; i < kSize; ++i) {
            const auto pick = [&](const Value& t, int64_t axis) {
              if (axis != 0) return t;
              auto dims = t.shape().dims();
              dims.erase(dims.begin());
              return ops::reshape(ops::slice_axis(t, 0, i, i + 1), dims);
            };
            const Value y = f({pick(v[0], x_axis), pick(v[1], w_axis)})[0];
            auto dims = y.shape().dims();
            dims.insert(dims.begin(), 1);
            each.push_back(ops::reshape(y, dims));
          }
          return {ops::concatenate(each, 0)};
        },
        {x, w})[0];
    EXPECT_TRUE(close(got, want)) << spec << " " << x_axis << " " << w_axis;
  }
}

TEST(ConvBatch, FoldsTheExamplesIntoOneConvolution) {
  expect_batched("b0f,0io->b0f", {}, {2, 5, 4}, {3, 4, 6});
  expect_batched("fb0,o0i->0fb", {.feature_groups = 2}, {4, 2, 5}, {6, 3, 2});
  expect_batched("b0f,0io->b0f", {.batch_groups = 2}, {4, 5, 2}, {3, 2, 6});
}

TEST(ConvBatch, GivesTheKernelGradientOfEachExample) {
  const auto x = normal({3, 5, 5, 2}, 6);
  const auto w = normal({3, 3, 2, 4}, 7);
  const auto loss = [](const Values& v) {
    auto dims = v[0].shape().dims();
    dims.insert(dims.begin(), 1);
    const Value y =
        ops::conv(ops::reshape(v[0], dims), v[1], {.strides = {2, 1}});
    return ops::sum(y * y);
  };
  const auto each = [&](const Values& v) -> Values {
    return transforms::gradients(loss(v), {v[1]});
  };
  const auto got = evaluate_at(
      [&](const Values& v) -> Values {
        return {ops::sum(
            transforms::batch(each, {0, transforms::kShared})(v)[0], {0})};
      },
      {x, w})[0];
  const auto want = evaluate_at(
      [](const Values& v) -> Values {
        const Value y = ops::conv(v[0], v[1], {.strides = {2, 1}});
        return transforms::gradients(ops::sum(y * y), {v[1]});
      },
      {x, w})[0];
  EXPECT_TRUE(close(got, want, {1e-11, 1e-11}));
}

// A policy casts the factors; the result stays f32 or becomes 16-bit.
TEST(ConvPrecision, FactorsAreCastAndSumsAreNot) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {1, 4, 4, 2}});
  const Value w = g.input({DType::kF32, {3, 3, 2, 3}});
  const Value y = ops::conv(x, w);
  g.set_outputs(transforms::gradients(ops::sum(y * y), {x, w}));
  for (const bool low : {false, true}) {
    const auto made = transforms::apply_precision(
        g, {.compute = DType::kBF16, .low_glue = low});
    int convolutions = 0;
    for (const auto& n : made->nodes()) {
      if (n->op->name != "convolution") continue;
      ++convolutions;
      EXPECT_EQ(n->inputs[0].dtype(), DType::kBF16);
      EXPECT_EQ(n->inputs[1].dtype(), DType::kBF16);
      EXPECT_EQ(n->types[0].dtype, low ? DType::kBF16 : DType::kF32);
    }
    EXPECT_EQ(convolutions, 3);
    for (const Value& v : made->outputs()) {
      EXPECT_EQ(v.dtype(), DType::kF32);
    }
  }
}

}  // namespace
}  // namespace kexue::testing
