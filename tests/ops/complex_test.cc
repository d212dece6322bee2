// What the sweep does not say of complex numbers: worked gradients, kinks,
// a linear recurrence, precision policies, and what is refused.
#include <gtest/gtest.h>

#include "kexue/ir/print.h"
#include "kexue/ops/op_table.h"
#include "kexue/transforms/precision.h"
#include "tests/ops/complex_rows.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using Loss = std::function<Value(const Value&)>;

HostArray c128(const std::vector<Complex>& z) {
  return HostArray::of<Complex>({static_cast<int64_t>(z.size())}, z);
}

std::vector<Complex> gradient_at(const Loss& f, const std::vector<Complex>& z) {
  const auto grad = [&](const Values& x) {
    return transforms::gradients(f(x[0]), x);
  };
  return evaluate_at(grad, {c128(z)})[0].to_complexes();
}

// The gradient of a sum of one function of each element.
void expect_gradient(const Loss& f, Complex (*want)(Complex)) {
  const std::vector<Complex> z = {{1, 2}, {-0.5, 3}, {0, -1}, {2, 0}};
  const auto got =
      gradient_at([&](const Value& x) { return ops::sum(f(x)); }, z);
  for (size_t i = 0; i < z.size(); ++i) {
    EXPECT_NEAR(std::abs(got[i] - want(z[i])), 0, 1e-14) << z[i];
  }
}

TEST(ComplexGradient, PointsUphill) {
  // |z|^2 three ways -> 2z
  const auto twice = [](Complex z) { return 2.0 * z; };
  expect_gradient([](const Value& z) { return ops::real(z * ops::conj(z)); },
                  twice);
  expect_gradient([](const Value& z) { return ops::abs(z) * ops::abs(z); },
                  twice);
  expect_gradient(
      [](const Value& z) {
        return ops::real(z) * ops::real(z) + ops::imag(z) * ops::imag(z);
      },
      twice);
  // Re z^2 = x^2 - y^2 -> 2x - 2iy; Im z^2 = 2xy -> 2y + 2ix
  expect_gradient([](const Value& z) { return ops::real(z * z); },
                  [](Complex z) { return 2.0 * std::conj(z); });
  expect_gradient([](const Value& z) { return ops::imag(z * z); },
                  [](Complex z) { return 2.0 * Complex(z.imag(), z.real()); });
  expect_gradient([](const Value& z) { return ops::abs(z); },
                  [](Complex z) { return z / std::abs(z); });
  // d angle = i z / |z|^2
  expect_gradient([](const Value& z) { return ops::angle(z); },
                  [](Complex z) { return Complex(0, 1) * z / std::norm(z); });
  // A holomorphic f: conj(f')
  expect_gradient([](const Value& z) { return ops::real(ops::exp(z)); },
                  [](Complex z) { return std::conj(std::exp(z)); });
}

TEST(ComplexGradient, StepsAgainstItLowerTheLoss) {
  // |z - w|^2: each step of 1/4 halves the distance.
  const Complex w = {3, -1};
  Complex z = {0, 0};
  for (int i = 0; i < 30; ++i) {
    const auto g = gradient_at(
        [&](const Value& x) {
          const Value d = x - ops::constant(c128({w}));
          return ops::sum(ops::real(d * ops::conj(d)));
        },
        {z});
    z -= 0.25 * g[0];
    EXPECT_NEAR(std::abs(z - w), std::abs(w) * std::pow(0.5, i + 1), 1e-12);
  }
}

TEST(ComplexGradient, IsZeroAtTheKinksAndNeverNan) {
  const Loss losses[] = {
      [](const Value& z) { return ops::sum(ops::abs(z)); },
      [](const Value& z) { return ops::sum(ops::angle(z)); },
      [](const Value& z) { return ops::norm(z); },
      [](const Value& z) { return ops::sum(ops::real(ops::sign(z))); }};
  for (const Loss& f : losses) {
    EXPECT_EQ(gradient_at(f, {0})[0], 0.0);
    // Of the length of the gradient, once more.
    const Loss slope = [&](const Value& z) {
      const Value g = transforms::gradients(f(z), {z})[0];
      return ops::sum(ops::real(g * ops::conj(g)));
    };
    EXPECT_EQ(gradient_at(slope, {0})[0], 0.0);
  }
}

