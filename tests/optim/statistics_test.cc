#include "kexue/optim/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using Arrays = std::vector<HostArray>;
using optim::Group;

HostArray of(DType dtype, const Shape& shape, const std::vector<double>& v) {
  return HostArray::from_doubles({dtype, shape}, v);
}

TEST(Statistics, OfGroupsAndOfAll) {
  const std::vector<Group> groups = {{"low", {0}}, {"high", {1}}};
  const auto f = [&](const Values& g) -> Values {
    return {optim::per_group(groups,
                             [&](const Group& p) {
                               return optim::l2_norm(optim::part(g, p));
                             }),
            optim::l2_norm(g),
            optim::sum_of_squares(g),
            optim::l1_norm(g)};
  };
  const auto y = evaluate_at(
      f, {of(DType::kF64, {2}, {3, -4}), of(DType::kF64, {1, 2}, {0, 12})});
  EXPECT_EQ(y[0].to_doubles(), (std::vector<double>{5, 12}));
  EXPECT_EQ(y[1].at(0), 13);
  EXPECT_EQ(y[2].at(0), 169);
  EXPECT_EQ(y[3].at(0), 19);
}

TEST(Statistics, SixteenBitsAreAddedUpWide) {
  for (const DType d : {DType::kF16, DType::kBF16}) {
    const auto y = evaluate_at(
        [](const Values& g) -> Values {
          return {
              optim::l2_norm(g), optim::sum_of_squares(g), optim::dot(g, g)};
        },
        {HostArray::full({d, {1}}, 300)});
    EXPECT_EQ(y[0].dtype(), DType::kF32);
    EXPECT_EQ(y[0].at(0), 300);
    EXPECT_EQ(y[1].at(0), 90000);
    EXPECT_EQ(y[2].at(0), 90000);
  }
  const auto y =
      evaluate_at([](const Values& g) { return Values{optim::l1_norm(g)}; },
                  {HostArray::full({DType::kF16, {1}}, 2),
                   HostArray::full({DType::kF64, {1}}, 3)});
  EXPECT_EQ(y[0].dtype(), DType::kF64);
  EXPECT_EQ(y[0].at(0), 5);
}

TEST(Statistics, DotAndCosine) {
  const auto f = [](const Values& v) -> Values {
    const Values a = {v[0], v[1]};
    const Values b = {v[2], v[3]};
    return {optim::dot(a, b), optim::cosine(a, b)};
  };
  const auto y = evaluate_at(f,
                             {of(DType::kF64, {2}, {1, 2}),
                              of(DType::kF64, {1}, {2}),
                              of(DType::kF64, {2}, {2, 0}),
                              of(DType::kF64, {1}, {-1})});
  EXPECT_EQ(y[0].at(0), 0);
  EXPECT_EQ(y[1].at(0), 0);
  const auto z = evaluate_at(
      [](const Values& v) { return Values{optim::cosine({v[0]}, {v[1]})}; },
      {of(DType::kF64, {2}, {3, 4}), of(DType::kF64, {2}, {4, 3})});
  EXPECT_NEAR(z[0].at(0), 0.96, 1e-15);
}

TEST(Statistics, GradientsMatchDifferencesToSecondOrder) {
  const auto f = [](const Values& v) {
    return optim::cosine({v[0], v[1]}, {v[1], v[0]}) +
           optim::l2_norm({v[0], v[1]}) * optim::l1_norm({v[0]});
  };
  EXPECT_TRUE(check_grads(
      f,
      {of(DType::kF64, {3}, {1, -2, 0.5}), of(DType::kF64, {3}, {0.3, 2, -1})},
      2));
}

TEST(Statistics, ZeroVectorsHaveZeroGradients) {
  const auto zero = HostArray(DType::kF64, {2});
  const auto y = evaluate_at(
      [](const Values& v) -> Values {
        const Value n = optim::l2_norm({v[0]});
        const Value c = optim::cosine({v[0]}, {v[1]});
        const Value dn = transforms::gradients(n, {v[0]})[0];
        return {n,
                c,
                dn,
                transforms::gradients(c, {v[0]})[0],
                transforms::gradients(ops::sum(dn), {v[0]})[0]};
      },
      {zero, of(DType::kF64, {2}, {1, 2})});
  for (const auto& a : y) {
    for (const double x : a.to_doubles()) EXPECT_EQ(x, 0);
  }
}

TEST(Statistics, NanStaysNan) {
  const auto y = evaluate_at(
      [](const Values& v) -> Values {
        return {optim::l2_norm(v), optim::cosine(v, v), optim::l1_norm(v)};
      },
      {of(DType::kF32, {2}, {1, NAN})});
  for (const auto& a : y) EXPECT_TRUE(std::isnan(a.at(0)));
}

TEST(Statistics, NameTheGroupThatIsNotFinite) {
  const std::vector<Group> groups = {{"embedding", {0}}, {"head", {1}}};
  EXPECT_NO_THROW(optim::require_finite(
      groups, of(DType::kF32, {2}, {1, 2}), "gradient norm"));
  EXPECT_ERROR(
      optim::require_finite(
          groups, of(DType::kF32, {2}, {1, INFINITY}), "gradient norm"),
      Code::kInvalidArgument,
      "gradient norm of group head is inf");
  EXPECT_ERROR(optim::require_finite(groups, of(DType::kF32, {1}, {1}), "norm"),
               Code::kInvalidArgument,
               "2 groups, 1 numbers");
}

TEST(Statistics, RefuseListsThatDoNotFit) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value a = g.input({DType::kF32, {2}});
  const Value b = g.input({DType::kF32, {3}});
  EXPECT_ERROR(optim::l2_norm({}), Code::kInvalidArgument, "list is empty");
  EXPECT_ERROR(optim::dot({a}, {a, b}),
               Code::kInvalidArgument,
               "dot of 1 and 2 tensors");
  EXPECT_ERROR(
      optim::dot({a}, {b}), Code::kInvalidArgument, "dot of f32[2] and f32[3]");
  EXPECT_ERROR(optim::part({a}, {"late", {3}}),
               Code::kInvalidArgument,
               "group late names tensor 3 of 1");
  EXPECT_ERROR(optim::per_group({}, [&](const Group&) { return a; }),
               Code::kInvalidArgument,
               "no groups");
}

}  // namespace
}  // namespace kexue::testing
