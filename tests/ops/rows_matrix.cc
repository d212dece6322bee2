// Rows of the decompositions. `want` goes another way than the ops: Gaussian
// elimination, Gram-Schmidt, and the closed form of cubic equations.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

using Square = std::vector<Doubles>;  // rows

Square rows_of(const Doubles& x, size_t at, size_t rows, size_t cols) {
  Square out(rows, Doubles(cols));
  for (size_t i = 0; i < rows * cols; ++i) out[i / cols][i % cols] = x[at + i];
  return out;
}

void append(Doubles& out, const Square& x) {
  for (const auto& row : x) out.insert(out.end(), row.begin(), row.end());
}

Square transposed(const Square& x) {
  Square out(x.empty() ? 0 : x[0].size(), Doubles(x.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < x[i].size(); ++j) out[j][i] = x[i][j];
  }
  return out;
}

Square symmetric(const Square& x) {
  Square out = x;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < x.size(); ++j) out[i][j] = (x[i][j] + x[j][i]) / 2;
  }
  return out;
}

// Distinct, well separated eigenvalues and singular values; two matrices.
In separated(const Shape& shape) {
  const Doubles base = {4,    0.3, -0.6, 0.2,  0.5, 2.2, 0.4,  -0.3,
                        -0.2, 0.7, 0.9,  0.1,  0.3, 0.6, 5.5,  0.2,
                        -0.4, 0.8, 1.7,  0.35, 0.9, 3.1, 0.25, 0.4};
  Doubles v;
  for (int64_t i = 0; i < shape.size(); ++i) {
    v.push_back(base[static_cast<size_t>(i) % base.size()]);
  }
  return {.shape = shape, .values = v};
}

// For each n x n matrix of the input.
template <class F>
auto per_square(size_t n, F f) {
  return [n, f](const std::vector<Doubles>& x) {
    Doubles out;
    for (size_t at = 0; at + n * n <= x[0].size() && n > 0; at += n * n) {
      append(out, f(rows_of(x[0], at, n, n)));
    }
    return out;
  };
}

// Elimination without pivoting; L = the multipliers times sqrt(pivot).
Square naive_cholesky(const Square& x) {
  Square u = symmetric(x);
  const size_t n = u.size();
  for (size_t k = 0; k < n; ++k) {
    for (size_t i = k + 1; i < n; ++i) {
      const double f = u[i][k] / u[k][k];
      for (size_t j = k; j < n; ++j) u[i][j] -= f * u[k][j];
    }
  }
  for (size_t k = 0; k < n; ++k) {
    const double root = std::sqrt(u[k][k]);
    for (double& v : u[k]) v /= root;
  }
  return transposed(u);
}

void add_cholesky(std::vector<Row>& rows) {
  for (const Shape& s : {Shape{0, 0},
                         Shape{1, 1},
                         Shape{3, 3},
                         Shape{2, 2, 2},
                         Shape{0, 2, 2}}) {
    const auto n = static_cast<size_t>(s[-1]);
    Doubles v;
    for (int64_t i = 0; i < s.size(); ++i) {
      const int64_t k = i % (s[-1] * s[-1]);
      v.push_back(k % (s[-1] + 1) == 0 ? 3.0 + 0.5 * static_cast<double>(k)
                                       : std::sin(static_cast<double>(i)));
    }
    rows.push_back(
        {"cholesky",
         "cholesky" + s.str(),
         {{.shape = s, .values = v}},
         [](const Values& x, DType) -> Values { return {ops::cholesky(x[0])}; },
         per_square(n, naive_cholesky),
         s.size() == 0 ? 0 : 2});
  }
}

// x with a x = b by Gauss-Jordan.
Square gauss(Square a, Square b) {
  const size_t n = a.size();
  for (size_t k = 0; k < n; ++k) {
    const double p = a[k][k];
    for (double& v : a[k]) v /= p;
    for (double& v : b[k]) v /= p;
    for (size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double f = a[i][k];
      for (size_t j = 0; j < n; ++j) a[i][j] -= f * a[k][j];
      for (size_t j = 0; j < b[k].size(); ++j) b[i][j] -= f * b[k][j];
    }
  }
  return b;
}