TEST(ComplexGradient, OfFunctionsMadeOfOps) {
  const TensorType type{DType::kC128, {2, 3}};
  const auto z = random_normal(type, Key::from_seed(3));
  const auto check = [&](const Loss& f) {
    EXPECT_TRUE(check_grads(
        [&](const Values& x) { return weighted_sum({f(x[0])}); }, {z}, 3));
  };
  check([](const Value& x) { return ops::angle(x); });
  check([](const Value& x) { return ops::sign(x); });
  check([](const Value& x) { return ops::norm(x); });
  check([](const Value& x) { return ops::variance(x, {1}); });
  check([](const Value& x) { return ops::mean(x * x, {0}); });
}

TEST(ComplexValues, OfFunctionsMadeOfOps) {
  const std::vector<Complex> z = {
      {1, 2}, {-3, 0.5}, {-1, -1}, {0, -2}, {-4, 0}};
  const auto y = evaluate_at(
      [](const Values& x) {
        return Values{ops::angle(x[0]),
                      ops::sign(x[0]),
                      ops::norm(x[0]),
                      ops::variance(x[0]),
                      ops::imag(ops::real(x[0])),
                      ops::all_finite({x[0]}),
                      ops::all_finite({x[0] / (x[0] - x[0])})};
      },
      {c128(z)});
  Complex mean = 0;
  double squares = 0;
  for (const Complex& v : z) {
    mean += v / 5.0;
    squares += std::norm(v);
  }
  for (size_t i = 0; i < z.size(); ++i) {
    EXPECT_NEAR(y[0].at(static_cast<int64_t>(i)), std::arg(z[i]), 1e-15);
    EXPECT_NEAR(
        std::abs(y[1].to_complexes()[i] - z[i] / std::abs(z[i])), 0, 1e-15);
    EXPECT_EQ(y[4].at(static_cast<int64_t>(i)), 0);
  }
  EXPECT_NEAR(y[2].at(0), std::sqrt(squares), 1e-14);
  EXPECT_NEAR(y[3].at(0), squares / 5 - std::norm(mean), 1e-14);
  EXPECT_EQ(y[5].at(0), 1);
  EXPECT_EQ(y[6].at(0), 0);
}

TEST(ComplexGradient, HessianVectorProductOfAQuadraticForm) {
  // L = |A z|^2, H v = 2 A^H A v
  const Complex a[2][2] = {{{1, 1}, {0, 2}}, {{-1, 0}, {0.5, -1}}};
  const std::vector<Complex> v = {{1, -2}, {0.25, 3}};
  const auto matrix =
      HostArray::of<Complex>({2, 2}, {a[0][0], a[0][1], a[1][0], a[1][1]});
  const auto f = [&](const Values& x) {
    const Value y = ops::einsum("mk,k->m", ops::constant(matrix), x[0]);
    return ops::sum(ops::real(y * ops::conj(y)));
  };
  const auto got =
      evaluate_at(
          [&](const Values& x) { return transforms::hvp(f)({x[0]}, {x[1]}); },
          {c128({{0.3, 0}, {1, 1}}), c128(v)})[0]
          .to_complexes();
  for (size_t k = 0; k < 2; ++k) {
    Complex want = 0;
    for (const auto& row : a) {
      want += 2.0 * std::conj(row[k]) * (row[0] * v[0] + row[1] * v[1]);
    }
    EXPECT_NEAR(std::abs(got[k] - want), 0, 1e-13);
  }
}

TEST(ComplexGradient, OfRealProgramsHoldsNoComplexOp) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 2}});
  const Value y = ops::matmul(ops::tanh(x) / ops::exp(x), ops::sqrt(x) * x);
  const Value loss = ops::norm(ops::real(ops::conj(ops::pow(y, y))));
  transforms::gradients(loss, transforms::gradients(loss, {x}));
  for (const auto& n : g.nodes()) {
    EXPECT_NE(n->op, &ops::kConj);
    EXPECT_NE(n->op, &ops::kReal);
    EXPECT_NE(n->op, &ops::kComplex);
  }
}

TEST(ComplexGradient, PassesTheBordersOfRealAndComplex) {
  // L = Re(sum w z), z = x + iy of real x, y: dx = Re w, dy = -Im w.
  const std::vector<Complex> w = {{2, 3}, {-1, 0.5}};
  const auto grads = evaluate_at(
      [&](const Values& x) {
        const Value z = ops::complex(x[0], x[1]);
        const Value l = ops::real(ops::sum(ops::constant(c128(w)) * z));
        return transforms::gradients(l, x);
      },
      {HostArray(DType::kF64, {2}), HostArray(DType::kF64, {2})});
  EXPECT_EQ(grads[0].to_doubles(), (Doubles{2, -1}));
  EXPECT_EQ(grads[1].to_doubles(), (Doubles{-3, -0.5}));
}

