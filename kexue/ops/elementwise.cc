#include "kexue/ops/elementwise.h"

#include <functional>

#include "kexue/ops/complex.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

// ---- arithmetic -----------------------------------------------------------

double f_add(double a, double b) {
  return a + b;
}
double f_sub(double a, double b) {
  return a - b;
}
double f_mul(double a, double b) {
  return a * b;
}
double f_div(double a, double b) {
  return a / b;
}
double f_rem(double a, double b) {
  return std::fmod(a, b);
}
double f_max(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
}
double f_min(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
}
double f_pow(double a, double b) {
  return std::pow(a, b);
}
double f_atan2(double a, double b) {
  return std::atan2(a, b);
}

int64_t wrap(uint64_t x) {
  return static_cast<int64_t>(x);
}
int64_t i_add(int64_t a, int64_t b) {
  return wrap(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t i_sub(int64_t a, int64_t b) {
  return wrap(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t i_mul(int64_t a, int64_t b) {
  return wrap(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
int64_t i_div(int64_t a, int64_t b) {
  if (b == -1) return wrap(0 - static_cast<uint64_t>(a));  // -2^63 / -1
  return b == 0 ? -1 : a / b;
}
int64_t i_rem(int64_t a, int64_t b) {
  if (b == -1) return 0;
  return b == 0 ? a : a % b;
}
int64_t i_max(int64_t a, int64_t b) {
  return std::max(a, b);
}
int64_t i_min(int64_t a, int64_t b) {
  return std::min(a, b);
}
int64_t i_none(int64_t, int64_t) {
  throw Error(Code::kInternal, "float op on integers");
}
Complex c_pow(Complex a, Complex b) {
  // std::pow of 0 divides by it.
  if (a == 0.0) return b == 0.0 ? 1.0 : 0.0;
  return std::pow(a, b);
}

TypeList float_binary(const InferContext& c) {
  auto types = same_binary(c);
  want_float(c);
  return types;
}

}  // namespace

// y = a + b
constexpr OpDef kAdd{
    .name = "add",
    .infer = any_binary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy, c.dy};
    },
    .lower = lower_as<"add">,
    .eval = eval_binary<f_add, i_add, complex_op<std::plus<>>>,
    .batch = batch_elementwise,
};

// y = a - b
constexpr OpDef kSubtract{
    .name = "subtract",
    .infer = any_binary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy, c.needs[1] ? -c.dy : Value{}};
    },
    .lower = lower_as<"subtract">,
    .eval = eval_binary<f_sub, i_sub, complex_op<std::minus<>>>,
    .batch = batch_elementwise,
};

// y = a b
constexpr OpDef kMultiply{
    .name = "multiply",
    .infer = any_binary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.needs[0] ? c.dy * conj(c.x[1]) : Value{},
              c.needs[1] ? c.dy * conj(c.x[0]) : Value{}};
    },
    .lower = lower_as<"multiply">,
    .eval = eval_binary<f_mul, i_mul, complex_op<std::multiplies<>>>,
    .batch = batch_elementwise,
};

// y = a / b; integers truncate.
constexpr OpDef kDivide{
    .name = "divide",
    .infer = any_binary,
    .vjp = [](const VjpContext& c) -> Values {
      const Value da = c.dy / conj(c.x[1]);
      return {da, c.needs[1] ? -(da * conj(c.y)) : Value{}};
    },
    .lower = lower_as<"divide">,
    .eval = eval_binary<f_div, i_div, complex_op<std::divides<>>>,
    .batch = batch_elementwise,
};

// y = a - b trunc(a / b)
constexpr OpDef kRemainder{
    .name = "remainder",
    .infer = same_binary,
    .vjp = [](const VjpContext& c) -> Values {
      const Value q = divide(c.x[0], c.x[1]);
      return {c.dy, -(c.dy * sign(q) * floor(abs(q)))};
    },
    .lower = lower_as<"remainder">,
    .eval = eval_binary<f_rem, i_rem>,
    .batch = batch_elementwise,
};

namespace {

// Share of the cotangent for each side of max/min: 1, 0, or 1/2 at a tie.
Values split_by(const VjpContext& c, const Value& first_wins) {
  const Value tie = equal(c.x[0], c.x[1]);
  const Value half = c.dy * 0.5;
  const Value zero = zeros_like(c.dy);
  return {select(tie, half, select(first_wins, c.dy, zero)),
          select(tie, half, select(first_wins, zero, c.dy))};
}

}  // namespace

