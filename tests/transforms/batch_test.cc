// batch: under and over gradients, in loops, in itself; fallbacks and errors.
#include "kexue/transforms/batch.h"

#include <gtest/gtest.h>

#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/support.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"
#include "tests/support/tiny_functions.h"

namespace kexue::testing {
namespace {

using Arrays = std::vector<HostArray>;
using transforms::batch;
using transforms::kShared;
using Pair = std::pair<Values, Values>;

// Row e of every array that is batched.
Arrays example(const Arrays& x, const std::vector<bool>& batched, int64_t e) {
  Arrays out = x;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!batched[i]) continue;
    const auto& dims = x[i].shape().dims();
    out[i] =
        HostArray(x[i].dtype(),
                  Shape(std::vector<int64_t>(dims.begin() + 1, dims.end())));
    std::copy_n(x[i].data() + static_cast<size_t>(e) * out[i].bytes(),
                out[i].bytes(),
                out[i].mutable_data());
  }
  return out;
}

// The batch of f equals f of each example, output by output.
::testing::AssertionResult like_alone(const transforms::Map& f,
                                      const Arrays& x,
                                      const std::vector<bool>& batched) {
  std::vector<int64_t> axes;
  int64_t size = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    axes.push_back(batched[i] ? 0 : kShared);
    if (batched[i]) size = x[i].shape()[0];
  }
  const Arrays got = evaluate_at(batch(f, axes), x);
  for (int64_t e = 0; e < size; ++e) {
    const Arrays want = evaluate_at(f, example(x, batched, e));
    const Arrays row = example(got, std::vector<bool>(got.size(), true), e);
    for (size_t k = 0; k < want.size(); ++k) {
      auto same = close(row[k], want[k]);
      if (!same) return same << " in output " << k << " of example " << e;
    }
  }
  return ::testing::AssertionSuccess();
}

// Inputs of mlp for four examples.
Arrays many(const std::vector<bool>& batched) {
  Arrays x;
  for (size_t i = 0; i < kMlp.size(); ++i) {
    auto dims = kMlp[i].shape().dims();
    if (batched[i]) dims.insert(dims.begin(), 4);
    x.push_back(normal(Shape(dims), 20 + i));
  }
  return x;
}

TEST(Batch, OfGradientsOfOrderOneAndTwo) {
  const auto second = [](const Values& x) {
    const Values g = transforms::gradients(mlp(x), x);
    return transforms::gradients(ops::sum(g[1] * g[1]) + ops::sum(g[4]), x);
  };
  for (const std::vector<bool>& b :
       {std::vector<bool>{true, false, false, false, false},
        std::vector<bool>{false, true, false, false, true},
        std::vector<bool>{true, true, true, true, true}}) {
    EXPECT_TRUE(like_alone(transforms::grad(mlp), many(b), b));
    EXPECT_TRUE(like_alone(second, many(b), b));
  }
}

TEST(Batch, OfTheGradientOfATransformerBlockWithItsOwnKeys) {
  const auto f = [](const Values& x) {
    return transforms::gradients(block(x), {x[0], x[2], x[3], x[6]});
  };
  Arrays x = kBlock;
  const Arrays ids = {
      HostArray::of<int32_t>({2, 2, 3}, {0, 6, 3, 3, 2, 1, 5, 5, 5, 4, 0, 2})};
  x[1] = ids[0];
  x[5] = HostArray::of<uint32_t>({2, 2}, {8, 9, 1, 2});
  EXPECT_TRUE(
      like_alone(f, x, {false, true, false, false, false, true, false}));
  x[2] = normal({2, 4, 4}, 9);
  x[6] = normal({2, 4}, 10);
  EXPECT_TRUE(like_alone(f, x, {false, true, true, false, false, true, true}));
}

TEST(Batch, UnderAGradientMatchesDifferences) {
  // sum_b exp(loss_b): the gradient flows through the batched program.
  const auto f = [](const Values& x) {
    const Value losses =
        batch(transforms::Function(mlp), {0, kShared, kShared, 0, kShared})(x);
    return ops::sum(ops::exp(losses * 0.1));
  };
  EXPECT_TRUE(check_grads(f, many({true, false, false, true, false}), 2));
}

