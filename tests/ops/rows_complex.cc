// Rows of complex numbers: parts, arithmetic and functions, element by element.
#include <cmath>
#include <complex>
#include <limits>

#include "kexue/ops/ops.h"
#include "tests/ops/complex_rows.h"

namespace kexue::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Unary = Value (*)(const Arg&);
using Binary = Value (*)(const Arg&, const Value&);

// A scalar, nothing, an odd size, a matrix; then values at the edges.
void unary(std::vector<Row>& rows,
           const std::string& op,
           Unary f,
           Complex (*want)(Complex),
           double low,
           double high,
           int order,
           const Doubles& edges) {
  const auto build = [f](const Values& x, DType) -> Values {
    return {f(x[0])};
  };
  const auto expect = [want](const std::vector<Doubles>& x) {
    auto z = paired(x[0]);
    for (Complex& v : z) v = want(v);
    return unpaired(z);
  };
  for (const Shape& s : {Shape{}, Shape{0}, Shape{7}, Shape{3, 5}}) {
    add_complex_row(rows,
                    {op,
                     op + " of complex" + s.str(),
                     {{s, low, high, DType::kC128}},
                     build,
                     expect,
                     order});
  }
  const In at_edges{.shape = {static_cast<int64_t>(edges.size() / 2)},
                    .dtype = DType::kC128,
                    .values = edges};
  add_complex_row(rows,
                  {op, op + " of complex at edges", {at_edges}, build, expect});
}

// As unary, but the result is real.
void part(std::vector<Row>& rows,
          const std::string& op,
          Unary f,
          double (*want)(Complex)) {
  for (const Shape& s : {Shape{}, Shape{0}, Shape{3, 5}}) {
    add_complex_row(
        rows,
        {op,
         op + " of complex" + s.str(),
         {{s, 0.2, 2, DType::kC128}},
         [f](const Values& x, DType) -> Values { return {f(x[0] * x[0])}; },
         [want](const std::vector<Doubles>& x) {
           Doubles y;
           for (const Complex z : paired(x[0])) y.push_back(want(z * z));
           return y;
         },
         3});
  }
  const In edges{.shape = {5},
                 .dtype = DType::kC128,
                 .values = {0, 0, -3, 4, kInf, 1, 0, -2, kNan, 1}};
  add_complex_row(rows,
                  {op,
                   op + " of complex at edges",
                   {edges},
                   [f](const Values& x, DType) -> Values { return {f(x[0])}; },
                   [want](const std::vector<Doubles>& x) {
                     Doubles y;
                     for (const Complex z : paired(x[0])) y.push_back(want(z));
                     return y;
                   }});
}

void binary(std::vector<Row>& rows,
            const std::string& op,
            Binary f,
            Complex (*want)(Complex, Complex),
            double low,
            double high,
            int order) {
  const auto build = [f](const Values& x, DType) -> Values {
    return {f(x[0], x[1])};
  };
  struct Case {
    Shape a, b, out;
  };
  for (const Case& c : {Case{{}, {}, {}},
                        Case{{3, 5}, {5}, {3, 5}},
                        Case{{2, 1}, {1, 3}, {2, 3}},
                        Case{{0, 3}, {3}, {0, 3}}}) {
    const auto expect = [want, c](const std::vector<Doubles>& x) {
      const auto a = paired(x[0]);
      const auto b = paired(x[1]);
      std::vector<Complex> y;
      for (int64_t i = 0; i < c.out.size(); ++i) {
        y.push_back(want(a[broadcast_source(i, c.a, c.out)],
                         b[broadcast_source(i, c.b, c.out)]));
      }
      return unpaired(y);
    };
    add_complex_row(
        rows,
        {op,
         op + " of complex" + c.a.str() + c.b.str(),
         {{c.a, low, high, DType::kC128}, {c.b, low, high, DType::kC128}},
         build,
         expect,
         order});
  }
}

