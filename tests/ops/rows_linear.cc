// Rows of reductions, products, reading by index, and loops.
#include <algorithm>
#include <cmath>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

using Reduce = Value (*)(const Arg&, const ops::Axes&, bool);

// Sum over axes 0 and 2 of [3,5,4], then all of [7], of a scalar, of nothing.
void reductions(std::vector<Row>& rows,
                const std::string& op,
                Reduce f,
                double start,
                double (*step)(double, double)) {
  rows.push_back({op,
                  op + " over two axes",
                  {{{3, 5, 4}}},
                  [f](const Values& x, DType) -> Values {
                    return {f(x[0] * x[0], {-1, 0}, false)};
                  },
                  [=](const std::vector<Doubles>& x) {
                    Doubles y(5, start);
                    for (size_t i = 0; i < 60; ++i) {
                      double& slot = y[i / 4 % 5];
                      slot = step(slot, x[0][i] * x[0][i]);
                    }
                    return y;
                  },
                  3});
  rows.push_back(
      {op,
       op + " of all, kept dims",
       {{{1, 7}}},
       [f](const Values& x, DType) -> Values { return {f(x[0], {}, true)}; },
       [=](const std::vector<Doubles>& x) {
         double y = start;
         for (const double v : x[0]) y = step(y, v);
         return Doubles{y};
       },
       2});
  rows.push_back(
      {op,
       op + " of a scalar",
       {{{}}},
       [f](const Values& x, DType) -> Values { return {f(x[0], {}, false)}; },
       [](const std::vector<Doubles>& x) { return x[0]; },
       2});
  rows.push_back(
      {op,
       op + " of nothing",
       {{{0, 2}}},
       [f](const Values& x, DType) -> Values { return {f(x[0], {0}, false)}; },
       [=](const std::vector<Doubles>&) {
         return Doubles{start, start};
       }});
  const In ints{{2, 3}, -9, 9, DType::kI32};
  rows.push_back(
      {op,
       op + " of i32",
       {ints},
       [f](const Values& x, DType) -> Values { return {f(x[0], {1}, false)}; },
       [=](const std::vector<Doubles>& x) {
         Doubles y;
         for (size_t r = 0; r < 2; ++r) {
           double v = x[0][r * 3];
           v = step(v, x[0][r * 3 + 1]);
           y.push_back(step(v, x[0][r * 3 + 2]));
         }
         return y;
       }});
}

// Naive product of letters with sizes a..e = 2, 3, 4, 2, 3.
int64_t size_of(char letter) {
  return std::vector<int64_t>{2, 3, 4, 2, 3}[static_cast<size_t>(letter - 'a')];
}

Shape shape_of(const std::string& letters) {
  std::vector<int64_t> dims;
  for (const char c : letters) dims.push_back(size_of(c));
  return Shape(dims);
}

size_t position(const std::string& letters, const int64_t (&value)[5]) {
  int64_t at = 0;
  for (const char c : letters) at = at * size_of(c) + value[c - 'a'];
  return static_cast<size_t>(at);
}

Doubles naive_product(const std::string& a,
                      const std::string& b,
                      const std::string& out,
                      const std::vector<Doubles>& x) {
  Doubles y(static_cast<size_t>(shape_of(out).size()), 0);
  const std::string all = a + b;
  int64_t v[5];
  const auto top = [&](char c) {
    return all.find(c) == std::string::npos ? 1 : size_of(c);
  };
  for (v[0] = 0; v[0] < top('a'); ++v[0]) {
    for (v[1] = 0; v[1] < top('b'); ++v[1]) {
      for (v[2] = 0; v[2] < top('c'); ++v[2]) {
        for (v[3] = 0; v[3] < top('d'); ++v[3]) {
          for (v[4] = 0; v[4] < top('e'); ++v[4]) {
            y[position(out, v)] += x[0][position(a, v)] * x[1][position(b, v)];
          }
        }
      }
    }
  }
  return y;
}

