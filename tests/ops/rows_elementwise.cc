// Rows of functions of one or two floats, element by element.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Unary = Value (*)(const Arg&);
using Binary = Value (*)(const Arg&, const Value&);

void unary(std::vector<Row>& rows,
           const std::string& op,
           Unary f,
           double (*want)(double),
           double low,
           double high,
           int order,
           const Doubles& edges = {}) {
  add_function(rows, op, op, f, want, low, high, order, edges);
}

void binary(std::vector<Row>& rows,
            const std::string& op,
            Binary f,
            double (*want)(double, double),
            std::pair<double, double> a,
            std::pair<double, double> b,
            int order) {
  const auto build = [f](const Values& x, DType) -> Values {
    return {f(x[0], x[1])};
  };
  struct Case {
    Shape a, b, out;
  };
  for (const Case& c : {Case{{}, {}, {}},
                        Case{{7}, {}, {7}},
                        Case{{3, 5}, {5}, {3, 5}},
                        Case{{2, 1}, {1, 3}, {2, 3}},
                        Case{{0, 3}, {3}, {0, 3}}}) {
    const auto expect = [want, c](const std::vector<Doubles>& x) {
      Doubles y;
      for (int64_t i = 0; i < c.out.size(); ++i) {
        y.push_back(want(x[0][broadcast_source(i, c.a, c.out)],
                         x[1][broadcast_source(i, c.b, c.out)]));
      }
      return y;
    };
    rows.push_back({op,
                    op + c.a.str() + c.b.str(),
                    {{c.a, a.first, a.second}, {c.b, b.first, b.second}},
                    build,
                    expect,
                    order});
  }
}

// Two 1-D inputs with given values, any output type.
void edges(std::vector<Row>& rows,
           const std::string& op,
           Binary f,
           double (*want)(double, double),
           const Doubles& a,
           const Doubles& b,
           std::vector<DType> types = {
               DType::kF64, DType::kF32, DType::kBF16, DType::kF16}) {
  const Shape s{static_cast<int64_t>(a.size())};
  rows.push_back(
      {op,
       op + " at edges",
       {{.shape = s, .values = a}, {.shape = s, .values = b}},
       [f](const Values& x, DType) -> Values { return {f(x[0], x[1])}; },
       [want](const std::vector<Doubles>& x) {
         Doubles y;
         for (size_t i = 0; i < x[0].size(); ++i) {
           y.push_back(want(x[0][i], x[1][i]));
         }
         return y;
       },
       0,
       std::move(types)});
}

void add_comparisons(std::vector<Row>& rows) {
  const Doubles a = {1, 2, 2, -0.0, kInf, -kInf, kNan, 1, kNan};
  const Doubles b = {2, 1, 2, 0.0, kInf, 3, 1, kNan, kNan};
  edges(
      rows,
      "equal",
      ops::equal,
      [](double x, double y) { return x == y ? 1.0 : 0.0; },
      a,
      b);
  edges(
      rows,
      "not_equal",
      ops::not_equal,
      [](double x, double y) { return x != y ? 1.0 : 0.0; },
      a,
      b);
  edges(
      rows,
      "less",
      ops::less,
      [](double x, double y) { return x < y ? 1.0 : 0.0; },
      a,
      b);
  edges(
      rows,
      "less_equal",
      ops::less_equal,
      [](double x, double y) { return x <= y ? 1.0 : 0.0; },
      a,
      b);
  edges(
      rows,
      "greater",
      ops::greater,
      [](double x, double y) { return x > y ? 1.0 : 0.0; },
      a,
      b);
  edges(
      rows,
      "greater_equal",
      ops::greater_equal,
      [](double x, double y) { return x >= y ? 1.0 : 0.0; },
      a,
      b);
}

}  // namespace