void add_functions(std::vector<Row>& rows) {
  const auto neg = [](Complex z) { return -z; };
  unary(rows, "negate", ops::negate, neg, -2, 2, 2, {0, -3, kInf, kNan});
  const auto conj = [](Complex z) { return std::conj(z); };
  unary(rows, "conj", ops::conj, conj, -2, 2, 2, {0, -3, kInf, kNan});
  const auto same = [](Complex z) { return z; };
  unary(rows, "stop_gradient", ops::stop_gradient, same, -2, 2, 0, {kInf, 1});
  unary(rows, "widen", ops::widen, same, -2, 2, 2, {kInf, 1});
  // Every quadrant, both axes, both sides of the cut.
  const Doubles plane = {1, 2, -1, 2, -1, -2, 1, -2, 0, 3, 0, -3, 2, 0, -2, 0};
  const auto e = [](Complex z) { return std::exp(z); };
  unary(rows, "exp", ops::exp, e, -2, 2, 3, plane);
  const auto ln = [](Complex z) { return std::log(z); };
  unary(rows, "log", ops::log, ln, 0.3, 2, 3, plane);
  const auto s = [](Complex z) { return 1.0 / (1.0 + std::exp(-z)); };
  unary(rows, "logistic", ops::logistic, s, -2, 2, 3, plane);
  const auto th = [](Complex z) { return std::sinh(z) / std::cosh(z); };
  unary(rows, "tanh", ops::tanh, th, -1, 1, 3, plane);
  const auto sq = [](Complex z) { return std::sqrt(z); };
  unary(rows, "sqrt", ops::sqrt, sq, 0.3, 2, 3, plane);
  const auto rs = [](Complex z) { return 1.0 / std::sqrt(z); };
  unary(rows, "rsqrt", ops::rsqrt, rs, 0.3, 2, 3, plane);
  const auto sn = [](Complex z) { return std::sin(z); };
  unary(rows, "sin", ops::sin, sn, -2, 2, 3, plane);
  const auto cs = [](Complex z) { return std::cos(z); };
  unary(rows, "cos", ops::cos, cs, -2, 2, 3, plane);
}

void add_arithmetic(std::vector<Row>& rows) {
  const auto add = [](Complex a, Complex b) { return a + b; };
  binary(rows, "add", ops::add, add, -2, 2, 2);
  const auto sub = [](Complex a, Complex b) { return a - b; };
  binary(rows, "subtract", ops::subtract, sub, -2, 2, 2);
  const auto mul = [](Complex a, Complex b) { return a * b; };
  binary(rows, "multiply", ops::multiply, mul, -2, 2, 3);
  const auto div = [](Complex a, Complex b) { return a / b; };
  binary(rows, "divide", ops::divide, div, 0.3, 2, 3);
  const auto pw = [](Complex a, Complex b) {
    return std::exp(b * std::log(a));
  };
  binary(rows, "power", ops::pow, pw, 0.3, 2, 3);
  // Whole powers everywhere, those of zero too.
  add_complex_row(rows,
                  {"power",
                   "power of complex at edges",
                   {{.shape = {6},
                     .dtype = DType::kC128,
                     .values = {-1, 2, 0, 0, 0, 0, 0, 0, 0, -2, -3, 0}}},
                   [](const Values& x, DType) -> Values {
                     const auto b = HostArray::from_doubles(
                         {DType::kC128, {6}}, Doubles{2, 2, 1, 0, 3, 2});
                     const Value power =
                         ops::convert(ops::constant(b), x[0].dtype());
                     return {ops::pow(x[0], power)};
                   },
                   [](const std::vector<Doubles>&) {
                     return Doubles{-3, -4, 0, 0, 0, 0, 1, 0, 0, 8, 9, 0};
                   },
                   1});
}

void add_parts(std::vector<Row>& rows) {
  part(rows, "real", ops::real, [](Complex z) { return z.real(); });
  part(rows, "imag", ops::imag, [](Complex z) { return z.imag(); });
  part(rows, "abs", ops::abs, [](Complex z) { return std::abs(z); });
  add_complex_row(rows,
                  {"complex",
                   "complex of broadcast parts",
                   {{{2, 1}}, {{3}}},
                   [](const Values& x, DType) -> Values {
                     return {ops::complex(x[0] * x[0], x[1] * x[1])};
                   },
                   [](const std::vector<Doubles>& x) {
                     Doubles y;
                     for (size_t i = 0; i < 6; ++i) {
                       y.push_back(x[0][i / 3] * x[0][i / 3]);
                       y.push_back(x[1][i % 3] * x[1][i % 3]);
                     }
                     return y;
                   },
                   3});
  for (const Shape& s : {Shape{}, Shape{0}}) {
    add_complex_row(rows,
                    {"complex",
                     "complex of " + s.str(),
                     {{s}, {s}},
                     [](const Values& x, DType) -> Values {
                       return {ops::complex(x[0], x[1])};
                     },
                     [](const std::vector<Doubles>& x) {
                       Doubles y;
                       for (size_t i = 0; i < x[0].size(); ++i) {
                         y.push_back(x[0][i]);
                         y.push_back(x[1][i]);
                       }
                       return y;
                     },
                     2});
  }
}

