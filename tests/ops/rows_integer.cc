// Rows of integers, bits, selection and conversion.
#include <cmath>
#include <cstdint>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

using Binary = Value (*)(const Arg&, const Value&);
using Integer = int64_t (*)(int64_t, int64_t);

// Two's complement of the width.
double wrapped(DType dtype, int64_t x) {
  switch (dtype) {
    case DType::kBool:
      return x != 0 ? 1 : 0;
    case DType::kU8:
      return static_cast<double>(static_cast<uint8_t>(x));
    case DType::kU32:
      return static_cast<double>(static_cast<uint32_t>(x));
    case DType::kI32:
      return static_cast<double>(static_cast<int32_t>(x));
    default:
      return static_cast<double>(x);
  }
}

void integers(std::vector<Row>& rows,
              const std::string& op,
              Binary f,
              Integer want,
              DType dtype,
              const Doubles& a,
              const Doubles& b) {
  const Shape s{static_cast<int64_t>(a.size())};
  rows.push_back(
      {op,
       op + " " + std::string(kexue::name(dtype)),
       {{.shape = s, .dtype = dtype, .values = a},
        {.shape = s, .dtype = dtype, .values = b}},
       [f](const Values& x, DType) -> Values { return {f(x[0], x[1])}; },
       [want, dtype](const std::vector<Doubles>& x) {
         Doubles y;
         for (size_t i = 0; i < x[0].size(); ++i) {
           y.push_back(wrapped(dtype,
                               want(static_cast<int64_t>(x[0][i]),
                                    static_cast<int64_t>(x[1][i]))));
         }
         return y;
       }});
}

void add_arithmetic(std::vector<Row>& rows) {
  const Doubles a = {7, -7, 2147483647, -2147483648.0, 0};
  const Doubles b = {2, 2, 1, -1, 5};
  const auto add = [](int64_t x, int64_t y) { return x + y; };
  const auto sub = [](int64_t x, int64_t y) { return x - y; };
  const auto mul = [](int64_t x, int64_t y) { return x * y; };
  const auto quo = [](int64_t x, int64_t y) { return x / y; };
  const auto rem = [](int64_t x, int64_t y) { return x % y; };
  const auto top = [](int64_t x, int64_t y) { return x > y ? x : y; };
  const auto low = [](int64_t x, int64_t y) { return x < y ? x : y; };
  integers(rows, "add", ops::add, add, DType::kI32, a, b);
  integers(rows, "subtract", ops::subtract, sub, DType::kI32, a, b);
  integers(rows, "multiply", ops::multiply, mul, DType::kI32, a, b);
  integers(rows, "divide", ops::divide, quo, DType::kI32, a, b);
  integers(rows, "remainder", ops::remainder, rem, DType::kI32, a, b);
  integers(rows, "maximum", ops::maximum, top, DType::kI32, a, b);
  integers(rows, "minimum", ops::minimum, low, DType::kI32, a, b);
  integers(rows, "multiply", ops::multiply, mul, DType::kI64, a, b);
  const Doubles u = {7, 4294967295.0, 65537, 0};
  const Doubles v = {9, 2, 65537, 1};
  integers(rows, "subtract", ops::subtract, sub, DType::kU32, u, v);
  integers(rows, "multiply", ops::multiply, mul, DType::kU32, u, v);
  integers(rows, "divide", ops::divide, quo, DType::kU32, u, v);
  integers(rows, "maximum", ops::maximum, top, DType::kU32, u, v);
  const auto less = [](int64_t x, int64_t y) -> int64_t { return x < y; };
  const Shape s{4};
  rows.push_back(
      {"less",
       "less u32",
       {{.shape = s, .dtype = DType::kU32, .values = u},
        {.shape = s, .dtype = DType::kU32, .values = v}},
       [](const Values& x, DType) -> Values { return {ops::less(x[0], x[1])}; },
       [less](const std::vector<Doubles>& x) {
         Doubles y;
         for (size_t i = 0; i < 4; ++i) {
           y.push_back(static_cast<double>(less(
               static_cast<int64_t>(x[0][i]), static_cast<int64_t>(x[1][i]))));
         }
         return y;
       }});
  rows.push_back({"negate",
                  "negate i32",
                  {{.shape = s, .dtype = DType::kI32, .values = {1, 0, -5, 7}}},
                  [](const Values& x, DType) -> Values { return {-x[0]}; },
                  [](const std::vector<Doubles>&) {
                    return Doubles{-1, 0, 5, -7};
                  }});
}

