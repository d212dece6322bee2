#include "kexue/ir/graph.h"

#include <gtest/gtest.h>

#include <thread>

#include "kexue/ir/clone.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ir/print.h"
#include "kexue/ir/verify.h"
#include "tests/support/error_matchers.h"

namespace kexue::ir {
namespace {

// y = x + 1 for f64, enough of an op for a graph.
std::vector<HostArray> eval_next(const EvalContext& c) {
  HostArray out = c.x[0].clone();
  for (double& x : out.mutable_span<double>()) x += 1;
  return {out};
}

constexpr OpDef kNext{
    .name = "next",
    .infer = [](const InferContext& c) -> TypeList { return {c.type(0)}; },
    .eval = eval_next,
};
// Two outputs: x and its shape as an empty tensor.
constexpr OpDef kTwo{
    .name = "two",
    .infer = [](const InferContext& c) -> TypeList {
      return {c.type(0), {DType::kF64, {0}}};
    },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return {c.x[0], HostArray(DType::kF64, {0})};
    },
};
// Evaluates to another type than it infers.
constexpr OpDef kLiar{
    .name = "liar",
    .infer = [](const InferContext&) -> TypeList {
      return {{DType::kF32, {}}};
    },
    .eval = eval_next,
};
constexpr OpDef kPicky{
    .name = "picky",
    .infer = [](const InferContext&) -> TypeList {
      throw Error(Code::kInvalidArgument, "picky: wants nothing");
    },
};

const TensorType kScalar{DType::kF64, {}};

TEST(Graph, EvaluatesInOrder) {
  Graph g;
  const Value x = g.input(kScalar, "x");
  const Value y = g.add(kNext, {x}).out();
  g.set_outputs({g.add(kNext, {y}).out(), x});
  const auto out = evaluate(g, std::vector{HostArray::scalar(3.0)});
  EXPECT_EQ(out[0].at(0), 5);
  EXPECT_EQ(out[1].at(0), 3);
}

TEST(Graph, ArgumentsMustMatchTheInputs) {
  Graph g;
  g.set_outputs({g.input(kScalar)});
  EXPECT_ERROR(
      evaluate(g, {}), Code::kInvalidArgument, "1 inputs, got 0 arguments");
  EXPECT_ERROR(evaluate(g, std::vector{HostArray::scalar(3.0f)}),
               Code::kInvalidArgument,
               "input 0 is f64[], got f32[]");
}

TEST(Graph, AWrongEvaluationIsOurBug) {
  Graph g;
  g.set_outputs({g.add(kLiar, {g.input(kScalar)}).out()});
  EXPECT_ERROR(evaluate(g, std::vector{HostArray::scalar(3.0)}),
               Code::kInternal,
               "liar: evaluated to f64[], inferred f32[]");
}

TEST(Graph, ErrorsOfInferCarryTheScope) {
  Graph g;
  const Value x = g.input(kScalar);
  const Scope outer("encoder");
  EXPECT_EQ(Scope::path(), "encoder");
  {
    const Scope inner("ffn");
    EXPECT_ERROR(g.add(kPicky, {x}),
                 Code::kInvalidArgument,
                 "picky: wants nothing",
                 "in encoder/ffn");
  }
  EXPECT_EQ(Scope::path(), "encoder");
  EXPECT_EQ(g.nodes().size(), 1u);  // a failed node is not there
}

TEST(Graph, ValuesOfUnrelatedGraphsDoNotMix) {
  Graph a;
  Graph b;
  const Value x = a.input(kScalar);
  const Value y = b.input(kScalar);
  EXPECT_ERROR(a.add(kNext, {x, y}),
               Code::kInvalidArgument,
               "two unrelated graphs",
               "hint: a value lives only inside");
  EXPECT_ERROR(a.set_outputs({y}), Code::kInvalidArgument, "unrelated");
  EXPECT_ERROR(a.import(Value{}), Code::kInvalidArgument, "empty Value");
  EXPECT_ERROR(Value{}.type(), Code::kInvalidArgument, "empty Value");
}

TEST(Graph, OuterValuesBecomeCapturesOnce) {
  Graph outer;
  const Value x = outer.input(kScalar);
  const Value y = outer.input(kScalar);
  Graph middle(&outer);
  Graph inner(&middle);
  const Value c = inner.input(kScalar);
  const Value a = inner.import(x);
  EXPECT_EQ(inner.import(x), a);
  EXPECT_EQ(&a.graph(), &inner);
  inner.add(kNext, {c, y});
  EXPECT_EQ(inner.captures().size(), 2u);
  EXPECT_EQ(middle.captures(), (Values{x, y}));
  EXPECT_EQ(inner.inputs().size(), 3u);
  inner.close();
  EXPECT_EQ(inner.parent(), nullptr);
  EXPECT_ERROR(inner.import(y), Code::kInvalidArgument, "unrelated");
}

TEST(Graph, NodesGoToTheInnermostGraphOfTheirInputs) {
  Graph outer;
  const Value x = outer.input(kScalar);
  Graph inner(&outer);
  const Value c = inner.input(kScalar);
  EXPECT_EQ(inner.add(kNext, {x}).graph, &outer);
  EXPECT_EQ(outer.add(kNext, {x, c}).graph, &inner);
}

TEST(Graph, BindingsAreSeenFromInside) {
  Graph outer;
  const Value x = outer.input(kScalar);
  const int key = 0;
  outer.bind(&key, x);
  Graph inner(&outer);
  EXPECT_EQ(outer.find(&key), x);
  EXPECT_EQ(&inner.find(&key).graph(), &inner);
  EXPECT_FALSE(inner.find(&outer));
}

TEST(Tracing, IsPerThreadAndNests) {
  EXPECT_ERROR(Tracing::current(),
               Code::kInvalidArgument,
               "no graph is being traced",
               "hint:");
  Graph a;
  const Tracing first(a);
  {
    Graph b(&a);
    const Tracing second(b);
    EXPECT_EQ(&Tracing::current(), &b);
    EXPECT_EQ(&Tracing::innermost(a), &b);
    Graph c;
    EXPECT_EQ(&Tracing::innermost(c), &c);
    std::thread([] {
      EXPECT_ERROR(Tracing::current(), Code::kInvalidArgument, "no graph");
    }).join();
  }
  EXPECT_EQ(&Tracing::current(), &a);
}

TEST(Clone, CopiesDeeplyAndKeepsScopes) {
  Graph g;
  const Value x = g.input(kScalar, "x");
  {
    const Scope scope("layer");
    g.set_outputs({g.add(kNext, {x}).out()});
  }
  const auto copy = clone(g);
  EXPECT_EQ(print(*copy), print(g));
  EXPECT_EQ(copy->nodes()[1]->scope, "layer");
  EXPECT_NE(copy->nodes()[0].get(), g.nodes()[0].get());
  verify(*copy);
}

TEST(Clone, InliningReplacesInputs) {
  Graph f;
  const Value a = f.input(kScalar);
  f.set_outputs({f.add(kNext, {a}).out(), a});
  Graph g;
  const Value x = g.input(kScalar);
  const Values once = inline_graph(f, {x}, g);
  const Values twice = inline_graph(f, {once[0]}, g);
  EXPECT_EQ(once[1], x);
  g.set_outputs({twice[0]});
  EXPECT_EQ(evaluate(g, std::vector{HostArray::scalar(0.0)})[0].at(0), 2);
  EXPECT_ERROR(
      inline_graph(f, {}, g), Code::kInternal, "1 inputs, got 0 arguments");
}

TEST(Print, ShowsTypesAttributesScopesAndRegions) {
  Graph g;
  const Value x = g.input({DType::kBF16, {2, 3}}, "x");
  const Value k = g.input({DType::kU32, {2}});
  auto body = std::make_unique<Graph>();
  body->set_outputs({body->add(kNext, {body->input(kScalar)}).out()});
  std::vector<std::unique_ptr<Graph>> regions;
  regions.push_back(std::move(body));
  const Scope scope("bert");
  Node& n = g.add(kTwo,
                  {x, k},
                  {{"names", std::string("a,b")},
                   {"axes", std::vector<int64_t>{0, -1}},
                   {"eps", 1e-12},
                   {"count", int64_t{3}},
                   {"to", DType::kF16},
                   {"value", HostArray::scalar(0.5f)}},
                  std::move(regions));
  g.set_outputs({n.out(0), g.add(kNext, {n.out(1)}).out()});
  EXPECT_EQ(print(g),
            "graph(%0: bf16[2,3], %1: u32[2]) {\n"
            "  %2 = two(%0, %1) {axes=[0,-1], count=3, eps=1e-12, "
            "names=\"a,b\", to=f16, value=f32[](0.5)} : bf16[2,3], f64[0]  "
            "# bert\n"
            "    graph(%0: f64[]) {\n"
            "      %1 = next(%0) : f64[]\n"
            "      return %1\n"
            "    }\n"
            "  %3 = next(%2.1) : f64[0]  # bert\n"
            "  return %2.0, %3\n"
            "}\n");
}

TEST(Verify, CatchesABrokenGraph) {
  const auto broken = [](const std::function<void(Graph&, Graph&)>& damage) {
    return [damage] {
      Graph g;
      Graph other;
      const Value x = g.input(kScalar);
      const Value y = g.add(kNext, {x}).out();
      g.set_outputs({g.add(kNext, {y}).out()});
      verify(g);
      damage(g, other);
      verify(g);
    };
  };
  const auto internal = Code::kInternal;
  EXPECT_ERROR(broken([](Graph& g, Graph&) {
                 g.nodes()[1]->types[0] = {DType::kF32, {}};
               })(),
               internal,
               "verifier: %1 = next: types differ from the inferred");
  EXPECT_ERROR(broken([](Graph& g, Graph&) {
                 g.nodes()[1]->inputs[0] = g.nodes()[2]->out();
               })(),
               internal,
               "%1 = next: input comes later");
  EXPECT_ERROR(broken([](Graph& g, Graph& other) {
                 g.nodes()[1]->inputs[0] = other.input(kScalar);
               })(),
               internal,
               "input of another graph");
  EXPECT_ERROR(broken([](Graph& g, Graph&) {
                 g.nodes()[2]->inputs[0] = Value(g.nodes()[1].get(), 4);
               })(),
               internal,
               "input index out of range");
  EXPECT_ERROR(
      broken([](Graph& g, Graph&) { g.nodes()[2]->inputs[0] = Value{}; })(),
      internal,
      "empty input");
  EXPECT_ERROR(broken([](Graph& g, Graph&) { g.nodes()[1]->id = 7; })(),
               internal,
               "wrong id");
  EXPECT_ERROR(
      broken([](Graph& g, Graph& other) { g.nodes()[1]->graph = &other; })(),
      internal,
      "wrong owner");
  EXPECT_ERROR(broken([](Graph& g, Graph&) {
                 g.nodes()[1]->regions.push_back(std::make_unique<Graph>(&g));
               })(),
               internal,
               "region is still open");
}

TEST(Attrs, TypedReadsAndText) {
  Attrs a{{"b", int64_t{2}}, {"a", 0.5}};
  EXPECT_EQ(a.i("b"), 2);
  EXPECT_EQ(a.f("a"), 0.5);
  EXPECT_EQ(a.str(), "a=0.5, b=2");
  a.set("b", int64_t{3});
  EXPECT_EQ(a.str(), "a=0.5, b=3");
  EXPECT_TRUE(a.has("a"));
  EXPECT_FALSE(a.has("c"));
  EXPECT_ERROR(a.i("c"), Code::kInternal, "attribute \"c\" missing");
  EXPECT_ERROR(a.i("a"), Code::kInternal, "\"a\" has another type");
}

TEST(Attrs, EqualArraysPrintEquallyAndOthersDoNot) {
  const auto text = [](const HostArray& array) {
    return Attrs{{"v", array}}.str();
  };
  EXPECT_EQ(text(HostArray::of<float>({2}, {1, 2})),
            text(HostArray::of<float>({2}, {1, 2})));
  EXPECT_NE(text(HostArray::of<float>({2}, {1, 2})),
            text(HostArray::of<float>({2}, {1, 3})));
  EXPECT_EQ(text(HostArray::scalar(int64_t{9007199254740993})),
            "v=i64[](9007199254740993)");
}

}  // namespace
}  // namespace kexue::ir