TEST(Batch, InItselfIsATable) {
  // All pairs of rows: the outer batch runs over a, the inner one over b.
  const auto pairs = [](const Values& v) {
    const auto with_a = [&](const Values& a) {
      return batch([&](const Values& b) -> Values {
        return {ops::sum(ops::tanh(a[0]) * b[0])};
      })({v[1]});
    };
    return batch(transforms::Map(with_a))({v[0]});
  };
  const Arrays x = {normal({3, 4}, 1), normal({5, 4}, 2)};
  const auto want = evaluate_at(
      [](const Values& v) -> Values {
        return {ops::einsum("ad,bd->ab", ops::tanh(v[0]), v[1])};
      },
      x);
  EXPECT_TRUE(close(evaluate_at(pairs, x)[0], want[0]));
}

TEST(Batch, InALoopAndOfALoop) {
  // A recurrence whose state differs between examples, with a counter that
  // does not; inside, a batch over the state's elements.
  const auto f = [](const Values& v) -> Values {
    const Value zero = ops::constant(HostArray::scalar(0.0));
    const auto r = ops::scan(
        [&](const Values& c, const Values& s) {
          const Value h = batch([&](const Values& e) -> Values {
            return {ops::tanh(e[0] + c[1]) * v[2]};
          })({c[0] + s[0]})[0];
          return Pair{{h, c[1] + 1.0}, {h * s[0], c[1]}};
        },
        {v[0], zero},
        {v[1]});
    return {r.carry[0], r.carry[1], r.ys[0], r.ys[1]};
  };
  const Arrays x = {normal({3, 2}, 1), normal({3, 4, 2}, 2), normal({3}, 3)};
  EXPECT_TRUE(like_alone(f, x, {true, true, true}));
  EXPECT_TRUE(like_alone(f,
                         {normal({3, 2}, 1), normal({4, 2}, 2), normal({}, 3)},
                         {true, false, false}));
  EXPECT_TRUE(like_alone(f,
                         {normal({2}, 1), normal({3, 4, 2}, 2), normal({}, 3)},
                         {false, true, false}));
  const auto slope = [&](const Values& v) {
    return transforms::gradients(ops::sum(f(v)[0]) + ops::sum(f(v)[2]), v);
  };
  EXPECT_TRUE(like_alone(slope, x, {true, true, true}));
}

TEST(Batch, ACounterOfALoopStaysSingle) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {3, 2}});
  g.set_outputs(batch([](const Values& v) {
    const Value zero = ops::constant(HostArray::scalar(int32_t{0}));
    return ops::scan(
               [](const Values& c, const Values&) {
                 return Pair{{c[0] * 2.0, c[1] + 1.0}, {}};
               },
               {v[0], zero},
               {},
               {.length = 4})
        .carry;
  })({x}));
  ir::verify(g);
  for (const auto& n : g.nodes()) {
    if (n->op != &ops::kScan) continue;
    EXPECT_EQ(n->types[0].str(), "f64[3,2]");
    EXPECT_EQ(n->types[1].str(), "i32[]");
  }
  EXPECT_EQ(g.outputs()[1].type().str(), "i32[3]");
}

TEST(Batch, OverAnyAxisAndOfResultsThatDoNotDiffer) {
  const auto y = evaluate_at(
      [](const Values& v) {
        return batch(
            [&](const Values& e) -> Values {
              return {e[0] * e[1], ops::sum(v[1]), e[1]};
            },
            {1, kShared})(v);
      },
      {HostArray::of<double>({2, 3}, {1, 2, 3, 4, 5, 6}),
       HostArray::of<double>({2}, {10, 100})});
  EXPECT_EQ(y[0].shape(), (Shape{3, 2}));
  EXPECT_EQ(y[0].to_doubles(),
            (std::vector<double>{10, 400, 20, 500, 30, 600}));
  EXPECT_EQ(y[1].to_doubles(), (std::vector<double>{110, 110, 110}));
  EXPECT_EQ(y[2].to_doubles(),
            (std::vector<double>{10, 100, 10, 100, 10, 100}));
}