void add_triangular_solves(std::vector<Row>& rows) {
  for (int bits = 0; bits < 16; ++bits) {
    const ops::TriangularOptions o{.lower = (bits & 1) != 0,
                                   .transpose = (bits & 2) != 0,
                                   .left = (bits & 4) != 0,
                                   .unit_diagonal = (bits & 8) != 0};
    const Shape b = o.left ? Shape{2, 3, 4} : Shape{2, 4, 3};
    rows.push_back({"triangular_solve",
                    "triangular_solve, options " + std::to_string(bits),
                    {{{2, 3, 3}, 0.6, 1.8}, {b}},
                    [o](const Values& x, DType) -> Values {
                      return {ops::triangular_solve(x[0], x[1], o)};
                    },
                    [o](const std::vector<Doubles>& x) {
                      Doubles out;
                      for (size_t i = 0; i < 2; ++i) {
                        Square a = rows_of(x[0], i * 9, 3, 3);
                        for (size_t r = 0; r < 3; ++r) {
                          for (size_t c = 0; c < 3; ++c) {
                            if (o.lower ? c > r : c < r) a[r][c] = 0;
                            if (r == c && o.unit_diagonal) a[r][c] = 1;
                          }
                        }
                        if (o.transpose) a = transposed(a);
                        if (o.left) {
                          append(out, gauss(a, rows_of(x[1], i * 12, 3, 4)));
                        } else {
                          const Square t =
                              transposed(rows_of(x[1], i * 12, 4, 3));
                          append(out, transposed(gauss(transposed(a), t)));
                        }
                      }
                      return out;
                    },
                    2});
  }
  for (const auto& [a, b] : {std::pair(Shape{0, 0}, Shape{0, 2}),
                             std::pair(Shape{2, 2}, Shape{2, 0})}) {
    rows.push_back({"triangular_solve",
                    "triangular_solve" + b.str(),
                    {{a}, {b}},
                    [](const Values& x, DType) -> Values {
                      return {ops::triangular_solve(x[0], x[1])};
                    },
                    [](const std::vector<Doubles>&) { return Doubles{}; }});
  }
}

// The Schur complements one by one, the largest pivot first.
Square naive_lu(const Square& x) {
  Square a = x;
  const size_t n = a.size();
  for (size_t k = 0; k < n; ++k) {
    size_t p = k;
    for (size_t i = k; i < n; ++i) {
      if (std::fabs(a[i][k]) > std::fabs(a[p][k])) p = i;
    }
    std::swap(a[k], a[p]);
    for (size_t i = k + 1; i < n; ++i) {
      a[i][k] /= a[k][k];
      for (size_t j = k + 1; j < n; ++j) a[i][j] -= a[i][k] * a[k][j];
    }
  }
  return a;
}

void add_lus(std::vector<Row>& rows) {
  for (const Shape& s :
       {Shape{0, 0}, Shape{1, 1}, Shape{4, 4}, Shape{2, 3, 3}}) {
    const In in =
        s[-1] == 4
            ? In{.shape = s,
                 .values =
                     {0, 2, 1, 0.5, 3, -1, 0.4, 2, 0.3, 1, 0.2, 4, 1, 2, 3, -1}}
            : separated(s);
    rows.push_back({"lu",
                    "lu" + s.str(),
                    {in},
                    [](const Values& x, DType) -> Values {
                      const auto f = ops::lu(x[0]);
                      return {f.packed, f.perm, f.sign};
                    },
                    per_square(static_cast<size_t>(s[-1]), naive_lu),
                    s.size() == 0 ? 0 : 2});
  }
}

// Gram-Schmidt on the first k columns.
Square naive_q(const Square& x, size_t k) {
  Square q;
  const Square columns = transposed(x);
  for (size_t j = 0; j < k; ++j) {
    Doubles v = columns[j];
    for (int again = 0; again < 2; ++again) {
      for (const Doubles& done : q) {
        double dot = 0;
        for (size_t i = 0; i < v.size(); ++i) dot += done[i] * v[i];
        for (size_t i = 0; i < v.size(); ++i) v[i] -= dot * done[i];
      }
    }
    double size = 0;
    for (const double u : v) size += u * u;
    for (double& u : v) u /= std::sqrt(size);
    q.push_back(v);
  }
  return transposed(q);
}

