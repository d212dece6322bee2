// Sweep rows: branches, loops of open length, custom rules, barriers.
#include <cmath>

#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

Values half(const Values& v) {
  return {v[0] * 0.5};
}

void add_branch_rows(std::vector<Row>& rows) {
  for (const bool taken : {true, false}) {
    rows.push_back({"case",
                    taken ? "cond, true" : "cond, false",
                    {{{3}}, {{3}}},
                    [=](const Values& x, DType) -> Values {
                      const Value one = ops::scalar_like(x[0], 1);
                      const Value zero = ops::scalar_like(x[0], 0);
                      const Value pred =
                          taken ? ops::less(zero, one) : ops::less(one, zero);
                      return ops::cond(
                          pred,
                          [&](const Values& v) {
                            return Values{v[0] * v[0] * x[1], v[0]};
                          },
                          [&](const Values& v) {
                            return Values{v[0] + x[1] * x[1], x[1]};
                          },
                          {x[0]});
                    },
                    [=](const std::vector<Doubles>& x) {
                      Doubles y;
                      for (size_t i = 0; i < 3; ++i) {
                        const double a = x[0][i];
                        const double b = x[1][i];
                        y.push_back(taken ? a * a * b : a + b * b);
                      }
                      return y;
                    },
                    3});
  }
  // Indices below and above the list, on a scalar and on nothing at all.
  for (const double index : {-7., 0., 1., 2., 99.}) {
    for (const Shape& shape : {Shape{}, Shape{0, 2}}) {
      rows.push_back(
          {"case",
           "switch_case " + std::to_string(static_cast<int>(index)) + " of " +
               TensorType{DType::kF64, shape}.str(),
           {{shape}, {{}, 0, 0, DType::kI32, {index}}},
           [](const Values& x, DType) {
             return ops::switch_case(
                 x[1],
                 {[](const Values& v) { return Values{v[0] * v[0]}; },
                  [](const Values& v) { return Values{v[0] * 3.0}; },
                  [](const Values& v) { return Values{v[0] * v[0] * v[0]}; }},
                 {x[0]});
           },
           [=](const std::vector<Doubles>& x) {
             Doubles y;
             for (const double a : x[0]) {
               y.push_back(index <= 0 ? a * a : index == 1 ? 3 * a : a * a * a);
             }
             return y;
           },
           3});
    }
  }
}

void add_while_rows(std::vector<Row>& rows) {
  rows.push_back(
      {"while",
       "halve while above a captured limit",
       {{{}, 60, 90}, {{}, 1, 2}},
       [](const Values& x, DType) {
         return ops::while_loop(
             [&](const Values& c) { return ops::greater(c[0], x[1]); },
             half,
             {x[0]});
       },
       [](const std::vector<Doubles>& x) {
         double a = x[0][0];
         while (a > x[1][0]) a /= 2;
         return Doubles{a};
       }});
  rows.push_back(
      {"while",
       "no turn at all, an odd vector",
       {{{3}}},
       [](const Values& x, DType) {
         const Value z = ops::scalar_like(x[0], 0);
         return ops::while_loop(
             [&](const Values&) { return ops::less(z, z); }, half, {x[0]});
       },
       [](const std::vector<Doubles>& x) { return x[0]; }});
}

void add_rule_rows(std::vector<Row>& rows) {
  const auto exp_rule = [](bool first_order) {
    return [=](const Value& x) {
      return ops::custom_vjp(
          [](const Values& v) { return Values{ops::exp(v[0])}; },
          [](const Values&, const Values& y, const Values& dy) {
            return Values{dy[0] * y[0]};
          },
          {x},
          {.name = "my_exp", .first_order_only = first_order})[0];
    };
  };
  const auto exps = [](const std::vector<Doubles>& x) {
    Doubles y;
    for (const double a : x[0]) y.push_back(std::exp(a));
    return y;
  };
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}}) {
    rows.push_back(
        {"custom_vjp",
         "exp by a rule of one's own, " + TensorType{DType::kF64, shape}.str(),
         {{shape}},
         [=](const Values& x, DType) -> Values {
           return {exp_rule(false)(x[0])};
         },
         exps,
         3});
  }
  rows.push_back({"first_order",
                  "the gradient of a rule that has no second order",
                  {{{3}}},
                  [=](const Values& x, DType) {
                    return transforms::gradients(ops::sum(exp_rule(true)(x[0])),
                                                 {x[0]});
                  },
                  exps});
}

}  // namespace

void add_control_rows(std::vector<Row>& rows) {
  add_branch_rows(rows);
  add_while_rows(rows);
  add_rule_rows(rows);
  const auto same = [](const std::vector<Doubles>& x) { return x[0]; };
  const double inf = std::numeric_limits<double>::infinity();
  for (const In& in : {In{{}}, In{{0}}, In{{2, 3}}}) {
    rows.push_back({"checkpoint_name",
                    "a name, " + TensorType{DType::kF64, in.shape}.str(),
                    {in},
                    [](const Values& x, DType) -> Values {
                      return {ops::checkpoint_name(x[0], "h")};
                    },
                    same,
                    2});
    rows.push_back({"optimization_barrier",
                    "two values, " + TensorType{DType::kF64, in.shape}.str(),
                    {in, {{2}}},
                    [](const Values& x, DType) {
                      return ops::optimization_barrier({x[0], x[1] * x[1]});
                    },
                    same,
                    2});
  }
  rows.push_back({"optimization_barrier",
                  "what is not finite",
                  {{{4}, 0, 0, DType::kF64, {inf, -inf, std::nan(""), 0}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::optimization_barrier(x[0])};
                  },
                  same});
}

}  // namespace kexue::testing
