#include "kexue/ops/unary.h"

#include <numbers>

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

double sign_of(double x) {
  return x > 0 ? 1 : (x < 0 ? -1 : x);
}
uint64_t sign_of(int64_t x) {
  return static_cast<uint64_t>((x > 0) - (x < 0));
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
    .eval = eval_signed<[](double x) { return -x; },
                        [](int64_t x) { return 0 - static_cast<uint64_t>(x); }>,
    .batch = batch_elementwise,
};
constexpr OpDef kAbs{
    .name = "abs",
    .infer = signed_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy * sign(c.x[0])}; },
    .lower = lower_as<"abs">,
    .eval = eval_signed<[](double x) { return std::fabs(x); },
                        [](int64_t x) {
                          const auto u = static_cast<uint64_t>(x);
                          return x < 0 ? 0 - u : u;
                        }>,
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
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy * c.y}; },
    .lower = lower_as<"exponential">,
    .eval = eval_unary<[](double x) { return std::exp(x); }>,
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
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy / c.x[0]}; },
    .lower = lower_as<"log">,
    .eval = eval_unary<[](double x) { return std::log(x); }>,
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
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * c.y * (1.0 - c.y)};
    },
    .lower = lower_as<"logistic">,
    .eval = eval_unary<[](double x) { return 1 / (1 + std::exp(-x)); }>,
    .batch = batch_elementwise,
};
constexpr OpDef kTanh{
    .name = "tanh",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * (1.0 - c.y * c.y)};
    },
    .lower = lower_as<"tanh">,
    .eval = eval_unary<[](double x) { return std::tanh(x); }>,
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
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy * 0.5 / c.y}; },
    .lower = lower_as<"sqrt">,
    .eval = eval_unary<[](double x) { return std::sqrt(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kRsqrt{
    .name = "rsqrt",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {c.dy * -0.5 * (c.y * c.y * c.y)};
    },
    .lower = lower_as<"rsqrt">,
    .eval = eval_unary<[](double x) { return 1 / std::sqrt(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kSin{
    .name = "sin",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy * cos(c.x[0])}; },
    .lower = lower_as<"sine">,
    .eval = eval_unary<[](double x) { return std::sin(x); }>,
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};
constexpr OpDef kCos{
    .name = "cos",
    .infer = float_unary,
    .vjp = [](const VjpContext& c) -> Values {
      return {-(c.dy * sin(c.x[0]))};
    },
    .lower = lower_as<"cosine">,
    .eval = eval_unary<[](double x) { return std::cos(x); }>,
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
  return unary(kSign, x);
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
