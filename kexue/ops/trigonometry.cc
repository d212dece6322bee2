// Angles and hyperbolas; declared in unary.h.
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/support.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

using Rule = Values (*)(const VjpContext&);

// StableHLO has few of these; CHLO, which compilers expand, has the rest.
template <Text kLowered, double (*kF)(double)>
constexpr OpDef function(std::string_view name, Rule vjp) {
  return {.name = name,
          .infer = float_unary,
          .vjp = vjp,
          .lower = [](Emitter& e, const Node& n) { e.emit(n, kLowered.s); },
          .eval = eval_unary<kF>,
          .batch = batch_elementwise,
          .cast = Cast::kF32};
}

// 1 - x^2 without loss near 1
Value circle(const Value& x) {
  return (1.0 - x) * (1.0 + x);
}

}  // namespace

constexpr OpDef kTan =
    function<"stablehlo.tan", [](double x) { return std::tan(x); }>(
        "tan", [](const VjpContext& c) -> Values {
          return {c.dy * (c.y * c.y + 1.0)};
        });
constexpr OpDef kAsin =
    function<"chlo.asin", [](double x) { return std::asin(x); }>(
        "asin", [](const VjpContext& c) -> Values {
          return {c.dy * rsqrt(circle(c.x[0]))};
        });
constexpr OpDef kAcos =
    function<"chlo.acos", [](double x) { return std::acos(x); }>(
        "acos", [](const VjpContext& c) -> Values {
          return {-(c.dy * rsqrt(circle(c.x[0])))};
        });
constexpr OpDef kAtan =
    function<"chlo.atan", [](double x) { return std::atan(x); }>(
        "atan", [](const VjpContext& c) -> Values {
          return {c.dy / (c.x[0] * c.x[0] + 1.0)};
        });
constexpr OpDef kSinh =
    function<"chlo.sinh", [](double x) { return std::sinh(x); }>(
        "sinh",
        [](const VjpContext& c) -> Values { return {c.dy * cosh(c.x[0])}; });
constexpr OpDef kCosh =
    function<"chlo.cosh", [](double x) { return std::cosh(x); }>(
        "cosh",
        [](const VjpContext& c) -> Values { return {c.dy * sinh(c.x[0])}; });
constexpr OpDef kAsinh =
    function<"chlo.asinh", [](double x) { return std::asinh(x); }>(
        "asinh", [](const VjpContext& c) -> Values {
          return {c.dy * rsqrt(c.x[0] * c.x[0] + 1.0)};
        });
constexpr OpDef kAcosh =
    function<"chlo.acosh", [](double x) { return std::acosh(x); }>(
        "acosh", [](const VjpContext& c) -> Values {
          return {c.dy * rsqrt((c.x[0] - 1.0) * (c.x[0] + 1.0))};
        });
constexpr OpDef kAtanh =
    function<"chlo.atanh", [](double x) { return std::atanh(x); }>(
        "atanh",
        [](const VjpContext& c) -> Values { return {c.dy / circle(c.x[0])}; });

Value tan(const Arg& x) {
  return unary(kTan, x);
}
Value asin(const Arg& x) {
  return unary(kAsin, x);
}
Value acos(const Arg& x) {
  return unary(kAcos, x);
}
Value atan(const Arg& x) {
  return unary(kAtan, x);
}
Value sinh(const Arg& x) {
  return unary(kSinh, x);
}
Value cosh(const Arg& x) {
  return unary(kCosh, x);
}
Value asinh(const Arg& x) {
  return unary(kAsinh, x);
}
Value acosh(const Arg& x) {
  return unary(kAcosh, x);
}
Value atanh(const Arg& x) {
  return unary(kAtanh, x);
}

}  // namespace kexue::ops