void product(std::vector<Row>& rows,
             const std::string& a,
             const std::string& b,
             const std::string& out,
             const Shape* bias = nullptr) {
  const std::string spec = a + "," + b + "->" + out;
  Row row{"matmul",
          "matmul " + spec,
          {{shape_of(a)}, {shape_of(b)}},
          [spec, bias](const Values& x, DType) -> Values {
            if (bias != nullptr) return {ops::einsum(spec, x[0], x[1], x[2])};
            return {ops::einsum(spec, x[0], x[1])};
          },
          [=](const std::vector<Doubles>& x) {
            Doubles y = naive_product(a, b, out, x);
            for (size_t i = 0; bias != nullptr && i < y.size(); ++i) {
              y[i] += x[2][i % x[2].size()];
            }
            return y;
          },
          3};
  if (bias != nullptr) row.in.push_back({*bias});
  rows.push_back(row);
}

}  // namespace

void add_reduce_rows(std::vector<Row>& rows) {
  reductions(
      rows, "sum", ops::sum, 0, [](double a, double b) { return a + b; });
  reductions(
      rows, "prod", ops::prod, 1, [](double a, double b) { return a * b; });
  reductions(rows, "max", ops::max, -INFINITY, [](double a, double b) {
    return std::max(a, b);
  });
  reductions(rows, "min", ops::min, INFINITY, [](double a, double b) {
    return std::min(a, b);
  });
  rows.push_back({"max",
                  "max passes NaN on",
                  {{.shape = {3}, .values = {1, NAN, 2}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::max(x[0]), ops::min(x[0])};
                  },
                  [](const std::vector<Doubles>&) { return Doubles{NAN}; },
                  0,
                  {DType::kF64, DType::kF32}});
}

void add_product_rows(std::vector<Row>& rows) {
  static const Shape last{3};
  static const Shape last_two{2, 3};
  static const Shape none{};
  product(rows, "ab", "bc", "ac");
  product(rows, "ab", "cb", "ca");        // both transposed
  product(rows, "abc", "ce", "abe");      // a dense layer
  product(rows, "abcd", "aecd", "aceb");  // two batch letters, one summed
  product(rows, "abc", "abc", "");        // full contraction
  product(rows, "a", "b", "ab");          // outer
  product(rows, "abc", "ab", "abc");      // batch only
  product(rows, "abc", "ce", "abe", &last);
  product(rows, "abc", "cde", "abde", &last_two);
  product(rows, "ab", "b", "a", &none);
  rows.push_back({"matmul",
                  "matmul over an empty axis",
                  {{{2, 0}}, {{0, 3}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::matmul(x[0], x[1])};
                  },
                  [](const std::vector<Doubles>&) { return Doubles(6, 0.0); },
                  2});
}

void add_index_rows(std::vector<Row>& rows) {
  const In ids{.shape = {2, 2}, .dtype = DType::kI32, .values = {2, 0, 2, 9}};
  rows.push_back(
      {"take",
       "take clamps",
       {{{3, 4}}, ids},
       [](const Values& x, DType) -> Values { return {ops::take(x[0], x[1])}; },
       [](const std::vector<Doubles>& x) {
         Doubles y;
         for (const size_t r : {2, 0, 2, 2}) {
           for (size_t j = 0; j < 4; ++j) {
             y.push_back(x[0][r * 4 + j]);
           }
         }
         return y;
       },
       2});
  const In good{.shape = {4}, .dtype = DType::kI32, .values = {2, 0, 2, 1}};
  rows.push_back({"take",
                  "take of a vector",
                  {{{3}}, good},
                  [](const Values& x, DType) -> Values {
                    return {ops::take(x[0] * x[0], x[1])};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (const size_t r : {2, 0, 2, 1}) {
                      y.push_back(x[0][r] * x[0][r]);
                    }
                    return y;
                  },
                  3});
  rows.push_back(
      {"take",
       "take one row by a scalar",
       {{{3, 2}}, {.shape = {}, .dtype = DType::kI32, .values = {1}}},
       [](const Values& x, DType) -> Values {
         return {ops::take(x[0] * x[0], x[1])};
       },
       [](const std::vector<Doubles>& x) {
         return Doubles{x[0][2] * x[0][2], x[0][3] * x[0][3]};
       },
       3});
  const In some{.shape = {2, 2}, .dtype = DType::kI32, .values = {2, 0, 2, -1}};
  rows.push_back({"scatter_add",
                  "scatter_add adds repeats, drops strays",
                  {{{3, 2}}, some, {{2, 2, 2}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::scatter_add(x[0] * x[0], x[1], x[2] * x[2])};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (const double v : x[0]) y.push_back(v * v);
                    const auto u = [&](size_t i) { return x[2][i] * x[2][i]; };
                    y[4] += u(0) + u(4);
                    y[5] += u(1) + u(5);
                    y[0] += u(2);
                    y[1] += u(3);
                    return y;
                  },
                  3});
  rows.push_back({"scatter_add",
                  "scatter_add of scalars",
                  {{{3}}, good, {{4}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::scatter_add(x[0], x[1], x[2])};
                  },
                  [](const std::vector<Doubles>& x) {
                    return Doubles{x[0][0] + x[2][1],
                                   x[0][1] + x[2][3],
                                   x[0][2] + x[2][0] + x[2][2]};
                  },
                  2});
}

