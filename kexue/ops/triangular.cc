// cholesky and triangular_solve: the compiler expands both by itself; on CPUs
// our kernels are faster to compile and to run.
#include <fmt/format.h>

#include "kexue/ops/decompose.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/linalg.h"
#include "kexue/ops/matrix.h"
#include "kexue/ops/matrix_support.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

using namespace detail;

TypeList infer_cholesky(const InferContext& c) {
  want_inputs(c, 1);
  want_wide_matrix(c);
  want_square(c.op, c.type(0));
  return {c.type(0)};
}

// tril with half of the diagonal.
Value half_lower(const Value& x) {
  return tril(x, -1) + diag(diagonal(x) * 0.5);
}

// S = L^-T half_lower(L^T dL) L^-1, then its symmetric part.
Values cholesky_vjp(const VjpContext& c) {
  const Value inner = half_lower(matmul(matrix_transpose(c.y), tril(c.dy)));
  const Value left = triangular_solve(c.y, inner, {.transpose = true});
  return {symmetrized(triangular_solve(c.y, left, {.left = false}))};
}

// i32 indices along an axis, counted from the end.
stablehlo::Ssa emit_index(Emitter& e, const Shape& shape, int64_t axis) {
  return e.emit(
      "stablehlo.iota",
      {},
      {{DType::kI32, shape}},
      fmt::format("iota_dimension = {} : i64", shape.rank() + axis))[0];
}

void lower_cholesky(Emitter& e, const Node& n) {
  if (e.use_kernel(n.op->kernel(n))) {
    e.custom_call(n, n.op->kernel(n), "");
    return;
  }
  const TensorType& type = n.types[0];
  const auto l = e.emit(
      "stablehlo.cholesky", {e.get(n.inputs[0])}, {type}, "lower = true")[0];
  // What the op leaves above the diagonal is not specified.
  const auto axis = [&](int64_t a) { return emit_index(e, type.shape, a); };
  const TensorType mask{DType::kBool, type.shape};
  const auto compare = [&](const auto& a, const auto& b, const char* how) {
    return e.emit("stablehlo.compare",
                  {a, b},
                  {mask},
                  fmt::format("comparison_direction = "
                              "#stablehlo<comparison_direction {}>",
                              how))[0];
  };
  const auto spread = [&](const stablehlo::Ssa& v) {
    std::vector<int64_t> dims;
    for (int64_t a = 0; a < v.type.shape.rank(); ++a) dims.push_back(a);
    return e.emit("stablehlo.broadcast_in_dim",
                  {v},
                  {{v.type.dtype, type.shape}},
                  "broadcast_dimensions = " + stablehlo::int_array(dims))[0];
  };
  const auto number = [&](double x) {
    return spread(e.constant(HostArray::full({type.dtype, {}}, x)));
  };
  // Positive pivots alone are a success; compilers differ in what they leave
  // of other matrices.
  const auto sound =
      e.emit("stablehlo.or",
             {compare(axis(-2), axis(-1), "NE"), compare(l, number(0), "GT")},
             {mask})[0];
  const TensorType flag{DType::kBool, {}};
  const auto args = e.begin_region({flag, flag});
  const auto both = e.emit("stablehlo.and", {args[0], args[1]}, {flag});
  const std::string region = e.end_region(both);
  const std::vector<int64_t> last = {type.shape.rank() - 2,
                                     type.shape.rank() - 1};
  const auto good = e.emit("stablehlo.reduce",
                           {sound, e.constant(HostArray::full(flag, 1))},
                           {batch_like(type, DType::kBool)},
                           "dimensions = " + stablehlo::int_array(last),
                           {region})[0];
  const auto lower = e.emit("stablehlo.select",
                            {compare(axis(-2), axis(-1), "GE"), l, number(0)},
                            {type})[0];
  e.bind(
      const_cast<Node&>(n).out(),
      e.emit(
          "stablehlo.select", {spread(good), lower, number(NAN)}, {type})[0]);
}

// Columns from the left; false as soon as a pivot is not positive.
bool factor(double* a, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = j; i < n; ++i) {
      double x = a[i * n + j];
      for (int64_t k = 0; k < j; ++k) x -= a[i * n + k] * a[j * n + k];
      if (i == j && !(x > 0 && std::isfinite(x))) return false;
      a[i * n + j] = i == j ? std::sqrt(x) : x / a[j * n + j];
    }
    for (int64_t i = 0; i < j; ++i) a[i * n + j] = 0;
  }
  return true;
}

std::vector<HostArray> eval_cholesky(const EvalContext& c) {
  auto a = c.x[0].to_doubles();
  const int64_t n = c.x[0].shape()[-1];
  for (int64_t b = 0; b < batch_size(c.x[0].shape()); ++b) {
    double* block = a.data() + b * n * n;
    if (!factor(block, n)) std::fill_n(block, n * n, NAN);
  }
  return {make_floats(c.node.types[0], a)};
}

TriangularOptions options_of(const Node& n) {
  return {.lower = n.attrs.i("lower") != 0,
          .transpose = n.attrs.i("transpose") != 0,
          .left = n.attrs.i("left") != 0,
          .unit_diagonal = n.attrs.i("unit") != 0};
}

