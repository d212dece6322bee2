#include "kexue/ops/unary.h"

#include <numbers>

#include "kexue/ops/complex.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

TypeList signed_unary(const InferContext& c) {
  const DType d = same_type(c)[0].dtype;
  if (!is_float(d) && d != DType::kI32 && d != DType::kI64) {
    refuse(c, "wants a float or signed integer tensor");
  }
  return {c.type(0)};
}

// The functions on floats and, wrapping, on integers.
template <double (*kF)(double), uint64_t (*kI)(int64_t)>
std::vector<HostArray> eval_signed(const EvalContext& c) {
  if (is_float(c.x[0].dtype())) return eval_unary<kF>(c);
  auto v = c.x[0].to_ints();
  for (auto& x : v) x = static_cast<int64_t>(kI(x));
  return {make_ints(c.node.types[0], v)};
}

double negated(double x) {
  return -x;
}
uint64_t negated(int64_t x) {
  return 0 - static_cast<uint64_t>(x);
}
double magnitude(double x) {
  return std::fabs(x);
}
uint64_t magnitude(int64_t x) {
  return x < 0 ? negated(x) : static_cast<uint64_t>(x);
}
double sign_of(double x) {
  return x > 0 ? 1 : (x < 0 ? -1 : x);
}
uint64_t sign_of(int64_t x) {
  return static_cast<uint64_t>((x > 0) - (x < 0));
}

Complex c_exp(Complex z) {
  return std::exp(z);
}
Complex c_log(Complex z) {
  return std::log(z);
}
Complex c_logistic(Complex z) {
  return 1.0 / (1.0 + std::exp(-z));
}
Complex c_tanh(Complex z) {
  return std::tanh(z);
}
Complex c_sqrt(Complex z) {
  return std::sqrt(z);
}
Complex c_rsqrt(Complex z) {
  return 1.0 / std::sqrt(z);
}
Complex c_sin(Complex z) {
  return std::sin(z);
}
Complex c_cos(Complex z) {
  return std::cos(z);
}

// z / |z|, 0 at 0; also as the derivative of |z|.
Value direction(const Value& z) {
  const Value r = abs(z);
  const Value zero = equal(r, zeros_like(r));
  const Value safe = select(zero, ones_like(r), r);
  const Value unit = z / convert(safe, z.dtype());
  return select(zero, zeros_like(z), unit);  // a constant there: derivative 0
}

Values no_gradient(const VjpContext&) {
  return {Value{}};
}

}  // namespace

