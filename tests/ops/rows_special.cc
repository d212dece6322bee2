// Rows of special functions, angles, rounding and bounds.
#include <cmath>
#include <limits>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Unary = Value (*)(const Arg&);

// By bisection on erf, in the tail on erfc.
double inverse_erf(double x) {
  if (x < 0) return -inverse_erf(-x);
  if (!(x < 1)) return x == 1 ? kInf : kNan;
  double low = 0;
  double high = 7;
  for (int i = 0; i < 200; ++i) {
    const double y = (low + high) / 2;
    const bool less = x < 0.5 ? std::erf(y) < x : std::erfc(y) > 1 - x;
    (less ? low : high) = y;
  }
  return low;
}

double softplus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

void add_smooth(std::vector<Row>& rows) {
  const auto row = [&](const std::string& op,
                       Unary f,
                       double (*want)(double),
                       double low,
                       double high,
                       const Doubles& edges) {
    add_function(rows, op, op, f, want, low, high, 3, edges);
  };
  const Doubles far = {-1e4, -100, 0, 100, 1e4, kInf, -kInf, kNan};
  row("softplus", ops::softplus, softplus, -3, 3, far);
  add_function(
      rows,
      "softplus",
      "log_sigmoid",
      ops::log_sigmoid,
      [](double x) { return -softplus(-x); },
      -3,
      3,
      3,
      far);
  row("erfc",
      ops::erfc,
      [](double x) { return std::erfc(x); },
      -2,
      2,
      {-1e4, 0, 1e4, 5, kNan});
  row("erf_inv",
      ops::erf_inv,
      inverse_erf,
      -0.9,
      0.9,
      {-1, 0, 1, 1e-7, 0.999, -0.5, 2, kNan});
  row("cbrt",
      ops::cbrt,
      [](double x) { return std::cbrt(x); },
      0.5,
      3,
      {-8, 0, 27, kInf, kNan});
  row("sinh", ops::sinh, [](double x) { return std::sinh(x); }, -2, 2, {0, 9});
  row("cosh", ops::cosh, [](double x) { return std::cosh(x); }, -2, 2, {0, 9});
  row("asinh",
      ops::asinh,
      [](double x) { return std::asinh(x); },
      -2,
      2,
      {0, 1e4, -1e4, kInf});
  row("acosh",
      ops::acosh,
      [](double x) { return std::acosh(x); },
      1.5,
      3,
      {1, 1e4, 0.5, kInf});
  row("atanh",
      ops::atanh,
      [](double x) { return std::atanh(x); },
      -0.9,
      0.9,
      {-1, 0, 1, 2});
  row("tan", ops::tan, [](double x) { return std::tan(x); }, -1, 1, {0, kNan});
  row("asin",
      ops::asin,
      [](double x) { return std::asin(x); },
      -0.9,
      0.9,
      {-1, 0, 1, 2});
  row("acos",
      ops::acos,
      [](double x) { return std::acos(x); },
      -0.9,
      0.9,
      {-1, 0, 1, 2});
  row("atan",
      ops::atan,
      [](double x) { return std::atan(x); },
      -2,
      2,
      {0, kInf, -kInf, 1e4});
  add_function(rows,
               "multiply",
               "square",
               ops::square,
               [](double x) { return x * x; },
               -2,
               2,
               3,
               {0, -kInf, kNan});
  add_function(rows,
               "divide",
               "reciprocal",
               ops::reciprocal,
               [](double x) { return 1 / x; },
               0.5,
               2,
               3,
               {0, -kInf, -4});
}

// Nearest with this many bits, subnormals of the small type flushed.
double reduced(double x, int exponent_bits, int mantissa_bits) {
  if (x == 0 || !std::isfinite(x)) return x;
  int e = 0;
  const double fraction = std::frexp(x, &e);  // in [0.5, 1)
  const double scale = std::ldexp(1, mantissa_bits + 1);
  const double y = std::ldexp(std::nearbyint(fraction * scale) / scale, e);
  const int top = 1 << (exponent_bits - 1);
  if (std::fabs(y) >= std::ldexp(1, top)) return std::copysign(kInf, x);
  if (std::fabs(y) < std::ldexp(1, 2 - top)) return std::copysign(0.0, x);
  return y;
}

