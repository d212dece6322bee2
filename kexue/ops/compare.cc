// Comparison, selection, conversion, stop_gradient.
#include <functional>
#include <type_traits>

#include "kexue/ops/complex.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/pass_through.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

TypeList compare_type(const InferContext& c) {
  same_binary(c);
  return {{DType::kBool, c.type(0).shape}};
}

TypeList equality_type(const InferContext& c) {
  any_binary(c);
  return {{DType::kBool, c.type(0).shape}};
}

template <Text kDirection>
void lower_compare(Emitter& e, const Node& node) {
  e.emit(
      node,
      "stablehlo.compare",
      std::string("comparison_direction = #stablehlo<comparison_direction ") +
          kDirection.s + ">");
}

template <class F>
std::vector<HostArray> eval_compare(const EvalContext& c) {
  const auto compared = [&](const auto& a, const auto& b) {
    std::vector<int64_t> out(a.size());
    for (size_t i = 0; i < a.size(); ++i) out[i] = F{}(a[i], b[i]) ? 1 : 0;
    return make_ints(c.node.types[0], out);
  };
  if constexpr (std::is_invocable_v<F, Complex, Complex>) {
    if (is_complex(c.x[0].dtype())) {
      return {compared(c.x[0].to_complexes(), c.x[1].to_complexes())};
    }
  }
  if (is_float(c.x[0].dtype())) {
    return {compared(c.x[0].to_doubles(), c.x[1].to_doubles())};
  }
  return {compared(c.x[0].to_ints(), c.x[1].to_ints())};
}

template <Text kDirection, class F>
constexpr OpDef comparison(std::string_view name,
                           TypeList (*infer)(const InferContext&)) {
  return {.name = name,
          .infer = infer,
          .lower = lower_compare<kDirection>,
          .eval = eval_compare<F>,
          .batch = batch_elementwise};
}

}  // namespace

constexpr OpDef kEqual =
    comparison<"EQ", std::equal_to<>>("equal", equality_type);
constexpr OpDef kNotEqual =
    comparison<"NE", std::not_equal_to<>>("not_equal", equality_type);
constexpr OpDef kLess = comparison<"LT", std::less<>>("less", compare_type);
constexpr OpDef kLessEqual =
    comparison<"LE", std::less_equal<>>("less_equal", compare_type);
constexpr OpDef kGreater =
    comparison<"GT", std::greater<>>("greater", compare_type);
constexpr OpDef kGreaterEqual =
    comparison<"GE", std::greater_equal<>>("greater_equal", compare_type);

// y = condition ? a : b
constexpr OpDef kSelect{
    .name = "select",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 3);
      if (c.type(0).dtype != DType::kBool || c.type(1) != c.type(2) ||
          c.type(0).shape != c.type(1).shape) {
        refuse(c, "wants bool[...] and two tensors of one type");
      }
      return {c.type(1)};
    },
    .vjp = [](const VjpContext& c) -> Values {
      const Value zero = zeros_like(c.dy);
      return {Value{}, select(c.x[0], c.dy, zero), select(c.x[0], zero, c.dy)};
    },
    .lower = lower_as<"select">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const auto p = c.x[0].to_doubles();
      HostArray out = c.x[2].clone();
      const size_t w = size_bytes(out.dtype());
      for (size_t i = 0; i < p.size(); ++i) {
        if (p[i] == 0) continue;
        std::copy_n(c.x[1].data() + i * w, w, out.mutable_data() + i * w);
      }
      return {out};
    },
    .batch = batch_elementwise,
};

// y = x in another dtype
constexpr OpDef kConvert{
    .name = "convert",
    .infer = [](const InferContext& c) -> TypeList {
      want_inputs(c, 1);
      const DType to = c.attrs.dtype("to");
      if (is_complex(c.type(0).dtype) && !is_complex(to)) {
        refuse(c, "wants real(x), imag(x) or abs(x) to leave complex");
      }
      return {{to, c.type(0).shape}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      if (!is_inexact(c.dy.dtype())) return {Value{}};
      const DType to = c.x[0].dtype();
      return {convert(is_complex(to) ? c.dy : real(c.dy), to)};
    },
    .lower = lower_as<"convert">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const TensorType& to = c.node.types[0];
      if (is_complex(to.dtype)) {
        return {HostArray::from_complexes(to, c.x[0].to_complexes())};
      }
      if (is_float(to.dtype)) return {make_floats(to, c.x[0].to_doubles())};
      if (to.dtype == DType::kBool) {
        std::vector<int64_t> b;
        for (const double x : c.x[0].to_doubles()) b.push_back(x != 0 ? 1 : 0);
        return {make_ints(to, b)};
      }
      return {make_ints(to, c.x[0].to_ints())};
    },
    .batch = batch_elementwise,
    .is_identity = true,
    .is_view = true,
    .cast = Cast::kKeep,
};

// y = x, dy/dx = 0
constexpr OpDef kStopGradient{
    .name = "stop_gradient",
    .infer = same_type,
    .vjp = [](const VjpContext&) -> Values { return {Value{}}; },
    .lower = lower_as_input,
    .eval = eval_as_input,
    .batch = batch_elementwise,
    .is_view = true,
};

// y = x, kept in f32 or wider.
constexpr OpDef kWiden{
    .name = "widen",
    .infer = inexact_unary,
    .vjp = [](const VjpContext& c) -> Values { return {c.dy}; },
    .lower = lower_as_input,
    .eval = eval_as_input,
    .batch = batch_elementwise,
    .is_view = true,
    .cast = Cast::kF32,
};

Value equal(const Arg& a, const Value& b) {
  return binary(kEqual, a, b);
}
Value not_equal(const Arg& a, const Value& b) {
  return binary(kNotEqual, a, b);
}
Value less(const Arg& a, const Value& b) {
  return binary(kLess, a, b);
}
Value less_equal(const Arg& a, const Value& b) {
  return binary(kLessEqual, a, b);
}
Value greater(const Arg& a, const Value& b) {
  return binary(kGreater, a, b);
}
Value greater_equal(const Arg& a, const Value& b) {
  return binary(kGreaterEqual, a, b);
}

Value select(const Arg& condition, const Value& a, const Value& b) {
  const Shape shape =
      broadcast_shapes(broadcast_shapes(condition.shape(), a.shape(), "select"),
                       b.shape(),
                       "select");
  const Value x = broadcast_to(a, shape);
  return x.graph()
      .add(kSelect, {broadcast_to(condition, shape), x, broadcast_to(b, shape)})
      .out();
}

Value convert(const Arg& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return x.graph().add(kConvert, {x}, {{"to", dtype}}).out();
}

Value widen(const Arg& x) {
  if (x.dtype() == DType::kF16 || x.dtype() == DType::kBF16) {
    return convert(x, DType::kF32);
  }
  return x.graph().add(kWiden, {x}).out();
}

Value stop_gradient(const Arg& x) {
  return x.graph().add(kStopGradient, {x}).out();
}

}  // namespace kexue::ops