// y = max(a, b); NaN if either is.
constexpr OpDef kMaximum{
    .name = "maximum",
    .infer = same_binary,
    .vjp = [](const VjpContext& c) -> Values {
      return split_by(c, greater(c.x[0], c.x[1]));
    },
    .lower = lower_as<"maximum">,
    .eval = eval_binary<f_max, i_max>,
    .batch = batch_elementwise,
};

// y = min(a, b); NaN if either is.
constexpr OpDef kMinimum{
    .name = "minimum",
    .infer = same_binary,
    .vjp = [](const VjpContext& c) -> Values {
      return split_by(c, less(c.x[0], c.x[1]));
    },
    .lower = lower_as<"minimum">,
    .eval = eval_binary<f_min, i_min>,
    .batch = batch_elementwise,
};

// y = a^b
constexpr OpDef kPower{
    .name = "power",
    .infer = [](const InferContext& c) -> TypeList {
      auto types = any_binary(c);
      want_inexact(c);
      return types;
    },
    .vjp = [](const VjpContext& c) -> Values {
      const Value a = c.x[0];
      const Value b = c.x[1];
      Value da;
      Value db;
      if (c.needs[0]) {
        // Where b = 0 the slope is 0, also at a = 0 (no 0 * infinity).
        const Value none = equal(b, zeros_like(b));
        const Value slope = b * pow(a, select(none, ones_like(b), b - 1.0));
        da = c.dy * conj(select(none, zeros_like(b), slope));
      }
      if (c.needs[1]) {
        const Value zero = zeros_like(a);
        const Value has_log =
            is_complex(a.dtype()) ? not_equal(a, zero) : greater(a, zero);
        const Value safe = select(has_log, a, ones_like(a));
        db = c.dy * conj(c.y) * conj(log(safe));
      }
      return {da, db};
    },
    .lower = lower_as<"power">,
    .eval = eval_binary<f_pow, i_none, c_pow>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};

// Angle of the point (x, y): atan2(y, x).
constexpr OpDef kAtan2{
    .name = "atan2",
    .infer = float_binary,
    .vjp = [](const VjpContext& c) -> Values {
      const Value r = c.dy / (c.x[0] * c.x[0] + c.x[1] * c.x[1]);
      return {r * c.x[1], -(r * c.x[0])};
    },
    .lower = lower_as<"atan2">,
    .eval = eval_binary<f_atan2, i_none>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};

Value add(const Arg& a, const Value& b) {
  return binary(kAdd, a, b);
}
Value subtract(const Arg& a, const Value& b) {
  return binary(kSubtract, a, b);
}
Value multiply(const Arg& a, const Value& b) {
  return binary(kMultiply, a, b);
}
Value divide(const Arg& a, const Value& b) {
  return binary(kDivide, a, b);
}
Value remainder(const Arg& a, const Value& b) {
  return binary(kRemainder, a, b);
}
Value maximum(const Arg& a, const Value& b) {
  return binary(kMaximum, a, b);
}
Value minimum(const Arg& a, const Value& b) {
  return binary(kMinimum, a, b);
}
Value pow(const Arg& a, const Value& b) {
  return binary(kPower, a, b);
}
Value atan2(const Arg& y, const Value& x) {
  return binary(kAtan2, y, x);
}

}  // namespace kexue::ops

namespace kexue::ir {

Value operator+(const Arg& a, const Value& b) {
  return ops::add(a, b);
}
Value operator-(const Arg& a, const Value& b) {
  return ops::subtract(a, b);
}
Value operator*(const Arg& a, const Value& b) {
  return ops::multiply(a, b);
}
Value operator/(const Arg& a, const Value& b) {
  return ops::divide(a, b);
}
Value operator-(const Arg& x) {
  return ops::negate(x);
}
Value operator+(const Arg& a, double b) {
  return a + ops::scalar_like(a, b);
}
Value operator-(const Arg& a, double b) {
  return a - ops::scalar_like(a, b);
}
Value operator*(const Arg& a, double b) {
  return a * ops::scalar_like(a, b);
}
Value operator/(const Arg& a, double b) {
  return a / ops::scalar_like(a, b);
}
Value operator+(double a, const Arg& b) {
  return ops::scalar_like(b, a) + b;
}
Value operator-(double a, const Arg& b) {
  return ops::scalar_like(b, a) - b;
}
Value operator*(double a, const Arg& b) {
  return ops::scalar_like(b, a) * b;
}
Value operator/(double a, const Arg& b) {
  return ops::scalar_like(b, a) / b;
}

}  // namespace kexue::ir
