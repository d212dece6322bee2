// Rows of products over an axis, and of reductions made of other reductions,
// each under the name of an op that it adds.
#include <algorithm>
#include <cmath>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

// Rows 0..2 of a [3,4] input, each reduced on its own.
std::function<Doubles(const std::vector<Doubles>&)> each_row(
    double (*f)(const Doubles&)) {
  return [f](const std::vector<Doubles>& x) {
    Doubles y;
    for (size_t r = 0; r < 3; ++r) {
      y.push_back(f(Doubles(x[0].begin() + static_cast<int64_t>(4 * r),
                            x[0].begin() + static_cast<int64_t>(4 * r + 4))));
    }
    return y;
  };
}

double mean(const Doubles& x) {
  double s = 0;
  for (const double v : x) s += v;
  return s / static_cast<double>(x.size());
}
double variance(const Doubles& x) {
  const double m = mean(x);
  double s = 0;
  for (const double v : x) s += (v - m) * (v - m);
  return s / static_cast<double>(x.size());
}
double deviation(const Doubles& x) {
  return std::sqrt(variance(x));
}
double length(const Doubles& x) {
  double s = 0;
  for (const double v : x) s += v * v;
  return std::sqrt(s);
}
double log_sum_exp(const Doubles& x) {
  const double top = *std::max_element(x.begin(), x.end());
  double s = 0;
  for (const double v : x) s += std::exp(v - top);
  return top + std::log(s);
}

using Reduction = Value (*)(const Arg&, const ops::Axes&, bool);

void statistic(std::vector<Row>& rows,
               const std::string& name,
               Reduction f,
               double (*want)(const Doubles&)) {
  rows.push_back({"widen",
                  name + " of each row",
                  {{{3, 4}}},
                  [f](const Values& x, DType) -> Values {
                    return {f(ops::widen(x[0]), {1}, false)};
                  },
                  each_row(want),
                  3,
                  {DType::kF64, DType::kF32}});
  rows.push_back({"widen",
                  name + " over two axes, kept",
                  {{{2, 3, 2}}},
                  [f](const Values& x, DType) -> Values {
                    return {f(ops::widen(x[0]), {0, -1}, true)};
                  },
                  [want](const std::vector<Doubles>& x) {
                    std::vector<Doubles> parts(3);
                    for (size_t i = 0; i < 12; ++i) {
                      parts[i / 2 % 3].push_back(x[0][i]);
                    }
                    Doubles y;
                    for (const auto& p : parts) y.push_back(want(p));
                    return y;
                  },
                  2,
                  {DType::kF64, DType::kF32}});
}

void add_products(std::vector<Row>& rows) {
  const auto row = [&](const std::string& what, const Doubles& x) {
    rows.push_back(
        {"prod",
         "prod " + what,
         {{.shape = {static_cast<int64_t>(x.size())}, .values = x}},
         [](const Values& v, DType) -> Values { return {ops::prod(v[0])}; },
         [](const std::vector<Doubles>& v) {
           double y = 1;
           for (const double f : v[0]) y *= f;
           return Doubles{y};
         },
         3});
  };
  row("with one zero", {2, 0, 3, -0.5, 1.5});
  row("with two zeros", {2, 0, 0.3, 0, 0.5, -1});
  row("with three zeros", {0, 0, 3, 0});
}

double first(const Doubles& x, bool (*better)(double, double)) {
  size_t best = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i])) return static_cast<double>(i);
    if (better(x[i], x[best])) best = i;
  }
  return static_cast<double>(best);
}

void add_positions(std::vector<Row>& rows) {
  const In in{.shape = {3, 4},
              .values = {1, 5, 5, -2, 3, NAN, 7, NAN, -2, 4, -2, 4}};
  rows.push_back(
      {"equal",
       "argmax takes the first of ties, or NaN",
       {in},
       [](const Values& x, DType) -> Values { return {ops::argmax(x[0], 1)}; },
       each_row([](const Doubles& x) {
         return first(x, [](double a, double b) { return a > b; });
       })});
  rows.push_back({"equal",
                  "argmin takes the first of ties, or NaN",
                  {in},
                  [](const Values& x, DType) -> Values {
                    return {ops::argmin(x[0], -1, true)};
                  },
                  each_row([](const Doubles& x) {
                    return first(x, [](double a, double b) { return a < b; });
                  })});
  const In bits{.shape = {3, 4},
                .dtype = DType::kBool,
                .values = {0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1}};
  rows.push_back({"max",
                  "any",
                  {bits},
                  [](const Values& x, DType) -> Values {
                    return {ops::any(x[0], {1}), ops::any(x[0])};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{0, 1, 1};
                  }});
  rows.push_back({"min",
                  "all",
                  {bits},
                  [](const Values& x, DType) -> Values {
                    return {ops::all(x[0], {1}, true), ops::all(x[0])};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{0, 0, 1};
                  }});
}

}  // namespace

void add_statistic_rows(std::vector<Row>& rows) {
  statistic(rows, "mean", ops::mean, mean);
  statistic(rows, "variance", ops::variance, variance);
  statistic(rows, "std_dev", ops::std_dev, deviation);
  statistic(rows, "logsumexp", ops::logsumexp, log_sum_exp);
  statistic(rows, "norm", ops::norm, length);
  add_products(rows);
  add_positions(rows);
}

}  // namespace kexue::testing