// x_t = lambda x_(t-1) + u_t, as in linear recurrent units.
Values recurrence(const Value& lambda, const Value& u) {
  const auto body = [&](const Values& c, const Values& in) {
    const Value x = lambda * c[0] + in[0];
    return std::pair(Values{x}, Values{x});
  };
  return ops::scan(body, {ops::zeros_like(lambda)}, {u}).ys;
}

TEST(ComplexScan, RunsALinearRecurrence) {
  const HostArray lambda = HostArray::scalar(std::polar(0.9, 0.5));
  const auto u = c128({1, -2, 0.5, 3, 0, 1});
  const std::vector<Complex> want = {{1, 0},
                                     {-1.21017569, 0.43148298},
                                     {-0.64200374, -0.18137447},
                                     {2.57118984, -0.42026766},
                                     {2.21212657, 0.77748705},
                                     {2.4117189, 1.56857315}};
  const auto got = evaluate_at(
      [](const Values& x) { return recurrence(x[0], x[1]); }, {lambda, u});
  for (size_t t = 0; t < want.size(); ++t) {
    EXPECT_NEAR(std::abs(got[0].to_complexes()[t] - want[t]), 0, 2e-8) << t;
  }
}

TEST(ComplexScan, HasTheGradientOfTheReversedRecurrence) {
  // With g_t = dL/dx_t: G_t = g_t + conj(lambda) G_(t+1), du_t = G_t and
  // dlambda = sum_t G_t conj(x_(t-1)).
  const Complex lambda = std::polar(0.9, 0.5);
  const auto u = random_normal({DType::kC128, {13}}, Key::from_seed(8));
  const auto g = random_normal({DType::kC128, {13}}, Key::from_seed(9));
  const auto outs = evaluate_at(
      [&](const Values& x) {
        const Value y = recurrence(x[0], x[1])[0];
        const Value c = ops::conj(ops::constant(g));
        Values r = transforms::gradients(ops::real(ops::sum(c * y)), x);
        r.push_back(y);
        return r;
      },
      {HostArray::scalar(lambda), u});
  const auto x = outs[2].to_complexes();
  Complex total = 0;
  Complex d_lambda = 0;
  for (size_t t = 13; t-- > 0;) {
    total = g.to_complexes()[t] + std::conj(lambda) * total;
    EXPECT_NEAR(std::abs(outs[1].to_complexes()[t] - total), 0, 1e-13) << t;
    if (t > 0) d_lambda += total * std::conj(x[t - 1]);
  }
  EXPECT_NEAR(std::abs(outs[0].to_complexes()[0] - d_lambda), 0, 1e-12);
}

TEST(ComplexScan, DifferentiatesRadiusAndAngleOfItsEigenvalues) {
  // lambda = exp(-exp(nu) + i exp(theta)); inputs real, states complex.
  const auto f = [](const Values& x) {
    const Value decay = -ops::exp(x[0]);
    const Value lambda = ops::exp(ops::complex(decay, ops::exp(x[1])));
    const Value u = ops::convert(x[2], DType::kC128);
    const auto body = [&](const Values& c, const Values& in) {
      const Value h = lambda * c[0] + in[0];
      return std::pair(Values{h}, Values{ops::real(h)});
    };
    const auto ys = ops::scan(body, {ops::zeros_like(lambda)}, {u}).ys;
    return weighted_sum({ops::tanh(ys[0])});
  };
  const std::vector<HostArray> x = {
      random_normal({DType::kF64, {3}}, Key::from_seed(1)),
      random_normal({DType::kF64, {3}}, Key::from_seed(2)),
      random_normal({DType::kF64, {5, 3}}, Key::from_seed(3))};
  EXPECT_TRUE(check_grads(f, x, 2));
}

TEST(ComplexPrecision, PoliciesLeaveComplexNumbersAlone) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 2}});
  const Value h = ops::matmul(x, x);  // in the compute type
  const Value z = ops::fft(ops::exp(ops::complex(h, h * h)));
  g.set_outputs({ops::matmul(ops::abs(ops::matmul(z, z)), x), z});
  for (const bool low_glue : {false, true}) {
    const auto low = transforms::apply_precision(
        g, {.compute = DType::kBF16, .low_glue = low_glue});
    EXPECT_EQ(low->outputs()[1].dtype(), DType::kC64);
    for (const auto& n : low->nodes()) {
      const std::string_view name = n->op->name;
      if (name == "fft" || name == "complex") {
        EXPECT_EQ(n->types[0].dtype, DType::kC64);
      }
      if (name == "abs") {
        EXPECT_EQ(n->types[0].dtype, DType::kF32);
      }
      if (name == "matmul" && is_complex(n->inputs[0].dtype())) {
        EXPECT_EQ(n->types[0].dtype, DType::kC64);
      }
    }
    const auto args = random_normal({DType::kF32, {2, 2}}, Key::from_seed(4));
    const auto want = ir::evaluate(g, {{args}});
    const auto got = ir::evaluate(*low, {{args}});
    EXPECT_TRUE(close(got[1], want[1], {0.05, 0.05}));
  }
}