TEST(Batch, OfNoExamplesIsEmpty) {
  const auto f = [](const Values& v) -> Values {
    return {ops::sum(v[0]), ops::take(v[0], v[1])};
  };
  const auto y = evaluate_at(
      batch(f),
      {HostArray(DType::kF64, {0, 3}), HostArray(DType::kI32, {0, 2})});
  EXPECT_EQ(y[0].shape(), (Shape{0}));
  EXPECT_EQ(y[1].shape(), (Shape{0, 2}));
}

TEST(Batch, PadsWithAFillerForEachExample) {
  const auto f = [](const Values& v) -> Values {
    const Attrs sides{{"low", std::vector<int64_t>{1}},
                      {"high", std::vector<int64_t>{2}}};
    return {v[0].graph().add(ops::kPad, {v[0], v[1]}, sides).out()};
  };
  EXPECT_TRUE(like_alone(f, {normal({3, 2}, 1), normal({3}, 2)}, {true, true}));
  EXPECT_TRUE(like_alone(f, {normal({2}, 1), normal({3}, 2)}, {false, true}));
}

// Ops as a user's extension might have them: without a batch rule.
const OpDef kCube{
    .name = "test_cube",
    .infer = ops::detail::same_type,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      auto v = c.x[0].to_doubles();
      for (double& x : v) x = x * x * x;
      return {HostArray::from_doubles(c.node.types[0], v)};
    },
};
const OpDef kCubeSum{
    .name = "test_cube_sum",
    .infer = [](const InferContext& c) -> ir::TypeList {
      return {c.type(0), {c.type(0).dtype, {}}};
    },
    .compose = [](const Node&, const Values& in) -> Values {
      return {in[0] * in[0] * in[0], ops::full({in[0].dtype(), {}}, 5)};
    },
};

int count(const Graph& g, const OpDef& op) {
  int n = 0;
  for (const auto& node : g.nodes()) n += node->op == &op;
  return n;
}

// x, then 2x with every turn until the limit (v[1]) is passed; turns counted.
Values doubled(const Values& v) {
  const Value zero = ops::constant(HostArray::scalar(0.0));
  return ops::while_loop([&](const Values& c) { return ops::less(c[1], v[1]); },
                         [&](const Values& c) -> Values {
                           return {c[0] * 2.0 + v[2], c[1] + 1.0};
                         },
                         {v[0], zero});
}

TEST(Batch, ALoopWhoseEndAllExamplesShareRunsOnce) {
  const Arrays shared = {
      normal({3, 2}, 1), HostArray::scalar(4.0), normal({3, 2}, 2)};
  EXPECT_TRUE(like_alone(doubled, shared, {true, false, true}));
  // The carry differs through what the body adds alone.
  EXPECT_TRUE(
      like_alone(doubled,
                 {normal({2}, 1), HostArray::scalar(4.0), normal({3, 2}, 2)},
                 {false, false, true}));
  // Each example has its own end.
  EXPECT_TRUE(like_alone(doubled,
                         {normal({3, 2}, 1),
                          HostArray::of<double>({3}, {0, 5, 2}),
                          normal({2}, 2)},
                         {true, true, false}));
  Graph g;
  const ir::Tracing tracing(g);
  g.set_outputs(
      batch(doubled, {0, kShared, kShared})({g.input({DType::kF64, {3, 2}}),
                                             g.input({DType::kF64, {}}),
                                             g.input({DType::kF64, {2}})}));
  ir::verify(g);
  EXPECT_EQ(count(g, ops::kScan), 0);
  EXPECT_EQ(count(g, ops::kWhile), 1);
}