constexpr OpDef kNegate{
    .name = "negate",
    .infer = same_type,
    .vjp = [](const VjpContext& c) -> Values { return {-c.dy}; },
    .lower = lower_as<"negate">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      if (is_complex(c.x[0].dtype())) {
        return eval_complex(c, [](Complex z) { return -z; });
      }
      return eval_signed<negated, negated>(c);
    },
    .batch = batch_elementwise,
};
constexpr OpDef kAbs{
    .name = "abs",
    .infer = [](const InferContext& c) -> TypeList {
      if (!is_complex(c.type(0).dtype)) return signed_unary(c);
      inexact_unary(c);
      return {{real_dtype_of(c.type(0).dtype), c.type(0).shape}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      const Value x = c.x[0];
      return {convert(c.dy, x.dtype()) * sign(x)};
    },
    .lower = lower_as<"abs">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      if (is_complex(c.x[0].dtype())) {
        std::vector<double> r;
        for (const Complex z : c.x[0].to_complexes()) r.push_back(std::abs(z));
        return {make_floats(c.node.types[0], r)};
      }
      return eval_signed<magnitude, magnitude>(c);
    },
    .batch = batch_elementwise,
};
constexpr OpDef kSign{
    .name = "sign",
    .infer = signed_unary,
    .vjp = no_gradient,
    .lower = lower_as<"sign">,
    .eval = eval_signed<sign_of, sign_of>,
    .batch = batch_elementwise,
};
constexpr OpDef kExp{
    .name = "exp",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy * conj(c.y)}; },
    .lower = lower_as<"exponential">,
    .eval = eval_unary<[](double x) { return std::exp(x); }, c_exp>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kExpm1{
    .name = "expm1",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy * (c.y + 1.0)}; },
    .lower = lower_as<"exponential_minus_one">,
    .eval = eval_unary<[](double x) { return std::expm1(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kLog{
    .name = "log",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy / conj(c.x[0])}; },
    .lower = lower_as<"log">,
    .eval = eval_unary<[](double x) { return std::log(x); }, c_log>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kLog1p{
    .name = "log1p",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy / (c.x[0] + 1.0)};
    },
    .lower = lower_as<"log_plus_one">,
    .eval = eval_unary<[](double x) { return std::log1p(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kLogistic{
    .name = "logistic",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values {
      const Value y = conj(c.y);
      return {c.dy * y * (1.0 - y)};
    },
    .lower = lower_as<"logistic">,
    .eval =
        eval_unary<[](double x) { return 1 / (1 + std::exp(-x)); }, c_logistic>,
    .batch = batch_elementwise,
};
constexpr OpDef kTanh{
    .name = "tanh",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values {
      const Value y = conj(c.y);
      return {c.dy * (1.0 - y * y)};
    },
    .lower = lower_as<"tanh">,
    .eval = eval_unary<[](double x) { return std::tanh(x); }, c_tanh>,
    .batch = batch_elementwise,
};
constexpr OpDef kErf{
    .name = "erf",
    .infer = float_unary,
    // 2/sqrt(pi) e^(-x^2); x^2 may overflow to infinity, which gives 0.
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * exp(-(c.x[0] * c.x[0])) * (2 * std::numbers::inv_sqrtpi)};
    },
    .lower = [](Emitter& e, const Node& node) { e.emit(node, "chlo.erf"); },
    .eval = eval_unary<[](double x) { return std::erf(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kSqrt{
    .name = "sqrt",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * 0.5 / conj(c.y)};
    },
    .lower = lower_as<"sqrt">,
    .eval = eval_unary<[](double x) { return std::sqrt(x); }, c_sqrt>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kRsqrt{
    .name = "rsqrt",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values {
      const Value y = conj(c.y);
      return {c.dy * -0.5 * (y * y * y)};
    },
    .lower = lower_as<"rsqrt">,
    .eval = eval_unary<[](double x) { return 1 / std::sqrt(x); }, c_rsqrt>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kSin{
    .name = "sin",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * conj(cos(c.x[0]))};
    },
    .lower = lower_as<"sine">,
    .eval = eval_unary<[](double x) { return std::sin(x); }, c_sin>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kCos{
    .name = "cos",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {-(c.dy * conj(sin(c.x[0])))};
    },
    .lower = lower_as<"cosine">,
    .eval = eval_unary<[](double x) { return std::cos(x); }, c_cos>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kFloor{
    .name = "floor",
    .infer = float_unary,
    .vjp = no_gradient,
    .lower = lower_as<"floor">,
    .eval = eval_unary<[](double x) { return std::floor(x); }>,
    .batch = batch_elementwise,
};
constexpr OpDef kCeil{
    .name = "ceil",
    .infer = float_unary,
    .vjp = no_gradient,
    .lower = lower_as<"ceil">,
    .eval = eval_unary<[](double x) { return std::ceil(x); }>,
    .batch = batch_elementwise,
};
constexpr OpDef kIsFinite{
    .name = "is_finite",
    .infer = [](const InferContext& c) -> TypeList {
      float_unary(c);
      return {{DType::kBool, c.type(0).shape}};
    },
    .lower = lower_as<"is_finite">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      std::vector<int64_t> out;
      for (const double x : c.x[0].to_doubles()) {
        out.push_back(std::isfinite(x) ? 1 : 0);
      }
      return {make_ints(c.node.types[0], out)};
    },
    .batch = batch_elementwise,
    .cast = Cast::kKeep,
};

Value negate(const Arg& x) {
  return unary(kNegate, x);
}
Value abs(const Arg& x) {
  return unary(kAbs, x);
}
Value sign(const Arg& x) {
  return is_complex(x.dtype()) ? direction(x) : unary(kSign, x);
}
Value exp(const Arg& x) {
  return unary(kExp, x);
}
Value expm1(const Arg& x) {
  return unary(kExpm1, x);
}
Value log(const Arg& x) {
  return unary(kLog, x);
}
Value log1p(const Arg& x) {
  return unary(kLog1p, x);
}
Value logistic(const Arg& x) {
  return unary(kLogistic, x);
}
Value tanh(const Arg& x) {
  return unary(kTanh, x);
}
Value erf(const Arg& x) {
  return unary(kErf, x);
}
Value sqrt(const Arg& x) {
  return unary(kSqrt, x);
}
Value rsqrt(const Arg& x) {
  return unary(kRsqrt, x);
}
Value sin(const Arg& x) {
  return unary(kSin, x);
}
Value cos(const Arg& x) {
  return unary(kCos, x);
}
Value floor(const Arg& x) {
  return unary(kFloor, x);
}
Value ceil(const Arg& x) {
  return unary(kCeil, x);
}
Value is_finite(const Arg& x) {
  return unary(kIsFinite, x);
}

}  // namespace kexue::ops
