// Smooth functions with a trap each; declared in unary.h and elementwise.h.
#include <numbers>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

constexpr double kSlope = 2 * std::numbers::inv_sqrtpi;  // of erf at 0

// Halley's steps on erf(y) = x from Winitzki's formula (2008, 2e-3 off). In
// the tail on erfc, where 1 - x is exact and erf has no digits left.
double inverse_erf(double x) {
  const double a = std::fabs(x);
  if (!(a < 1)) return a == 1 ? x * INFINITY : NAN;
  if (a < 1e-9) return x / kSlope;
  constexpr double kFit = 0.147;
  const double l = std::log((1 - a) * (1 + a));
  const double b = 2 / (std::numbers::pi * kFit) + l / 2;
  double y = std::sqrt(std::sqrt(b * b - l / kFit) - b);
  for (int i = 0; i < 4; ++i) {
    const double off = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const double step = off / (kSlope * std::exp(-y * y));
    y -= step / (1 + y * step);
  }
  return std::copysign(y, x);
}

}  // namespace

constexpr OpDef kErfc{
    .name = "erfc",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * exp(-(c.x[0] * c.x[0])) * -kSlope};
    },
    .lower = [](Emitter& e, const Node& n) { e.emit(n, "chlo.erfc"); },
    .eval = eval_unary<[](double x) { return std::erfc(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};

constexpr OpDef kErfInv{
    .name = "erf_inv",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * exp(c.y * c.y) * (1 / kSlope)};
    },
    .lower = [](Emitter& e, const Node& n) { e.emit(n, "chlo.erf_inv"); },
    .eval = eval_unary<inverse_erf>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};

// A rule of its own: the derivative of the composition is wrong at x = 0 from
// the second order on, where |x| has its kink.
constexpr OpDef kSoftplus{
    .name = "softplus",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * logistic(c.x[0])};
    },
    .batch = batch_elementwise,
    .compose = [](const Node&, const Values& in) -> Values {
      const Value& x = in[0];
      return {maximum(x, zeros_like(x)) + log1p(exp(-abs(x)))};
    },
    .cast = Cast::kF32,
};

// The slope at 0 is infinite; 0 in its place keeps gradients finite.
constexpr OpDef kCbrt{
    .name = "cbrt",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      const Value zero = zeros_like(c.y);
      const Value at_0 = equal(c.y, zero);
      const Value y = select(at_0, ones_like(c.y), c.y);
      return {select(at_0, zero, c.dy / (y * y * 3.0))};
    },
    .lower = lower_as<"cbrt">,
    .eval = eval_unary<[](double x) { return std::cbrt(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};

Value erfc(const Arg& x) {
  return unary(kErfc, x);
}
Value erf_inv(const Arg& x) {
  return unary(kErfInv, x);
}
Value softplus(const Arg& x) {
  return unary(kSoftplus, x);
}
Value log_sigmoid(const Arg& x) {
  return -softplus(-x);
}
Value cbrt(const Arg& x) {
  return unary(kCbrt, x);
}
Value square(const Arg& x) {
  return x * x;
}
Value reciprocal(const Arg& x) {
  return 1.0 / x;
}

// The larger one counts as a constant: it cancels in the derivatives.
Value logaddexp(const Arg& a, const Value& b) {
  const Value top = stop_gradient(maximum(a, b));
  const Value shift = select(is_finite(top), top, zeros_like(top));
  const Value s = exp(a - shift) + exp(b - shift);
  const Value none = equal(s, zeros_like(s));
  const Value y = log(select(none, ones_like(s), s)) + shift;
  return select(none, full_like(y, -INFINITY), y);
}

}  // namespace kexue::ops