constexpr Code kBad = Code::kInvalidArgument;

class ComplexErrors : public ::testing::Test {
 protected:
  Graph g_;
  ir::Tracing tracing_{g_};
  Value z_ = g_.input({DType::kC64, {2, 3}});
  Value x_ = g_.input({DType::kF32, {2, 3}});
  Value h_ = g_.input({DType::kF16, {2, 3}});
};

TEST_F(ComplexErrors, PartsHaveTheDtypesOfComplexNumbers) {
  EXPECT_ERROR(ops::complex(h_, h_),
               kBad,
               "complex: wants f32 or f64 parts",
               "f16[2,3] and f16[2,3]");
  EXPECT_ERROR(ops::complex(z_, z_), kBad, "complex: wants a real tensor");
  EXPECT_ERROR(ops::complex(x_, g_.input({DType::kF64, {2, 3}})),
               kBad,
               "complex: wants two tensors of one type");
  EXPECT_ERROR(ops::angle(x_), kBad, "real: wants a complex tensor");
  EXPECT_ERROR(
      complex_dtype_of(DType::kBF16), kBad, "bf16 has no complex dtype");
  EXPECT_ERROR(real_dtype_of(DType::kI32), kBad, "i32 has no real dtype");
}

TEST_F(ComplexErrors, LeavingComplexNamesThePart) {
  EXPECT_ERROR(ops::convert(z_, DType::kF32),
               kBad,
               "convert: wants real(x), imag(x) or abs(x)",
               "c64[2,3]");
  EXPECT_ERROR(ops::convert(z_, DType::kBool), kBad, "convert: wants real(x)");
}

TEST_F(ComplexErrors, ThereIsNoOrder) {
  EXPECT_ERROR(ops::less(z_, z_), kBad, "less: wants a real tensor");
  EXPECT_ERROR(ops::greater_equal(z_, z_), kBad, "greater_equal: wants a real");
  EXPECT_ERROR(ops::maximum(z_, z_), kBad, "maximum: wants a real tensor");
  EXPECT_ERROR(ops::minimum(z_, z_), kBad, "minimum: wants a real tensor");
  EXPECT_ERROR(ops::remainder(z_, z_), kBad, "remainder: wants a real tensor");
  EXPECT_ERROR(ops::max(z_), kBad, "max: wants a real tensor, got c64[2,3]");
  EXPECT_ERROR(ops::min(z_), kBad, "min: wants a real tensor, got c64[2,3]");
}

TEST_F(ComplexErrors, RealFunctionsRefuse) {
  EXPECT_ERROR(ops::erf(z_), kBad, "erf: wants a float tensor, got c64[2,3]");
  EXPECT_ERROR(ops::floor(z_), kBad, "floor: wants a float tensor");
  EXPECT_ERROR(ops::is_finite(z_), kBad, "is_finite: wants a float tensor");
  EXPECT_ERROR(ops::atan2(z_, z_), kBad, "atan2: wants a real tensor");
  EXPECT_ERROR(ops::bit_not(z_), kBad, "not: wants integers or bool");
  EXPECT_ERROR(ops::bit_and(z_, z_), kBad, "and: wants a real tensor");
  EXPECT_ERROR(ops::gelu(z_), kBad, "gelu: wants a float tensor");
  EXPECT_ERROR(z_ + x_, kBad, "add: wants two tensors of one type");
}

TEST_F(ComplexErrors, ALossIsReal) {
  EXPECT_ERROR(transforms::gradients(ops::sum(z_), {z_}),
               kBad,
               "gradient: wants a real loss, got c64[]",
               "take its real(), imag() or abs()");
  EXPECT_ERROR(
      transforms::gradients(ops::sum(x_), {g_.input({DType::kI32, {}})}),
      kBad,
      "gradient: wants float or complex tensors, got x 0",
      "i32[]");
}

}  // namespace
}  // namespace kexue::testing