void add_unary_rows(std::vector<Row>& rows) {
  unary(rows,
        "negate",
        ops::negate,
        [](double x) { return -x; },
        -2,
        2,
        2,
        {0, kInf, kNan});
  unary(rows,
        "abs",
        ops::abs,
        [](double x) { return std::fabs(x); },
        0.5,
        2,
        2,
        {-3, 0, -kInf, kNan});
  unary(rows,
        "sign",
        ops::sign,
        [](double x) { return x > 0 ? 1.0 : (x < 0 ? -1.0 : x); },
        0.5,
        2,
        2,
        {-3, 0, -kInf, kNan});
  const auto e = [](double x) { return std::exp(x); };
  unary(rows, "exp", ops::exp, e, -2, 2, 3, {-kInf, 0, kNan, -1000});
  const auto em1 = [](double x) { return std::expm1(x); };
  unary(rows, "expm1", ops::expm1, em1, -2, 2, 3, {-kInf, 0, 1e-7, kNan});
  const auto ln = [](double x) { return std::log(x); };
  unary(rows, "log", ops::log, ln, 0.5, 3, 3, {0, 1, kInf, -1});
  const auto ln1 = [](double x) { return std::log1p(x); };
  unary(rows, "log1p", ops::log1p, ln1, -0.5, 3, 3, {-1, 0, 1e-7, kInf});
  const auto s = [](double x) { return 1 / (1 + std::exp(-x)); };
  unary(rows, "logistic", ops::logistic, s, -3, 3, 3, {-100, 0, 100, kNan});
  const auto th = [](double x) { return std::tanh(x); };
  unary(rows, "tanh", ops::tanh, th, -2, 2, 3, {-100, 0, 100, kNan});
  const auto er = [](double x) { return std::erf(x); };
  unary(rows, "erf", ops::erf, er, -2, 2, 3, {-1e4, 0, 1e4, 1e-7, kNan});
  const auto sq = [](double x) { return std::sqrt(x); };
  unary(rows, "sqrt", ops::sqrt, sq, 0.5, 3, 3, {0, 1, kInf, -1});
  const auto rs = [](double x) { return 1 / std::sqrt(x); };
  unary(rows, "rsqrt", ops::rsqrt, rs, 0.5, 3, 3, {0, 1, kInf, -1});
  const auto sn = [](double x) { return std::sin(x); };
  unary(rows, "sin", ops::sin, sn, -4, 4, 3, {0, 100, kNan});
  const auto cs = [](double x) { return std::cos(x); };
  unary(rows, "cos", ops::cos, cs, -4, 4, 3, {0, 100, kNan});
  const auto fl = [](double x) { return std::floor(x); };
  unary(rows, "floor", ops::floor, fl, 0.1, 0.9, 2, {-1.5, 2, kInf, kNan});
  const auto ce = [](double x) { return std::ceil(x); };
  unary(rows, "ceil", ops::ceil, ce, 0.1, 0.9, 2, {-1.5, 2, kInf, kNan});
  const auto fin = [](double x) { return std::isfinite(x) ? 1.0 : 0.0; };
  unary(
      rows, "is_finite", ops::is_finite, fin, -1, 1, 0, {1, kInf, -kInf, kNan});
  const auto same = [](double x) { return x; };
  unary(rows, "stop_gradient", ops::stop_gradient, same, -2, 2, 0, {kInf});
  unary(rows, "widen", ops::widen, same, -2, 2, 2, {kInf});
  const auto square = [](const Arg& x) { return x * ops::widen(x); };
  const auto square_d = [](double x) { return x * x; };
  const std::vector<DType> wide = {DType::kF64, DType::kF32};
  unary(rows, "widen", square, square_d, -2, 2, 3);
  for (auto& row : rows) {
    if (row.op == "widen") row.types = wide;  // 16-bit inputs change type
  }
}

void add_binary_rows(std::vector<Row>& rows) {
  const std::pair<double, double> any = {-2, 2};
  const std::pair<double, double> pos = {0.5, 2};
  const auto add = [](double a, double b) { return a + b; };
  binary(rows, "add", ops::add, add, any, any, 2);
  edges(rows, "add", ops::add, add, {kInf, kInf, kNan}, {-kInf, 1, 1});
  const auto sub = [](double a, double b) { return a - b; };
  binary(rows, "subtract", ops::subtract, sub, any, any, 2);
  const auto mul = [](double a, double b) { return a * b; };
  binary(rows, "multiply", ops::multiply, mul, any, any, 3);
  edges(rows, "multiply", ops::multiply, mul, {kInf, 0, kNan}, {0, -3, 1});
  const auto div = [](double a, double b) { return a / b; };
  binary(rows, "divide", ops::divide, div, any, pos, 3);
  edges(rows, "divide", ops::divide, div, {1, 0, -1, kInf}, {0, 0, 0, kInf});
  const auto rem = [](double a, double b) { return std::fmod(a, b); };
  binary(rows, "remainder", ops::remainder, rem, {2.1, 2.9}, {1, 1.03}, 2);
  edges(rows, "remainder", ops::remainder, rem, {-5, 5, 5.5}, {3, -3, 2});
  const auto mx = [](double a, double b) {
    return std::isnan(a) || std::isnan(b) ? kNan : std::max(a, b);
  };
  binary(rows, "maximum", ops::maximum, mx, {0, 1}, {2, 3}, 2);
  edges(rows, "maximum", ops::maximum, mx, {1, kNan, 2, -kInf}, {2, 1, 2, 0});
  const auto mn = [](double a, double b) {
    return std::isnan(a) || std::isnan(b) ? kNan : std::min(a, b);
  };
  binary(rows, "minimum", ops::minimum, mn, {0, 1}, {2, 3}, 2);
  edges(rows, "minimum", ops::minimum, mn, {1, kNan, 2, -kInf}, {2, 1, 2, 0});
  const auto pw = [](double a, double b) { return std::pow(a, b); };
  binary(rows, "power", ops::pow, pw, pos, any, 3);
  edges(rows, "power", ops::pow, pw, {0, 0, -2, 2, 1}, {0, 2, 3, -1, kInf});
  const auto at = [](double a, double b) { return std::atan2(a, b); };
  binary(rows, "atan2", ops::atan2, at, any, pos, 3);
  edges(rows, "atan2", ops::atan2, at, {0, 1, -1, 0}, {1, 0, -1, -1});
  add_comparisons(rows);
}

}  // namespace kexue::testing
