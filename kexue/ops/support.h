// Shared by the op families: infer, lower and eval in one line each. Private
// to kexue/ops.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/stablehlo/emitter.h"

namespace kexue::ops::detail {

using ir::TypeList;
using stablehlo::Emitter;

// A string as a template argument: lower_as<"tanh">.
template <size_t N>
struct Text {
  char s[N]{};
  constexpr Text(const char (&t)[N]) { std::copy_n(t, N, s); }  // NOLINT
};

template <Text kName>
void lower_as(Emitter& e, const Node& node) {
  e.emit(node, std::string("stablehlo.") + kName.s);
}

// Throws kInvalidArgument: "op: what, got types".
[[noreturn]] void refuse(const InferContext& c, const std::string& what);
void want_inputs(const InferContext& c, size_t count);
void want_float(const InferContext& c, size_t input = 0);

void want_inexact(const InferContext& c);  // float or complex
void refuse_complex(const InferContext& c);

// One input, same type out; float_unary refuses other dtypes, inexact_unary
// all but float and complex.
TypeList same_type(const InferContext& c);
TypeList float_unary(const InferContext& c);
TypeList inexact_unary(const InferContext& c);
// Two inputs of one type, which is the result's; same_binary refuses complex.
TypeList same_binary(const InferContext& c);
TypeList any_binary(const InferContext& c);

// canonical_axis whose error has the scope and line of the call.
int64_t axis_of(int64_t axis, int64_t rank, std::string_view who);
// The axes of a reduction, sorted, each once; none given: all.
std::vector<int64_t> reduced_axes(const std::vector<int64_t>& axes,
                                  int64_t rank,
                                  std::string_view who);

// That of an input, in the dtype of the attribute `dtype` if there is one: set
// where a kernel shall round its result, see transforms/narrow.h.
TensorType result_type(const InferContext& c, size_t input);

// What sums and products of a type run in: f32 for 16-bit floats.
DType accumulator(DType dtype);
// The scalar that leaves every other unchanged under max (lowest) or min.
HostArray extreme(DType dtype, bool lowest);

// Wraps to the dtype's width, as two's complement does.
HostArray make_ints(const TensorType& type, const std::vector<int64_t>& v);
HostArray make_floats(const TensorType& type, const std::vector<double>& v);

// Complex elements are computed in double precision and rounded once.
using Complex = std::complex<double>;
using ComplexUnary = Complex (*)(Complex);
using ComplexBinary = Complex (*)(Complex, Complex);

std::vector<HostArray> eval_complex(const EvalContext& c, ComplexUnary f);
std::vector<HostArray> eval_complex(const EvalContext& c, ComplexBinary f);

// std::plus<> and its like as a ComplexBinary.
template <class F>
Complex complex_op(Complex a, Complex b) {
  return F{}(a, b);
}

// An elementwise op whose inputs have one shape: unbatched ones are repeated.
Values batch_elementwise(const BatchContext& c);

// Whether a rule was given: no comparison with nullptr, which gcc 12 does not
// take for a constant under its sanitizer of undefined behaviour.
template <auto kRule>
inline constexpr bool kGiven = true;
template <>
inline constexpr bool kGiven<static_cast<ComplexUnary>(nullptr)> = false;
template <>
inline constexpr bool kGiven<static_cast<ComplexBinary>(nullptr)> = false;

// An op without kC has refused complex types in its infer rule.
template <double (*kF)(double), ComplexUnary kC = nullptr>
std::vector<HostArray> eval_unary(const EvalContext& c) {
  if constexpr (kGiven<kC>) {
    if (is_complex(c.x[0].dtype())) return eval_complex(c, kC);
  }
  auto v = c.x[0].to_doubles();
  for (double& x : v) x = kF(x);
  return {make_floats(c.node.types[0], v)};
}

template <double (*kF)(double, double),
          int64_t (*kI)(int64_t, int64_t),
          ComplexBinary kC = nullptr>
std::vector<HostArray> eval_binary(const EvalContext& c) {
  if constexpr (kGiven<kC>) {
    if (is_complex(c.x[0].dtype())) return eval_complex(c, kC);
  }
  if (is_float(c.x[0].dtype())) {
    auto a = c.x[0].to_doubles();
    const auto b = c.x[1].to_doubles();
    for (size_t i = 0; i < a.size(); ++i) a[i] = kF(a[i], b[i]);
    return {make_floats(c.node.types[0], a)};
  }
  auto a = c.x[0].to_ints();
  const auto b = c.x[1].to_ints();
  for (size_t i = 0; i < a.size(); ++i) a[i] = kI(a[i], b[i]);
  return {make_ints(c.node.types[0], a)};
}

// Calls f(flat index into a tensor of `shape`) for each index tuple.
// Steps through the tuple in row-major order.
class IndexWalk final {
 public:
  explicit IndexWalk(const Shape& shape)
      : shape_(shape), index_(static_cast<size_t>(shape.rank()), 0) {}
  const std::vector<int64_t>& index() const { return index_; }
  void next();

 private:
  Shape shape_;
  std::vector<int64_t> index_;
};

// Row-major offset of an index tuple.
int64_t offset_of(const std::vector<int64_t>& strides,
                  const std::vector<int64_t>& index);

}  // namespace kexue::ops::detail