TypeList infer_solve(const InferContext& c) {
  want_inputs(c, 2);
  want_wide_matrix(c);
  want_square(c.op, c.type(0));
  const TensorType& a = c.type(0);
  const TensorType& b = c.type(1);
  const bool left = c.attrs.i("left") != 0;
  if (b.dtype != a.dtype || b.shape.rank() != a.shape.rank() ||
      b.shape[left ? -2 : -1] != a.shape[-1] ||
      batch_like(a, a.dtype) != batch_like(b, a.dtype)) {
    refuse(c,
           left ? "wants a f[...,n,n] and b f[...,n,k]"
                : "wants a f[...,n,n] and b f[...,k,n]");
  }
  return {b};
}

Values solve_vjp(const VjpContext& c) {
  const TriangularOptions o = options_of(c.node);
  TriangularOptions back = o;
  back.transpose = !o.transpose;
  const Value db = triangular_solve(c.x[0], c.dy, back);
  Values out = {Value{}, db};
  if (!c.needs[0]) return out;
  const Value yt = matrix_transpose(c.y);
  Value da = o.left ? -matmul(db, yt) : -matmul(yt, db);
  if (o.transpose) da = matrix_transpose(da);
  const int64_t strict = o.unit_diagonal ? 1 : 0;
  out[0] = o.lower ? tril(da, -strict) : triu(da, strict);
  return out;
}

void lower_solve(Emitter& e, const Node& n) {
  const TriangularOptions o = options_of(n);
  if (e.use_kernel(n.op->kernel(n))) {
    e.custom_call(n,
                  n.op->kernel(n),
                  fmt::format("lower = {:d} : i64, transpose = {:d} : i64, "
                              "left = {:d} : i64, unit = {:d} : i64",
                              o.lower,
                              o.transpose,
                              o.left,
                              o.unit_diagonal));
    return;
  }
  e.emit(n,
         "stablehlo.triangular_solve",
         fmt::format("left_side = {}, lower = {}, unit_diagonal = {}, "
                     "transpose_a = #stablehlo<transpose {}>",
                     o.left,
                     o.lower,
                     o.unit_diagonal,
                     o.transpose ? "TRANSPOSE" : "NO_TRANSPOSE"));
}

// One matrix. The right-hand form solves with the transpose of everything, so
// element (i, k) of the unknown stands at x[k * n + i].
void substitute(const TriangularOptions& o,
                const double* a,
                double* x,
                int64_t n,
                int64_t columns) {
  const bool flip = o.transpose == o.left;
  const bool down = o.lower != flip;
  const int64_t step = o.left ? columns : 1;
  const int64_t next = o.left ? 1 : n;
  for (int64_t k = 0; k < columns; ++k) {
    for (int64_t t = 0; t < n; ++t) {
      const int64_t i = down ? t : n - 1 - t;
      double& y = x[i * step + k * next];
      for (int64_t s = 0; s < t; ++s) {
        const int64_t j = down ? s : n - 1 - s;
        y -= a[flip ? j * n + i : i * n + j] * x[j * step + k * next];
      }
      if (!o.unit_diagonal) y /= a[i * n + i];
    }
  }
}

std::vector<HostArray> eval_solve(const EvalContext& c) {
  const TriangularOptions o = options_of(c.node);
  const auto a = c.x[0].to_doubles();
  auto x = c.x[1].to_doubles();
  const int64_t n = c.x[0].shape()[-1];
  const int64_t columns = c.x[1].shape()[o.left ? -1 : -2];
  for (int64_t b = 0; b < batch_size(c.x[0].shape()); ++b) {
    substitute(o, a.data() + b * n * n, x.data() + b * n * columns, n, columns);
  }
  return {make_floats(c.node.types[0], x)};
}

}  // namespace

// Input: a symmetric matrix, of which the lower triangle is read.
constexpr OpDef kCholesky{
    .name = "cholesky",
    .infer = infer_cholesky,
    .vjp = cholesky_vjp,
    .lower = lower_cholesky,
    .eval = eval_cholesky,
    .batch = batch_elementwise,
    .kernel = [](const Node&) -> std::string_view { return "kexue_cholesky"; },
    .cast = Cast::kF32,
};

constexpr OpDef kTriangularSolve{
    .name = "triangular_solve",
    .infer = infer_solve,
    .vjp = solve_vjp,
    .lower = lower_solve,
    .eval = eval_solve,
    .batch = batch_elementwise,
    .kernel = [](const Node&) -> std::string_view {
      return "kexue_triangular_solve";
    },
    .cast = Cast::kF32,
};

Value cholesky(const Arg& a) {
  want_square("cholesky", a.type());
  const Value x = symmetrized(widen(a));
  // An infinity would leave parts of the compiler's result finite.
  const Value clean = x + stop_gradient(poison(x));
  return convert(unary(kCholesky, clean), a.dtype());
}

Value triangular_solve(const Arg& a,
                       const Value& b,
                       const TriangularOptions& options) {
  want_square("triangular_solve", a.type());
  want_matrix("triangular_solve", b.type());
  Value x = widen(a);
  Value y = widen(b);
  broadcast_batches("triangular_solve", x, y);
  const Value out = y.graph()
                        .add(kTriangularSolve,
                             {x, y},
                             {{"lower", int64_t{options.lower}},
                              {"transpose", int64_t{options.transpose}},
                              {"left", int64_t{options.left}},
                              {"unit", int64_t{options.unit_diagonal}}})
                        .out();
  return convert(out, b.dtype());
}

}  // namespace kexue::ops
