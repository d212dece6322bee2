#include "kexue/nn/layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"

namespace kexue::nn {
namespace {

using testing::close;

HostArray f32(const Shape& shape, const std::vector<float>& values) {
  return HostArray::of<float>(shape, values);
}

// y of a module with these parameter values.
template <class Module>
HostArray run(Module& module,
              const std::vector<HostArray>& values,
              const HostArray& x) {
  Graph g;
  const ir::Tracing tracing(g);
  bind_inputs(g, parameters(module));
  g.set_outputs({module(g.input(x.type(), "x"))});
  auto args = values;
  args.push_back(x);
  return ir::evaluate(g, args)[0];
}

TEST(Dense, MultipliesAndAddsTheBias) {
  Dense dense({.in = 2, .out = 3});
  const HostArray y =
      run(dense,
          {f32({3, 2}, {1, 2, 3, 4, 5, 6}), f32({3}, {1, 0, -1})},
          f32({1, 2, 2}, {1, 0, 1, 1}));
  EXPECT_TRUE(close(y, f32({1, 2, 3}, {2, 3, 4, 4, 7, 10})));
}

TEST(Dense, WithoutBiasHasOneParameter) {
  Dense dense({.in = 2, .out = 1, .bias = false});
  EXPECT_EQ(parameters(dense).size(), 1U);
  EXPECT_TRUE(close(run(dense, {f32({1, 2}, {2, 3})}, f32({2}, {1, 1})),
                    f32({1}, {5})));
}

TEST(Dense, WrongWidthShowsBoth) {
  Dense dense({.in = 768, .out = 2});
  Graph g;
  const ir::Tracing tracing(g);
  bind_inputs(g, parameters(dense));
  const Scope scope("ffn");
  const Value x = g.input({DType::kF32, {8, 128, 512}});
  EXPECT_ERROR(dense(x),
               Code::kInvalidArgument,
               "dense: last dim of x must be 768, got f32[8,128,512]",
               "in ffn");
}

TEST(Param, UseOutsideItsTraceIsAnError) {
  Dense dense({.in = 2, .out = 2});
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2}});
  EXPECT_ERROR(
      dense(x), Code::kInvalidArgument, "not bound in this trace", "visit()");
  EXPECT_ERROR(Param()(), Code::kInvalidArgument, "empty parameter");
}

TEST(Param, TruncatedNormalStaysWithinTwoDeviations) {
  const Param p(Shape{100, 100}, Init::truncated_normal(0.02F));
  const HostArray a = p.initial(Key::from_seed(1));
  double squares = 0;
  for (const float x : a.span<float>()) {
    EXPECT_LE(std::fabs(x), 0.04F);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  EXPECT_NEAR(std::sqrt(squares / 1e4), 0.02 * 0.8796, 2e-4);
  EXPECT_TRUE(p.initial(Key::from_seed(1)).identical(a));
  EXPECT_FALSE(p.initial(Key::from_seed(2)).identical(a));
}

TEST(Param, InitialValuesOfAModule) {
  LayerNorm norm({.dim = 3});
  const auto values = initial_values(parameters(norm), Key::from_seed(1));
  EXPECT_TRUE(values[0].identical(f32({3}, {1, 1, 1})));
  EXPECT_TRUE(values[1].identical(f32({3}, {0, 0, 0})));
}

class Tied final {
 public:
  Tied() : shared_(Shape{1}, Init::zeros()), inner_({.in = 1, .out = 1}) {}
  template <class V>
  void visit(V& v) {
    v("first", shared_);
    v("again", shared_);
    v("inner", inner_);
  }

 private:
  Param shared_;
  Dense inner_;
};

TEST(Parameters, AreNamedByPathAndTiedOnesListedOnce) {
  Tied module;
  std::vector<std::string> names;
  for (const auto& p : parameters(module)) names.push_back(p.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"first", "inner.weight", "inner.bias"}));
}

TEST(Embedding, PicksRows) {
  Embedding table({.count = 3, .dim = 2});
  const HostArray ids =
      HostArray::of<int32_t>({1, 2}, std::vector<int32_t>{2, 0});
  EXPECT_TRUE(close(run(table, {f32({3, 2}, {1, 2, 3, 4, 5, 6})}, ids),
                    f32({1, 2, 2}, {5, 6, 1, 2})));
}

TEST(Embedding, TooManyPositionsNamesBothNumbers) {
  Embedding table({.count = 512, .dim = 2});
  Graph g;
  const ir::Tracing tracing(g);
  bind_inputs(g, parameters(table));
  EXPECT_EQ(table.first(512).shape(), (Shape{512, 2}));
  EXPECT_ERROR(table.first(600),
               Code::kInvalidArgument,
               "sequence of 600 positions",
               "position table has 512",
               "hint: truncate");
}

TEST(LayerNorm, ConstantRowGivesBeta) {
  LayerNorm norm({.dim = 2});
  const HostArray y = run(norm,
                          {f32({2}, {2, 2}), f32({2}, {0.5F, -1})},
                          f32({2, 2}, {7, 7, 1, 3}));
  EXPECT_TRUE(close(y, f32({2, 2}, {0.5F, -1, -1.5F, 1})));
}

TEST(Dropout, PassesItsInputWithoutARandomScope) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {4}});
  EXPECT_EQ(dropout(x, 0.5), x);
  const Value key = g.input({DType::kU32, {2}});
  const RandomScope scope(g, key);
  EXPECT_EQ(dropout(x, 0), x);
  EXPECT_FALSE(dropout(x, 0.5) == x);
}

TEST(Dropout, SitesDifferAndKeysDecide) {
  const auto masks = [](uint32_t seed) {
    Graph g;
    const ir::Tracing tracing(g);
    const Value key = g.input({DType::kU32, {2}});
    const RandomScope scope(g, key);
    const Value ones = ops::constant(HostArray::full({DType::kF32, {256}}, 1));
    g.set_outputs({dropout(ones, 0.5), dropout(ones, 0.5)});
    return ir::evaluate(g,
                        std::vector<HostArray>{HostArray::of<uint32_t>(
                            {2}, std::vector<uint32_t>{seed, 7})});
  };
  const auto a = masks(1);
  EXPECT_FALSE(a[0].identical(a[1]));
  EXPECT_TRUE(masks(1)[0].identical(a[0]));
  EXPECT_FALSE(masks(2)[0].identical(a[0]));
  double sum = 0;
  for (const float x : a[0].span<float>()) {
    EXPECT_TRUE(x == 0.0F || x == 2.0F);
    sum += static_cast<double>(x);
  }
  EXPECT_NEAR(sum / 256, 1, 0.3);
}

}  // namespace
}  // namespace kexue::nn