void add_bits(std::vector<Row>& rows) {
  const auto conj = [](int64_t x, int64_t y) { return x & y; };
  const auto disj = [](int64_t x, int64_t y) { return x | y; };
  const auto excl = [](int64_t x, int64_t y) { return x ^ y; };
  const Doubles u = {0xF0F0F0F0, 4294967295.0, 6, 0, 1};
  const Doubles v = {0x0FF00FF0, 1, 3, 5, 0};
  const Doubles p = {0, 0, 1, 1};
  const Doubles q = {0, 1, 0, 1};
  const Doubles n = {-1, -8, 6};
  const Doubles m = {255, 3, -2};
  integers(rows, "and", ops::bit_and, conj, DType::kU32, u, v);
  integers(rows, "and", ops::bit_and, conj, DType::kBool, p, q);
  integers(rows, "and", ops::bit_and, conj, DType::kI32, n, m);
  integers(rows, "or", ops::bit_or, disj, DType::kU32, u, v);
  integers(rows, "or", ops::bit_or, disj, DType::kBool, p, q);
  integers(rows, "xor", ops::bit_xor, excl, DType::kU32, u, v);
  integers(rows, "xor", ops::bit_xor, excl, DType::kBool, p, q);
  integers(rows, "xor", ops::bit_xor, excl, DType::kI64, n, m);
  const auto left = [](int64_t x, int64_t y) {
    return y >= 32 ? 0 : x * (int64_t{1} << y);
  };
  const auto right = [](int64_t x, int64_t y) { return y >= 32 ? 0 : x >> y; };
  const Doubles by = {4, 31, 32, 40, 0};
  integers(rows, "shift_left", ops::shift_left, left, DType::kU32, u, by);
  integers(rows,
           "shift_right_logical",
           ops::shift_right_logical,
           right,
           DType::kU32,
           u,
           by);
  const auto logical = [](int64_t x, int64_t y) {
    return static_cast<int64_t>(static_cast<uint32_t>(x) >> y);
  };
  integers(rows,
           "shift_right_logical",
           ops::shift_right_logical,
           logical,
           DType::kI32,
           {-1, -8, 6},
           {1, 30, 1});
  const auto flip = [](const Values& x, DType) -> Values {
    return {ops::bit_not(x[0])};
  };
  rows.push_back({"not",
                  "not bool",
                  {{.shape = {2}, .dtype = DType::kBool, .values = {0, 1}}},
                  flip,
                  [](const std::vector<Doubles>&) {
                    return Doubles{1, 0};
                  }});
  rows.push_back({"not",
                  "not u32",
                  {{.shape = {2}, .dtype = DType::kU32, .values = {0, 5}}},
                  flip,
                  [](const std::vector<Doubles>&) {
                    return Doubles{4294967295.0, 4294967290.0};
                  }});
}

Row conversion(const std::string& name,
               DType from,
               DType to,
               const Doubles& x,
               const Doubles& y) {
  return {
      "convert",
      name,
      {{.shape = {static_cast<int64_t>(x.size())}, .dtype = from, .values = x}},
      [to](const Values& v, DType) -> Values {
        return {ops::convert(v[0], to)};
      },
      [y](const std::vector<Doubles>&) { return y; },
      0,
      {DType::kF32, DType::kF64}};
}

void add_conversions(std::vector<Row>& rows) {
  using D = DType;
  rows.push_back(conversion("f to i32 truncates",
                            D::kF64,
                            D::kI32,
                            {-1.75, -0.5, 0.5, 2.99},
                            {-1, 0, 0, 2}));
  rows.push_back(conversion(
      "f to bool", D::kF64, D::kBool, {0, -0.0, 0.25, -3}, {0, 0, 1, 1}));
  rows.push_back(
      conversion("i32 to bool", D::kI32, D::kBool, {0, 1, -3}, {0, 1, 1}));
  rows.push_back(
      conversion("bool to f32", D::kBool, D::kF32, {0, 1, 1}, {0, 1, 1}));
  rows.push_back(conversion("u32 to f64",
                            D::kU32,
                            D::kF64,
                            {0, 4294967295.0, 7},
                            {0, 4294967295.0, 7}));
  rows.push_back(conversion(
      "i32 to u32 wraps", D::kI32, D::kU32, {-1, 5}, {4294967295.0, 5}));
  rows.push_back(conversion("f to bf16 rounds to even",
                            D::kF64,
                            D::kBF16,
                            {0.1, 3.14159265, 1.00390625, 1.01171875},
                            {0.10009765625, 3.140625, 1.0, 1.015625}));
  rows.push_back(conversion(
      "f to f16 rounds, flushes and overflows",
      D::kF64,
      D::kF16,
      {1e-7, 1e-8, 3e-8, 1e-4, 65519, 65520},
      {0x1.0p-23, 0, 0x1.0p-24, 1.0001659393310547e-04, 65504, INFINITY}));
  rows.push_back({"convert",
                  "f to f64",
                  {{{3, 5}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::convert(x[0], DType::kF64) * 2.0};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (const double v : x[0]) y.push_back(2 * v);
                    return y;
                  },
                  2});
}

void add_selections(std::vector<Row>& rows) {
  rows.push_back({"select",
                  "select broadcasts all three",
                  {{.shape = {2, 1}, .dtype = DType::kBool, .values = {1, 0}},
                   {.shape = {3}},
                   {.shape = {}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::select(x[0], x[1] * x[1], x[2] * x[2])};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (const double v : x[1]) y.push_back(v * v);
                    for (int i = 0; i < 3; ++i) y.push_back(x[2][0] * x[2][0]);
                    return y;
                  },
                  3});
  rows.push_back({"select",
                  "select passes no NaN from the other side",
                  {{.shape = {2}, .dtype = DType::kBool, .values = {1, 0}},
                   {.shape = {2}, .values = {1, NAN}},
                   {.shape = {2}, .values = {NAN, 2}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::select(x[0], x[1], x[2])};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{1, 2};
                  }});
}

}  // namespace

void add_integer_rows(std::vector<Row>& rows) {
  add_arithmetic(rows);
  add_bits(rows);
  add_conversions(rows);
  add_selections(rows);
}

}  // namespace kexue::testing
