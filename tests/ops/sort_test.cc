#include "kexue/ops/sort.h"

#include <gtest/gtest.h>

#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using Doubles = std::vector<double>;

constexpr Code kBad = Code::kInvalidArgument;

HostArray f64(const Shape& s, const Doubles& v) {
  return HostArray::from_doubles({DType::kF64, s}, v);
}

TEST(Sort, UnusedValuesAndThePermutationArePruned) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {4}});
  const Value v = g.input({DType::kF32, {4}});
  const Value w = g.input({DType::kI32, {4}});
  g.set_outputs({ops::sort_by_key(x, {v, w})[2]});
  const auto plain = transforms::simplify(g);
  int sorts = 0;
  for (const auto& n : plain->nodes()) {
    if (n->op != &ops::kSort) continue;
    ++sorts;
    EXPECT_EQ(n->inputs.size(), 2U);
    EXPECT_EQ(n->types[1].str(), "i32[4]");
  }
  EXPECT_EQ(sorts, 1);
}

TEST(Sort, APrunedSortStillHasItsDerivative) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF64, {4}});
  const Value y = ops::sort(x, {.descending = true});
  Node& made = g.add(ops::kSort,
                     {x},
                     {{"axis", int64_t{0}},
                      {"descending", int64_t{1}},
                      {"indexed", int64_t{0}}});
  const Value c = ops::constant(f64({4}, {1, 2, 3, 4}));
  g.set_outputs({transforms::gradients(ops::sum(y * c), {x})[0],
                 transforms::gradients(ops::sum(made.out() * c), {x})[0]});
  const auto d = ir::evaluate(g, std::vector{f64({4}, {5, 7, -1, 6})});
  EXPECT_EQ(d[0].to_doubles(), (Doubles{3, 1, 4, 2}));
  EXPECT_TRUE(d[1].identical(d[0]));
}

TEST(Sort, ArgsortTakesToTheSortedValues) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        const Value at = ops::argsort(x[0], {.axis = 0});
        return {ops::take_along_axis(x[0], at, 0),
                ops::sort(x[0], {.axis = 0})};
      },
      {random_normal({DType::kF32, {40, 3}}, Key::from_seed(9))});
  EXPECT_TRUE(y[0].identical(y[1]));
}

TEST(TopK, GivesPlacesOfTheFirstOfEqualsAndNanLast) {
  const auto y = evaluate_at(
      [](const Values& x) -> Values {
        const auto top = ops::top_k(x[0], 3);
        const auto all = ops::top_k(x[0], 6);
        return {top.values, top.indices, all.indices};
      },
      {f64({1, 6}, {1, NAN, 3, 3, -INFINITY, 3})});
  EXPECT_EQ(y[0].type().str(), "f64[1,3]");
  EXPECT_EQ(y[0].to_doubles(), (Doubles{3, 3, 3}));
  EXPECT_EQ(y[1].type().str(), "i32[1,3]");
  EXPECT_EQ(y[1].to_doubles(), (Doubles{2, 3, 5}));
  EXPECT_EQ(y[2].to_doubles(), (Doubles{2, 3, 5, 0, 4, 1}));
}

TEST(TopK, OfNoneIsEmpty) {
  const auto y = evaluate_at(
      [](const Values& x) { return Values{ops::top_k(x[0], 0).values}; },
      {f64({4}, {1, 2, 3, 4})});
  EXPECT_EQ(y[0].type().str(), "f64[0]");
}

TEST(Sort, Errors) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 3}});
  const Value s = g.input({DType::kF32, {}});
  const Value c = g.input({DType::kC64, {2}});
  EXPECT_ERROR(ops::sort(x, {.axis = 2}), kBad, "sort: axis 2");
  EXPECT_ERROR(ops::sort(s), kBad, "sort: axis -1");
  EXPECT_ERROR(ops::sort(c), kBad, "sort: complex numbers have no order");
  EXPECT_ERROR(ops::sort_by_key(x, {s}),
               kBad,
               "sort: wants values of one shape",
               "f32[2,3] and f32[]");
  EXPECT_ERROR(
      ops::top_k(x, 4), kBad, "top_k: no 4 elements along axis 1 of f32[2,3]");
  EXPECT_ERROR(ops::top_k(x, -1, 0), kBad, "top_k: no -1 elements");
  EXPECT_ERROR(ops::top_k(x, 1, 5), kBad, "top_k: axis 5");
}

}  // namespace
}  // namespace kexue::testing
