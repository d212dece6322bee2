#include "kexue/nn/stack.h"

#include <gtest/gtest.h>

#include "kexue/ir/evaluate.h"
#include "kexue/nn/nn.h"
#include "kexue/ops/ops.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::nn {
namespace {

using testing::close;
using testing::random_normal;

PostNormLayer layer(double dropout = 0) {
  return PostNormLayer({.dim = 4,
                        .heads = 2,
                        .inner = 6,
                        .dropout = dropout,
                        .attention_dropout = dropout});
}

const HostArray kMask = HostArray::from_doubles({DType::kBool, {1, 3}},
                                                std::vector<double>{1, 1, 0});

// Layer `index` of stacked values.
HostArray slice(const HostArray& stacked, int64_t index) {
  auto dims = stacked.shape().dims();
  dims.erase(dims.begin());
  HostArray out(stacked.dtype(), Shape(dims));
  for (int64_t i = 0; i < out.size(); ++i) {
    out.mutable_span<float>()[static_cast<size_t>(i)] =
        stacked.span<float>()[static_cast<size_t>(index * out.size() + i)];
  }
  return out;
}

TEST(Stack, EqualsItsLayersOneAfterTheOther) {
  Stack<PostNormLayer> stack({.depth = 3}, layer());
  PostNormLayer one = layer();
  std::vector<HostArray> values;
  for (const auto& p : parameters(stack)) {
    EXPECT_EQ(p.param.shape()[0], 3);
    values.push_back(
        random_normal(p.param.type(), Key::from_seed(values.size())));
  }
  HostArray x = random_normal({DType::kF32, {1, 3, 4}}, Key::from_seed(99));
  const auto run =
      [](auto& module, std::vector<HostArray> args, const HostArray& input) {
        Graph g;
        const ir::Tracing tracing(g);
        bind_inputs(g, parameters(module));
        const Value in = g.input(input.type());
        g.set_outputs({module(in, ops::constant(kMask))});
        args.push_back(input);
        return ir::evaluate(g, args)[0];
      };
  const HostArray got = run(stack, values, x);
  for (int64_t l = 0; l < 3; ++l) {
    std::vector<HostArray> mine;
    for (const auto& v : values) mine.push_back(slice(v, l));
    x = run(one, mine, x);
  }
  EXPECT_TRUE(close(got, x, {1e-5, 1e-5}));
}

TEST(Stack, GraphDoesNotGrowWithDepth) {
  const auto nodes = [](int64_t depth) {
    Stack<PostNormLayer> stack({.depth = depth}, layer());
    Graph g;
    const ir::Tracing tracing(g);
    bind_inputs(g, parameters(stack));
    stack(g.input({DType::kF32, {1, 3, 4}}), ops::constant(kMask));
    return g.nodes().size();
  };
  EXPECT_EQ(nodes(2), nodes(1000));
}

// Nothing but dropout: layers with the same mask would drop the same values.
class Drop final {
 public:
  Value operator()(const Value& x) const { return dropout(x, 0.5); }
  template <class V>
  void visit(V& v) {
    v("unused", unused_);
  }

 private:
  Param unused_{Shape{1}, Init::zeros()};
};

TEST(Stack, LayersDropDifferentValues) {
  const auto zeros = [](int64_t depth) {
    Stack<Drop> stack({.depth = depth}, Drop());
    Graph g;
    const ir::Tracing tracing(g);
    bind_inputs(g, parameters(stack));
    const Value key = g.input({DType::kU32, {2}});
    const RandomScope scope(g, key);
    g.set_outputs(
        {stack(ops::constant(HostArray::full({DType::kF32, {512}}, 1)))});
    const auto y = ir::evaluate(
        g,
        std::vector<HostArray>{
            HostArray(DType::kF32, {depth, 1}),
            HostArray::of<uint32_t>({2}, std::vector<uint32_t>{1, 2})})[0];
    int64_t count = 0;
    for (const float v : y.span<float>()) count += v == 0.0F ? 1 : 0;
    return count;
  };
  EXPECT_NEAR(static_cast<double>(zeros(1)), 256, 60);
  EXPECT_NEAR(static_cast<double>(zeros(2)), 384, 60);
  EXPECT_NEAR(static_cast<double>(zeros(3)), 448, 60);
}

TEST(Attention, MaskedPositionsHaveNoInfluence) {
  MultiHeadAttention block({.dim = 4, .heads = 2});
  const auto values = initial_values(parameters(block), Key::from_seed(4));
  const auto run = [&](float last) {
    HostArray x = random_normal({DType::kF32, {1, 3, 4}}, Key::from_seed(1));
    for (size_t i = 8; i < 12; ++i) x.mutable_span<float>()[i] = last;
    Graph g;
    const ir::Tracing tracing(g);
    bind_inputs(g, parameters(block));
    const Value in = g.input(x.type());
    g.set_outputs({ops::slice_axis(block(in, ops::constant(kMask)), 1, 0, 2)});
    auto args = values;
    args.push_back(x);
    return ir::evaluate(g, args)[0];
  };
  EXPECT_TRUE(run(1).identical(run(1e6F)));
}

TEST(Attention, WidthMustBeDivisibleByTheHeads) {
  EXPECT_ERROR(MultiHeadAttention({.dim = 10, .heads = 4}),
               Code::kInvalidArgument,
               "10",
               "4");
}

TEST(Activation, NamesAreThoseOfConfigurations) {
  EXPECT_EQ(activation_from_name("gelu"), Activation::kGelu);
  EXPECT_EQ(activation_from_name("gelu_new"), Activation::kGeluTanh);
  EXPECT_EQ(activation_from_name("relu"), Activation::kRelu);
  EXPECT_ERROR(
      activation_from_name("swish"), Code::kUnsupported, "swish", "gelu_new");
}

}  // namespace
}  // namespace kexue::nn
