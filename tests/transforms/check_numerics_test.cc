// The first op that made a number that is none: where it is looked for, and
// how it is named.
#include <gtest/gtest.h>

#include "kexue/ir/verify.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/check_numerics.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using Pair = std::pair<Values, Values>;
using Function = std::function<Values(const Values&)>;

HostArray number(double x) {
  return HostArray::scalar(x);
}

// What the checked program of f says at x; "" if all is well. The program's
// own outputs must stay as they are.
std::string first(const Function& f, const std::vector<HostArray>& x) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (const auto& a : x) in.push_back(g.input(a.type()));
  g.set_outputs(f(in));
  const auto checked = transforms::check_numerics(g);
  ir::verify(*checked.graph);
  const auto want = ir::evaluate(g, x);
  const auto got = ir::evaluate(*transforms::simplify(*checked.graph), x);
  EXPECT_EQ(got.size(), want.size() + 1);
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(got[i].identical(want[i]));
  }
  const int64_t at = got.back().to_ints()[0];
  if (at < 0) return "";
  return checked.ops.at(static_cast<size_t>(at)).str();
}

std::string named(const std::string& op,
                  const std::string& scope,
                  int line,
                  const std::string& pass) {
  return op + (scope.empty() ? "" : " in " + scope) +
         " at check_numerics_test.cc:" + std::to_string(line) + " (" + pass +
         ")";
}

TEST(CheckNumerics, ForwardPass) {
  int line = 0;
  const Function f = [&](const Values& v) -> Values {
    const Scope scope("encoder");
    const Value a = ops::tanh(v[0]);
    line = __LINE__ + 1;
    const Value b = ops::log(a);
    return {ops::sum(ops::exp(b) * 2.0)};
  };
  const std::string found = first(f, {number(-1)});
  EXPECT_EQ(found, named("log", "encoder", line, "forward"));
  EXPECT_EQ(first(f, {number(1)}), "");
}

TEST(CheckNumerics, BackwardPass) {
  int line = 0;
  const Function f = [&](const Values& v) -> Values {
    const Scope scope("head");
    line = __LINE__ + 1;
    const Value y = ops::sqrt(v[0]);
    return {y, transforms::gradients(ops::sum(y), {v[0]})[0]};
  };
  const std::string found = first(f, {number(0)});
  // The line is the one of the op whose derivative went wrong.
  EXPECT_NE(found.find(" in head at check_numerics_test.cc:" +
                       std::to_string(line) + " (backward)"),
            std::string::npos)
      << found;
  EXPECT_EQ(first(f, {number(4)}), "");
}

TEST(CheckNumerics, LoopBodiesTurnByTurn) {
  int later = 0;
  int sooner = 0;
  const Function f = [&](const Values& v) -> Values {
    const auto r = ops::scan(
        [&](const Values& c, const Values& x) {
          const Scope scope("layer");
          sooner = __LINE__ + 1;
          const Value a = ops::log(x[0]);
          later = __LINE__ + 1;
          const Value b = ops::sqrt(x[1]);
          return Pair{{c[0] + a + b}, {b}};
        },
        {v[0]},
        {v[1], v[2]});
    return {r.carry[0], r.ys[0]};
  };
  const auto three = [](std::vector<double> x) {
    return HostArray::of<double>({3}, x);
  };
  EXPECT_EQ(first(f, {number(0), three({1, 2, 3}), three({1, 2, 3})}), "");
  EXPECT_EQ(first(f, {number(0), three({1, -2, 3}), three({1, 2, 3})}),
            named("log", "layer", sooner, "forward"));
  // In turn 0 the second op fails, before the first one does in turn 1.
  EXPECT_EQ(first(f, {number(0), three({1, -2, 3}), three({-1, 2, 3})}),
            named("sqrt", "layer", later, "forward"));
}

TEST(CheckNumerics, BackwardLoops) {
  const Function f = [&](const Values& v) -> Values {
    const auto r = ops::scan(
        [&](const Values& c, const Values& x) {
          const Scope scope("layer");
          return Pair{{c[0] * ops::sqrt(x[0])}, {}};
        },
        {v[0]},
        {v[1]});
    return transforms::gradients(r.carry[0], v);
  };
  const std::string found =
      first(f, {number(1), HostArray::of<double>({2}, {4, 0})});
  EXPECT_NE(found.find("in layer at"), std::string::npos) << found;
  EXPECT_NE(found.find("(backward)"), std::string::npos) << found;
}

TEST(CheckNumerics, OpenLoopsAndBranches) {
  int line = 0;
  const Function loop = [&](const Values& v) {
    return ops::while_loop(
        [](const Values& c) {
          return ops::greater(c[0], ops::full_like(c[0], -1.5));
        },
        [&](const Values& c) {
          line = __LINE__ + 1;
          return Values{c[0] - 1.0, ops::log(c[0])};
        },
        {v[0], v[0]});
  };
  const std::string in_loop = first(loop, {number(2)});
  EXPECT_EQ(in_loop, named("log", "", line, "forward"));
  const Function branch = [&](const Values& v) {
    return ops::cond(
        ops::greater(v[0], ops::zeros_like(v[0])),
        [](const Values& o) { return Values{ops::exp(o[0])}; },
        [&](const Values& o) {
          line = __LINE__ + 1;
          return Values{ops::log(o[0])};
        },
        v);
  };
  EXPECT_EQ(first(branch, {number(2)}), "");  // log(2) is not run
  EXPECT_EQ(first(branch, {number(1e4)}).substr(0, 3), "exp");
  const std::string in_branch = first(branch, {number(-2)});
  EXPECT_EQ(in_branch, named("log", "", line, "forward"));
}

TEST(CheckNumerics, CustomRulesAndRecomputedRegions) {
  const Function f = [](const Values& v) {
    const Values y = ops::remat(
        [](const Values& x) {
          return ops::custom_vjp(
              [](const Values& z) { return Values{ops::log(z[0])}; },
              [](const Values& z, const Values&, const Values& dy) {
                return Values{ops::sqrt(z[0] - 2.0) * dy[0]};
              },
              x);
        },
        v);
    return transforms::gradients(y[0], v);
  };
  EXPECT_EQ(first(f, {number(3)}), "");
  EXPECT_EQ(first(f, {number(-1)}).substr(0, 4), "log ");
  const std::string found = first(f, {number(1)});
  EXPECT_EQ(found.substr(0, 5), "sqrt ");
  EXPECT_NE(found.find("(backward)"), std::string::npos) << found;
}

TEST(CheckNumerics, ConstantsAreNoAccident) {
  const double inf = std::numeric_limits<double>::infinity();
  const Function f = [&](const Values& v) -> Values {
    const Value low =
        ops::broadcast_to(ops::full({DType::kF64, {}}, -inf), v[0].shape());
    return {ops::maximum(v[0], low)};
  };
  EXPECT_EQ(first(f, {HostArray::of<double>({2}, {1, 2})}), "");
}

}  // namespace
}  // namespace kexue::testing
