// Rows of complex tensors: shapes, sums, products, indexing, a loop.
#include "kexue/ops/ops.h"
#include "tests/ops/complex_rows.h"

namespace kexue::testing {
namespace {

// A rearrangement of z * z: element i of the result is element from[i], 0 for
// a negative one.
void moves(std::vector<Row>& rows,
           const std::string& op,
           const Shape& shape,
           const std::function<Value(const Value&)>& f,
           const std::vector<int>& from) {
  add_complex_row(
      rows,
      {op,
       op + " of complex",
       {{shape, -2, 2, DType::kC128}},
       [f](const Values& x, DType) -> Values { return {f(x[0] * x[0])}; },
       [from](const std::vector<Doubles>& x) {
         const auto z = paired(x[0]);
         std::vector<Complex> y;
         for (const int i : from) {
           const Complex v = i < 0 ? 0 : z[static_cast<size_t>(i)];
           y.push_back(v * v);
         }
         return unpaired(y);
       },
       2});
}

void add_shapes(std::vector<Row>& rows) {
  moves(rows,
        "broadcast_in_dim",
        {2, 1},
        [](const Value& z) {
          return ops::broadcast_to(z, {2, 2, 3});
        },
        {0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1});
  moves(rows,
        "reshape",
        {2, 3},
        [](const Value& z) {
          return ops::reshape(z, {3, -1});
        },
        {0, 1, 2, 3, 4, 5});
  moves(rows,
        "transpose",
        {2, 3},
        [](const Value& z) {
          return ops::transpose(z, {1, 0});
        },
        {0, 3, 1, 4, 2, 5});
  moves(rows,
        "concatenate",
        {3},
        [](const Value& z) {
          return ops::concatenate({z, z}, 0);
        },
        {0, 1, 2, 0, 1, 2});
  moves(rows,
        "slice",
        {2, 3},
        [](const Value& z) {
          return ops::slice(z, {1, 0}, {2, 2});
        },
        {3, 4});
  moves(rows,
        "pad",
        {2},
        [](const Value& z) { return ops::pad(z, {1}, {2}); },
        {-1, 0, 1, -1, -1});
  moves(rows,
        "reverse",
        {2, 3},
        [](const Value& z) { return ops::reverse(z, {1}); },
        {2, 1, 0, 5, 4, 3});
  const auto at = [](const Value& z, int32_t i) {
    return ops::convert(ops::real(ops::full_like(z, i)), DType::kI32);
  };
  moves(rows,
        "dynamic_slice",
        {5},
        [at](const Value& z) {
          const Value i = at(ops::sum(z), 2);
          return ops::dynamic_slice(z, {i}, {2});
        },
        {2, 3});
  moves(rows,
        "dynamic_update_slice",
        {4},
        [at](const Value& z) {
          const Value i = at(ops::sum(z), 1);
          return ops::dynamic_update_slice(z, ops::slice(z, {2}, {4}), {i});
        },
        {0, 2, 3, 3});
}

void add_sums(std::vector<Row>& rows) {
  add_complex_row(rows,
                  {"sum",
                   "sum of complex over two axes",
                   {{{3, 5, 2}, -2, 2, DType::kC128}},
                   [](const Values& x, DType) -> Values {
                     return {ops::sum(x[0] * x[0], {0, 2})};
                   },
                   [](const std::vector<Doubles>& x) {
                     const auto z = paired(x[0]);
                     std::vector<Complex> y(5);
                     for (size_t i = 0; i < 30; ++i)
                       y[i / 2 % 5] += z[i] * z[i];
                     return unpaired(y);
                   },
                   2});
  add_complex_row(
      rows,
      {"sum",
       "sum of complex nothing over axis 0",
       {{{0, 2}, -2, 2, DType::kC128}},
       [](const Values& x, DType) -> Values { return {ops::sum(x[0], {0})}; },
       [](const std::vector<Doubles>&) {
         return Doubles{0, 0, 0, 0};
       }});
  add_complex_row(rows,
                  {"sum",
                   "mean of complex",
                   {{{2, 3}, -2, 2, DType::kC128}},
                   [](const Values& x, DType) -> Values {
                     return {ops::mean(x[0] * x[0], {1}, true)};
                   },
                   [](const std::vector<Doubles>& x) {
                     const auto z = paired(x[0]);
                     std::vector<Complex> y(2);
                     for (size_t i = 0; i < 6; ++i)
                       y[i / 3] += z[i] * z[i] / 3.0;
                     return unpaired(y);
                   },
                   2});
}

// y[b,m,n] = sum_k a[b,m,k] w[n,k] + c[n]
Doubles batched_product(const std::vector<Doubles>& x) {
  const auto a = paired(x[0]);
  const auto w = paired(x[1]);
  const auto c = paired(x[2]);
  std::vector<Complex> y;
  for (size_t bm = 0; bm < 6; ++bm) {
    for (size_t n = 0; n < 2; ++n) {
      Complex s = c[n];
      for (size_t k = 0; k < 4; ++k) s += a[bm * 4 + k] * w[n * 4 + k];
      y.push_back(s);
    }
  }
  return unpaired(y);
}

void add_products(std::vector<Row>& rows) {
  const auto z = [](const Shape& s) { return In{s, -2, 2, DType::kC128}; };
  add_complex_row(rows,
                  {"matmul",
                   "einsum of complex with bias",
                   {z({2, 3, 4}), z({2, 4}), z({2})},
                   [](const Values& x, DType) -> Values {
                     return {ops::einsum("bmk,nk->bmn", x[0], x[1], x[2])};
                   },
                   batched_product,
                   3});
  add_complex_row(
      rows,
      {"matmul",
       "matmul of complex matrices",
       {z({3, 2}), z({2, 2})},
       [](const Values& x, DType) -> Values {
         return {ops::matmul(x[0], x[1])};
       },
       [](const std::vector<Doubles>& x) {
         const auto a = paired(x[0]);
         const auto b = paired(x[1]);
         std::vector<Complex> y;
         for (size_t i = 0; i < 6; ++i) {
           const size_t m = i / 2;
           y.push_back(a[2 * m] * b[i % 2] + a[2 * m + 1] * b[2 + i % 2]);
         }
         return unpaired(y);
       },
       3});
}

void add_indexing(std::vector<Row>& rows) {
  const In ids{{3}, 0, 0, DType::kI32, {1, 0, 1}};
  add_complex_row(rows,
                  {"take",
                   "take of complex rows",
                   {{{2, 2}, -2, 2, DType::kC128}, ids},
                   [](const Values& x, DType) -> Values {
                     return {ops::take(x[0] * x[0], x[1])};
                   },
                   [](const std::vector<Doubles>& x) {
                     const auto z = paired(x[0]);
                     std::vector<Complex> y;
                     for (const size_t i : {2, 3, 0, 1, 2, 3}) {
                       y.push_back(z[i] * z[i]);
                     }
                     return unpaired(y);
                   },
                   2});
  add_complex_row(
      rows,
      {"scatter_add",
       "scatter_add of complex rows",
       {{{2, 2}, -2, 2, DType::kC128}, ids, {{3, 2}, -2, 2, DType::kC128}},
       [](const Values& x, DType) -> Values {
         return {ops::scatter_add(x[0], x[1], x[2] * x[2])};
       },
       [](const std::vector<Doubles>& x) {
         auto z = paired(x[0]);
         const auto u = paired(x[2]);
         for (size_t i = 0; i < 6; ++i) {
           z[static_cast<size_t>(x[1][i / 2]) * 2 + i % 2] += u[i] * u[i];
         }
         return unpaired(z);
       },
       2});
}

// h = a h + x_t from h = 0; every h.
void add_loop(std::vector<Row>& rows) {
  const auto build = [](const Values& v, DType) -> Values {
    const Value a = v[0];
    const auto body = [&a](const Values& c, const Values& x) {
      const Value h = a * c[0] + x[0];
      return std::pair(Values{h}, Values{h});
    };
    const Value h0 = ops::zeros_like(a);
    return {ops::scan(body, {h0}, {v[1]}).ys[0]};
  };
  add_complex_row(rows,
                  {"scan",
                   "scan of a complex recurrence",
                   {{{2}, -1, 1, DType::kC128}, {{4, 2}, -2, 2, DType::kC128}},
                   build,
                   [](const std::vector<Doubles>& v) {
                     const auto a = paired(v[0]);
                     auto h = paired(v[1]);
                     for (size_t i = 2; i < h.size(); ++i)
                       h[i] += a[i % 2] * h[i - 2];
                     return unpaired(h);
                   },
                   3});
}

}  // namespace

void add_complex_tensor_rows(std::vector<Row>& rows) {
  add_shapes(rows);
  add_sums(rows);
  add_products(rows);
  add_indexing(rows);
  add_loop(rows);
}

}  // namespace kexue::testing