TEST(Batch, ABranchThatAllExamplesTakeRunsOnce) {
  const auto f = [](const Values& v) {
    return ops::cond(
        v[1],
        [&](const Values& x) -> Values {
          return {x[0] * v[2], v[2]};
        },
        [](const Values& x) -> Values {
          return {ops::exp(x[0]), ops::ones_like(x[0])};
        },
        {v[0]});
  };
  const auto slope = [&](const Values& v) {
    return transforms::gradients(ops::sum(f(v)[0]), {v[0], v[2]});
  };
  for (const bool taken : {false, true}) {
    const Arrays x = {
        normal({3, 2}, 1), HostArray::scalar(taken), normal({2}, 2)};
    EXPECT_TRUE(like_alone(f, x, {true, false, false}));
    EXPECT_TRUE(like_alone(slope, x, {true, false, false}));
  }
  const Arrays own = {normal({3, 2}, 1),
                      HostArray::from_doubles({DType::kBool, {3}},
                                              std::vector<double>{1, 0, 1}),
                      normal({3, 2}, 2)};
  EXPECT_TRUE(like_alone(f, own, {true, true, true}));
  EXPECT_TRUE(like_alone(slope, own, {true, true, true}));
  Graph g;
  const ir::Tracing tracing(g);
  g.set_outputs(batch(transforms::Map(f),
                      {0, kShared, kShared})({g.input({DType::kF64, {3, 2}}),
                                              g.input({DType::kBool, {}}),
                                              g.input({DType::kF64, {2}})}));
  ir::verify(g);
  EXPECT_EQ(count(g, ops::kScan), 0);
  EXPECT_EQ(count(g, ops::kCase), 1);
}

TEST(Batch, OpsWithoutARuleLoopOrAreComposed) {
  const auto plain = [](const Values& v) {
    return v[0].graph().add(kCube, {v[0]}).outs();
  };
  const auto fused = [](const Values& v) {
    return v[0].graph().add(kCubeSum, {v[0]}).outs();
  };
  const Arrays x = {normal({3, 2}, 1)};
  EXPECT_TRUE(like_alone(plain, x, {true}));
  EXPECT_TRUE(like_alone(fused, x, {true}));
  Graph g;
  const ir::Tracing tracing(g);
  const Value v = g.input(x[0].type());
  g.set_outputs(batch(transforms::Map(plain))({v}));
  EXPECT_EQ(count(g, ops::kScan), 1);
  g.set_outputs(batch(transforms::Map(fused))({v}));
  EXPECT_EQ(count(g, ops::kScan), 1);  // that of kCube
}

TEST(Batch, OfProductsIsOneProduct) {
  Graph g;
  const ir::Tracing tracing(g);
  Values x;
  for (const auto& a : many({true, false, false, false, false})) {
    x.push_back(g.input(a.type()));
  }
  const auto f =
      batch(transforms::Function(mlp), {0, kShared, kShared, kShared, kShared});
  g.set_outputs({f(x)});
  const auto made = transforms::simplify(g);
  EXPECT_EQ(count(*made, ops::kMatmul), 2);
  EXPECT_EQ(count(*made, ops::kTanh), 2);
  EXPECT_EQ(count(*made, ops::kScan), 0);
}

TEST(Batch, KeepsTheScopeOfNodes) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {3}});
  batch([](const Values& v) -> Values {
    const Scope scope("inner");
    return {ops::exp(v[0])};
  })({x});
  EXPECT_EQ(g.nodes().back()->scope, "inner");
}

TEST(Batch, RefusesWhatItCannotStack) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value a = g.input({DType::kF32, {3, 2}});
  const Value b = g.input({DType::kF32, {2}});
  const auto f = [](const Values& v) { return v; };
  EXPECT_ERROR(batch(transforms::Map(f), {0})({a, b}),
               Code::kInvalidArgument,
               "batch: 2 inputs, 1 in_axes");
  EXPECT_ERROR(batch(transforms::Map(f), {0, 0})({a, b}),
               Code::kInvalidArgument,
               "batch: input 1 has 2 examples, inputs before it 3");
  EXPECT_ERROR(batch(transforms::Map(f), {0, 1})({a, b}),
               Code::kInvalidArgument,
               "batch: input 1 is f32[2] and has no axis 1");
  EXPECT_ERROR(batch(transforms::Map(f), {0, -2})({a, b}),
               Code::kInvalidArgument,
               "has no axis -2");
  EXPECT_ERROR(batch(transforms::Map(f), {kShared, kShared})({a, b}),
               Code::kInvalidArgument,
               "batch: no input is batched");
  EXPECT_ERROR(batch(transforms::Map(f))({}),
               Code::kInvalidArgument,
               "batch: no input is batched");
}

}  // namespace
}  // namespace kexue::testing
