#include "kexue/ops/ops.h"
#include "tests/conformance/cases.h"

namespace kexue::testing {
namespace {

using One = std::function<Values(const Value&)>;

void one(std::vector<Case>& cases,
         const std::string& id,
         const Shape& shape,
         const One& f) {
  cases.push_back({id, {{shape}}, [f](const Values& x) { return f(x[0]); }});
}

// x x^T + 2: positive definite, its spectrum well apart.
Value positive(const Value& x) {
  const Value product = ops::matmul(x, ops::matrix_transpose(x));
  return product + 2.0 * ops::eye(x.dim(-1), x.dtype());
}

}  // namespace

void add_linear_algebra_cases(std::vector<Case>& c) {
  using V = const Value&;
  one(c, "cholesky", {2, 5, 5}, [](V x) -> Values {
    return {ops::cholesky(positive(x))};
  });
  one(c, "eigh/values", {2, 5, 5}, [](V x) -> Values {
    return {ops::eigh(positive(x)).w};
  });
  // v^2 does not depend on the sign of a vector.
  one(c, "eigh/squares", {5, 5}, [](V x) -> Values {
    const Value v = ops::eigh(positive(x)).v;
    return {v * v};
  });
  one(c, "svd/values", {2, 6, 4}, [](V x) -> Values {
    return {ops::svd(x).s};
  });
  one(c, "svd/squares", {4, 6}, [](V x) -> Values {
    const auto d = ops::svd(x);
    return {d.u * d.u, d.vt * d.vt};
  });
  one(c, "qr", {2, 6, 4}, [](V x) -> Values {
    const auto d = ops::qr(x);
    return {d.q, d.r};
  });
  one(c, "inverse", {2, 4, 4}, [](V x) -> Values {
    return {ops::inverse(x + 3.0 * ops::eye(4, x.dtype()))};
  });
  one(c, "det", {3, 4, 4}, [](V x) -> Values { return {ops::det(x)}; });
  one(c, "slogdet", {3, 4, 4}, [](V x) -> Values {
    return {ops::slogdet(x).log_abs};
  });
  one(c, "pinv", {6, 4}, [](V x) -> Values { return {ops::pinv(x)}; });
  one(c, "tril", {3, 5, 4}, [](V x) -> Values { return {ops::tril(x, 1)}; });
  one(c, "triu", {3, 5, 4}, [](V x) -> Values { return {ops::triu(x, -1)}; });
  one(c, "diagonal", {3, 5, 4}, [](V x) -> Values {
    return {ops::diagonal(x)};
  });
  one(c, "diag", {3, 4}, [](V x) -> Values { return {ops::diag(x)}; });
  one(c, "trace", {3, 4, 4}, [](V x) -> Values { return {ops::trace(x)}; });
  one(c, "matrix_power", {3, 4, 4}, [](V x) -> Values {
    return {ops::matrix_power(x, 5)};
  });
  c.push_back({"kron", {{{3, 2}}, {{2, 4}}}, [](const Values& x) -> Values {
                 return {ops::kron(x[0], x[1])};
               }});
  c.push_back(
      {"solve", {{{2, 4, 4}}, {{2, 4, 3}}}, [](const Values& x) -> Values {
         return {ops::solve(x[0] + 3.0 * ops::eye(4, x[0].dtype()), x[1])};
       }});
  c.push_back({"lstsq", {{{6, 3}}, {{6, 2}}}, [](const Values& x) -> Values {
                 return {ops::lstsq(x[0], x[1])};
               }});
  for (const bool lower : {true, false}) {
    c.push_back({lower ? "triangular_solve/lower" : "triangular_solve/upper",
                 {{{2, 4, 4}}, {{2, 4, 3}}},
                 [lower](const Values& x) -> Values {
                   const Value a = x[0] + 3.0 * ops::eye(4, x[0].dtype());
                   return {ops::triangular_solve(a, x[1], {.lower = lower})};
                 }});
  }
}

// Complex tensors travel as pairs of real ones.
void add_complex_cases(std::vector<Case>& c) {
  const auto parts = [](const Value& z) -> Values {
    return {ops::real(z), ops::imag(z)};
  };
  using Unary = Value (*)(const Value&);
  const auto unary = [&](const std::string& id, Unary f) {
    c.push_back({"complex/" + id,
                 {{{3, 5}, 0.3, 2}, {{3, 5}, 0.3, 2}},
                 [f, parts](const Values& x) {
                   return parts(f(ops::complex(x[0], x[1])));
                 }});
  };
  using V = const Value&;
  unary("exp", [](V z) { return ops::exp(z); });
  unary("log", [](V z) { return ops::log(z); });
  unary("sqrt", [](V z) { return ops::sqrt(z); });
  unary("tanh", [](V z) { return ops::tanh(z); });
  unary("conj", [](V z) { return ops::conj(z); });
  unary("square_over", [](V z) { return z * z / (z + 1.0); });
  c.push_back({"complex/abs_angle",
               {{{3, 5}}, {{3, 5}, 0.3, 2}},
               [](const Values& x) -> Values {
                 const Value z = ops::complex(x[0], x[1]);
                 return {ops::abs(z), ops::angle(z)};
               }});
  c.push_back({"complex/matmul",
               {{{3, 4}}, {{3, 4}}, {{4, 2}}, {{4, 2}}},
               [parts](const Values& x) {
                 return parts(ops::matmul(ops::complex(x[0], x[1]),
                                          ops::complex(x[2], x[3])));
               }});
  c.push_back({"fft", {{{3, 8}}, {{3, 8}}}, [parts](const Values& x) {
                 return parts(ops::fft(ops::complex(x[0], x[1])));
               }});
  c.push_back({"ifft/12", {{{3, 8}}, {{3, 8}}}, [parts](const Values& x) {
                 return parts(ops::ifft(ops::complex(x[0], x[1]), {12}));
               }});
  c.push_back({"fft/2d", {{{2, 4, 6}}, {{2, 4, 6}}}, [parts](const Values& x) {
                 return parts(ops::fft(ops::complex(x[0], x[1]), {4, 6}));
               }});
  c.push_back({"rfft", {{{3, 9}}}, [parts](const Values& x) {
                 return parts(ops::rfft(x[0]));
               }});
  c.push_back({"irfft", {{{3, 5}}, {{3, 5}}}, [](const Values& x) -> Values {
                 return {ops::irfft(ops::complex(x[0], x[1]))};
               }});
}

}  // namespace kexue::testing