void add_conversions(std::vector<Row>& rows) {
  add_complex_row(rows,
                  {"convert",
                   "convert real to complex",
                   {{{4}}},
                   [](const Values& x, DType d) -> Values {
                     const Value z = ops::convert(x[0], complex_dtype_of(d));
                     return {z * z};
                   },
                   [](const std::vector<Doubles>& x) {
                     Doubles y;
                     for (const double v : x[0]) {
                       y.push_back(v * v);
                       y.push_back(0);
                     }
                     return y;
                   },
                   2});
  add_complex_row(rows,
                  {"convert",
                   "convert i32 to complex",
                   {{{2}, 0, 0, DType::kI32, {3, -1}}},
                   [](const Values& x, DType d) -> Values {
                     return {ops::convert(x[0], complex_dtype_of(d))};
                   },
                   [](const std::vector<Doubles>&) {
                     return Doubles{3, 0, -1, 0};
                   }});
  add_complex_row(
      rows,
      {"convert",
       "convert c128 to c64 and back",
       {{.shape = {2}, .dtype = DType::kC128, .values = {0.5, -0.25, 3, 1}}},
       [](const Values& x, DType) -> Values {
         const Value y = ops::convert(x[0], DType::kC64);
         return {ops::convert(y, DType::kC128)};
       },
       [](const std::vector<Doubles>& x) { return x[0]; },
       0,
       {DType::kF64}});
}

void add_choices(std::vector<Row>& rows) {
  const In a{.shape = {5},
             .dtype = DType::kC128,
             .values = {1, 2, 1, 2, -0.0, 0, kNan, 1, kInf, 0}};
  const In b{.shape = {5},
             .dtype = DType::kC128,
             .values = {1, 2, 1, -2, 0, -0.0, kNan, 1, kInf, 0}};
  add_complex_row(rows,
                  {"equal",
                   "equal of complex at edges",
                   {a, b},
                   [](const Values& x, DType) -> Values {
                     return {ops::equal(x[0], x[1])};
                   },
                   [](const std::vector<Doubles>&) {
                     return Doubles{1, 0, 1, 0, 1};
                   }});
  add_complex_row(rows,
                  {"not_equal",
                   "not_equal of complex at edges",
                   {a, b},
                   [](const Values& x, DType) -> Values {
                     return {ops::not_equal(x[0], x[1])};
                   },
                   [](const std::vector<Doubles>&) {
                     return Doubles{0, 1, 0, 1, 0};
                   }});
  add_complex_row(rows,
                  {"select",
                   "select of complex",
                   {{{3}, 0, 0, DType::kBool, {1, 0, 1}},
                    {{3}, -2, 2, DType::kC128},
                    {{}, -2, 2, DType::kC128}},
                   [](const Values& x, DType) -> Values {
                     return {ops::select(x[0], x[1] * x[1], x[2] * x[2])};
                   },
                   [](const std::vector<Doubles>& x) {
                     const auto p = paired(x[1]);
                     const Complex q = paired(x[2])[0];
                     return unpaired({p[0] * p[0], q * q, p[2] * p[2]});
                   },
                   2});
  add_complex_row(rows,
                  {"constant",
                   "constant of complex",
                   {},
                   [](const Values&, DType d) -> Values {
                     return {ops::constant(HostArray::from_complexes(
                         {complex_dtype_of(d), {2, 1}},
                         std::vector<Complex>{{1, -0.5}, {-kInf, kNan}}))};
                   },
                   [](const std::vector<Doubles>&) {
                     return Doubles{1, -0.5, -kInf, kNan};
                   }});
}

}  // namespace

void add_complex_row(std::vector<Row>& rows, Row row) {
  if (row.types.size() > 2) row.types = {DType::kF64, DType::kF32};
  rows.push_back(std::move(row));
}

std::vector<Complex> paired(const Doubles& parts) {
  std::vector<Complex> z(parts.size() / 2);
  for (size_t i = 0; i < z.size(); ++i) z[i] = {parts[2 * i], parts[2 * i + 1]};
  return z;
}

Doubles unpaired(const std::vector<Complex>& z) {
  Doubles parts;
  for (const Complex& v : z) {
    parts.push_back(v.real());
    parts.push_back(v.imag());
  }
  return parts;
}

void add_complex_rows(std::vector<Row>& rows) {
  add_parts(rows);
  add_functions(rows);
  add_arithmetic(rows);
  add_conversions(rows);
  add_choices(rows);
}

}  // namespace kexue::testing