void add_rounding(std::vector<Row>& rows) {
  const Doubles halves = {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e6, kInf, kNan};
  add_function(
      rows,
      "round",
      "round",
      ops::round,
      [](double x) { return std::nearbyint(x); },
      0.6,
      0.9,
      2,
      halves);
  add_function(
      rows,
      "floor",
      "trunc",
      ops::trunc,
      [](double x) { return std::trunc(x); },
      -0.9,
      -0.1,
      2,
      halves);
  const Doubles at = {1,
                      1 + 0x1p-11,
                      1 + 0x3p-11,
                      65519,
                      65520,
                      1e-5,
                      6e-5,
                      0x1p-14,
                      -1e30,
                      kInf,
                      kNan,
                      -0.0,
                      -1e-9,
                      0.1,
                      3,
                      7};
  Row row{"reduce_precision",
          "reduce_precision to the values of f16",
          {{.shape = {16}, .values = at}},
          [](const Values& x, DType) -> Values {
            return {ops::reduce_precision(x[0], 5, 10)};
          },
          [](const std::vector<Doubles>& x) {
            Doubles y;
            for (const double v : x[0]) y.push_back(reduced(v, 5, 10));
            return y;
          },
          0,
          {DType::kF64, DType::kF32}};
  rows.push_back(row);
  row.name = "reduce_precision to the values of bf16";
  row.build = [](const Values& x, DType) -> Values {
    return {ops::reduce_precision(x[0], 8, 7)};
  };
  row.want = [](const std::vector<Doubles>& x) {
    Doubles y;
    for (const double v : x[0]) y.push_back(reduced(v, 8, 7));
    return y;
  };
  rows.push_back(row);
  add_function(
      rows,
      "reduce_precision",
      "reduce_precision that keeps all bits",
      [](const Arg& x) { return ops::reduce_precision(x, 11, 52); },
      [](double x) { return x; },
      -2,
      2,
      2);
}

void add_bounds(std::vector<Row>& rows) {
  add_function(
      rows,
      "select",
      "clamp",
      [](const Arg& x) { return ops::clamp(x, -0.5, 0.75) * x; },
      [](double x) { return std::fmin(std::fmax(x, -0.5), 0.75) * x; },
      -2,
      2,
      3,
      {-0.5, 0.75, 3, -kInf});
  rows.push_back({"select",
                  "clamp between tensors",
                  {{{2, 3}}, {{3}, -1, -0.5}, {{}, 0.5, 1}},
                  [](const Values& x, DType) -> Values {
                    const Value y = ops::clamp(x[0], x[1], x[2]);
                    return {y * y};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (size_t i = 0; i < 6; ++i) {
                      const double v =
                          std::fmin(std::fmax(x[0][i], x[1][i % 3]), x[2][0]);
                      y.push_back(v * v);
                    }
                    return y;
                  },
                  3});
  rows.push_back({"is_finite",
                  "logaddexp",
                  {{{2, 3}}, {{3}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::logaddexp(x[0], x[1])};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (size_t i = 0; i < 6; ++i) {
                      y.push_back(
                          std::log(std::exp(x[0][i]) + std::exp(x[1][i % 3])));
                    }
                    return y;
                  },
                  3});
  rows.push_back({"is_finite",
                  "logaddexp at edges",
                  {{.shape = {6}, .values = {1e4, -kInf, -kInf, kInf, 0, kNan}},
                   {.shape = {6}, .values = {1e4, -kInf, 3, 1, -1e4, 0}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::logaddexp(x[0], x[1])};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{1e4 + std::log(2), -kInf, 3, kInf, 0, kNan};
                  }});
}

}  // namespace

void add_special_rows(std::vector<Row>& rows) {
  add_smooth(rows);
  add_rounding(rows);
  add_bounds(rows);
}

}  // namespace kexue::testing