void add_loop_rows(std::vector<Row>& rows) {
  const auto row = [&](const std::string& name, bool reverse, bool remat) {
    const auto policy = remat ? ops::RematPolicy::save_nothing()
                              : ops::RematPolicy::save_everything();
    rows.push_back({"scan",
                    name,
                    {{{2}}, {{4, 2}}, {{2}}},
                    [=](const Values& x, DType) -> Values {
                      const auto r = ops::scan(
                          [&](const Values& c, const Values& s) {
                            const Value h = c[0] * x[2] + s[0] * s[0];
                            return std::pair(Values{h}, Values{h * s[0]});
                          },
                          {x[0]},
                          {x[1]},
                          {.reverse = reverse, .remat = policy});
                      return {r.carry[0], r.ys[0]};
                    },
                    [=](const std::vector<Doubles>& x) {
                      Doubles c = x[0];
                      for (size_t step = 0; step < 4; ++step) {
                        const size_t t = reverse ? 3 - step : step;
                        for (size_t j = 0; j < 2; ++j) {
                          const double s = x[1][t * 2 + j];
                          c[j] = c[j] * x[2][j] + s * s;
                        }
                      }
                      return c;
                    },
                    3});
  };
  row("scan with capture, carry, xs and ys", false, false);
  row("scan in reverse", true, false);
  row("scan that computes again", false, true);
  rows.push_back(
      {"scan",
       "scan in a scan, a counter, a stack nobody reads",
       {{{2}}, {{3, 2}}},
       [](const Values& x, DType d) -> Values {
         const Value zero = ops::constant(HostArray::scalar(int32_t{0}));
         const auto r = ops::scan(
             [&](const Values& c, const Values& s) {
               const Value t = ops::convert(c[0], d);
               const auto inner = ops::scan(
                   [&](const Values& e, const Values&) {
                     return std::pair(Values{e[0] * s[0] + t * x[0]},
                                      Values{e[0]});
                   },
                   {c[1]},
                   {},
                   {.length = 2});
               return std::pair(Values{c[0] + 1.0, inner.carry[0]},
                                Values{c[0], s[0] * s[0]});
             },
             {zero, x[0]},
             {x[1]});
         return {r.carry[1], r.ys[0]};
       },
       [](const std::vector<Doubles>& x) {
         Doubles c = x[0];
         for (size_t t = 0; t < 3; ++t) {
           for (size_t turn = 0; turn < 2; ++turn) {
             for (size_t j = 0; j < 2; ++j) {
               c[j] = c[j] * x[1][t * 2 + j] + static_cast<double>(t) * x[0][j];
             }
           }
         }
         return c;
       },
       2});
  rows.push_back({"scan",
                  "scan of no steps",
                  {{{2}}, {{0, 3}}},
                  [](const Values& x, DType) -> Values {
                    const auto r = ops::scan(
                        [](const Values& c, const Values& s) {
                          return std::pair(Values{c[0] * 2.0},
                                           Values{s[0] * 3.0});
                        },
                        {x[0]},
                        {x[1]});
                    return {r.carry[0], r.ys[0]};
                  },
                  [](const std::vector<Doubles>& x) { return x[0]; },
                  2});
}

}  // namespace kexue::testing
