#include "kexue/ops/complex.h"

#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

void want_complex(const InferContext& c) {
  want_inputs(c, 1);
  if (!is_complex(c.type(0).dtype)) refuse(c, "wants a complex tensor");
}

TypeList part_type(const InferContext& c) {
  want_complex(c);
  return {{real_dtype_of(c.type(0).dtype), c.type(0).shape}};
}

template <double (*kPart)(const Complex&)>
std::vector<HostArray> eval_part(const EvalContext& c) {
  std::vector<double> out;
  for (const Complex& z : c.x[0].to_complexes()) out.push_back(kPart(z));
  return {make_floats(c.node.types[0], out)};
}

double real_part(const Complex& z) {
  return z.real();
}
double imag_part(const Complex& z) {
  return z.imag();
}

}  // namespace

// y = a + ib
constexpr OpDef kComplex{
    .name = "complex",
    .infer = [](const InferContext& c) -> TypeList {
      same_binary(c);
      const DType d = c.type(0).dtype;
      if (d != DType::kF32 && d != DType::kF64) {
        refuse(c, "wants f32 or f64 parts");
      }
      return {{complex_dtype_of(d), c.type(0).shape}};
    },
    .vjp = [](const VjpContext& c) -> Values {
      return {c.needs[0] ? real(c.dy) : Value{},
              c.needs[1] ? imag(c.dy) : Value{}};
    },
    .lower = lower_as<"complex">,
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      const auto re = c.x[0].to_doubles();
      const auto im = c.x[1].to_doubles();
      std::vector<Complex> out(re.size());
      for (size_t i = 0; i < out.size(); ++i) out[i] = {re[i], im[i]};
      return {HostArray::from_complexes(c.node.types[0], out)};
    },
    .batch = batch_elementwise,
    .cast = Cast::kF32,
};

// y = a, of z = a + ib
constexpr OpDef kReal{
    .name = "real",
    .infer = part_type,
    .vjp = [](const VjpContext& c) -> Values {
      return {convert(c.dy, c.x[0].dtype())};
    },
    .lower = lower_as<"real">,
    .eval = eval_part<real_part>,
    .batch = batch_elementwise,
};

// y = b, of z = a + ib
constexpr OpDef kImag{
    .name = "imag",
    .infer = part_type,
    .vjp = [](const VjpContext& c) -> Values {
      return {complex(zeros_like(c.dy), c.dy)};
    },
    .lower = lower_as<"imag">,
    .eval = eval_part<imag_part>,
    .batch = batch_elementwise,
};

// y = a - ib, of z = a + ib
constexpr OpDef kConj{
    .name = "conj",
    .infer = [](const InferContext& c) -> TypeList {
      want_complex(c);
      return {c.type(0)};
    },
    .vjp = [](const VjpContext& c) -> Values { return {conj(c.dy)}; },
    .lower =
        [](Emitter& e, const Node& n) {
          const auto z = e.get(n.inputs[0]);
          const TensorType part{real_dtype_of(z.type.dtype), z.type.shape};
          const auto re = e.emit("stablehlo.real", {z}, {part})[0];
          const auto im = e.emit("stablehlo.imag", {z}, {part});
          const auto minus = e.emit("stablehlo.negate", im, {part})[0];
          e.bind(const_cast<Node&>(n).out(),
                 e.emit("stablehlo.complex", {re, minus}, {z.type})[0]);
        },
    .eval = [](const EvalContext& c) -> std::vector<HostArray> {
      return eval_complex(c, [](Complex z) { return std::conj(z); });
    },
    .batch = batch_elementwise,
};

Value complex(const Arg& re, const Value& im) {
  return binary(kComplex, re, im);
}

Value real(const Arg& x) {
  if (!is_complex(x.dtype())) return x;
  return unary(kReal, x);
}

Value imag(const Arg& x) {
  return is_complex(x.dtype()) ? unary(kImag, x) : zeros_like(x);
}

Value conj(const Arg& x) {
  if (!is_complex(x.dtype())) return x;
  const Node& made = *x.node();
  return made.op == &kConj ? Value(made.inputs[0]) : unary(kConj, x);
}

Value angle(const Arg& z) {
  const Value re = unary(kReal, z);
  const Value im = unary(kImag, z);
  const Value zero = zeros_like(re);
  const Value at_zero = bit_and(equal(re, zero), equal(im, zero));
  // At (1, 0) instead, and as a constant: no 0 / 0 in the derivative.
  return atan2(select(at_zero, zero, im), select(at_zero, ones_like(re), re));
}

}  // namespace kexue::ops