void add_qrs(std::vector<Row>& rows) {
  for (const Shape& s : {Shape{1, 1},
                         Shape{3, 3},
                         Shape{4, 2},
                         Shape{2, 3, 4},
                         Shape{2, 4, 3}}) {
    const auto m = static_cast<size_t>(s[-2]);
    const auto n = static_cast<size_t>(s[-1]);
    rows.push_back(
        {"qr",
         "qr" + s.str(),
         {separated(s)},
         [](const Values& x, DType) -> Values {
           const auto f = ops::qr(x[0]);
           return {f.q, f.r};
         },
         [m, n](const std::vector<Doubles>& x) {
           Doubles out;
           for (size_t at = 0; at < x[0].size(); at += m * n) {
             append(out, naive_q(rows_of(x[0], at, m, n), std::min(m, n)));
           }
           return out;
         },
         2});
  }
}

// Eigenvalues of a symmetric matrix up to 3 x 3, ascending: with
// a = q + p b, tr b = 0, |b|^2 = 6, those of b are 2 cos(angles).
Doubles closed_form(const Square& a) {
  const size_t n = a.size();
  if (n == 1) return {a[0][0]};
  if (n == 2) {
    const double mean = (a[0][0] + a[1][1]) / 2;
    const double d = std::hypot((a[0][0] - a[1][1]) / 2, a[0][1]);
    return {mean - d, mean + d};
  }
  const double q = (a[0][0] + a[1][1] + a[2][2]) / 3;
  Square b = a;
  double p = 0;
  for (size_t i = 0; i < 3; ++i) b[i][i] -= q;
  for (const auto& row : b) {
    for (const double v : row) p += v * v;
  }
  p = std::sqrt(p / 6);
  const double det = b[0][0] * (b[1][1] * b[2][2] - b[1][2] * b[2][1]) -
                     b[0][1] * (b[1][0] * b[2][2] - b[1][2] * b[2][0]) +
                     b[0][2] * (b[1][0] * b[2][1] - b[1][1] * b[2][0]);
  const double angle = std::acos(det / (2 * p * p * p)) / 3;
  const double turn = 2 * std::numbers::pi / 3;
  return {q + 2 * p * std::cos(angle + turn),
          q + 2 * p * std::cos(angle - turn),
          q + 2 * p * std::cos(angle)};
}

void add_eighs(std::vector<Row>& rows) {
  for (const Shape& s :
       {Shape{0, 0}, Shape{1, 1}, Shape{2, 2}, Shape{2, 3, 3}}) {
    rows.push_back({"eigh",
                    "eigh" + s.str(),
                    {separated(s)},
                    [](const Values& x, DType) -> Values {
                      const auto f = ops::eigh(x[0]);
                      return {f.w, f.v};
                    },
                    per_square(static_cast<size_t>(s[-1]),
                               [](const Square& x) {
                                 return Square{closed_form(symmetric(x))};
                               }),
                    s.size() == 0 ? 0 : 2});
  }
}

// Roots of the eigenvalues of the smaller Gram matrix, descending.
Doubles naive_singular_values(const Square& x) {
  const Square a = x.size() < x[0].size() ? transposed(x) : x;
  const size_t n = a[0].size();
  Square gram(n, Doubles(n, 0));
  for (const auto& row : a) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) gram[i][j] += row[i] * row[j];
    }
  }
  Doubles s = closed_form(gram);
  std::reverse(s.begin(), s.end());
  for (double& v : s) v = std::sqrt(v);
  return s;
}

void add_svds(std::vector<Row>& rows) {
  for (const Shape& s : {Shape{1, 1},
                         Shape{3, 3},
                         Shape{4, 2},
                         Shape{2, 3, 4},
                         Shape{2, 4, 3}}) {
    const auto m = static_cast<size_t>(s[-2]);
    const auto n = static_cast<size_t>(s[-1]);
    rows.push_back(
        {"svd",
         "svd" + s.str(),
         {separated(s)},
         [](const Values& x, DType) -> Values {
           const auto f = ops::svd(x[0]);
           return {f.s, f.u, f.vt};
         },
         [m, n](const std::vector<Doubles>& x) {
           Doubles out;
           for (size_t at = 0; at < x[0].size(); at += m * n) {
             append(out, {naive_singular_values(rows_of(x[0], at, m, n))});
           }
           return out;
         },
         2});
  }
}

}  // namespace

void add_matrix_rows(std::vector<Row>& rows) {
  add_cholesky(rows);
  add_triangular_solves(rows);
  add_lus(rows);
  add_qrs(rows);
  add_eighs(rows);
  add_svds(rows);
}

}  // namespace kexue::testing
