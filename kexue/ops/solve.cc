#include "kexue/ops/solve.h"

#include <fmt/format.h>

#include <limits>

#include "kexue/ops/decompose.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/linalg.h"
#include "kexue/ops/matrix.h"
#include "kexue/ops/matrix_support.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {
namespace {

using namespace detail;

// Both sides widened, a vector as one column, batches broadcast.
struct System {
  Value a, b;
  bool is_vector;

  System(std::string_view who, const Value& x, const Value& y)
      : a(widen(x)), b(widen(y)), is_vector(y.rank() == 1) {
    if (is_vector) b = as_column(b);
    if (!is_float(y.dtype()) || b.rank() < 2 || b.dtype() != a.dtype() ||
        b.dim(-2) != a.dim(-2)) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("{}: wants a f[...,m,n] and b f[...,m,k] or "
                              "f[m], got {} and {}",
                              who,
                              x.type().str(),
                              y.type().str()));
    }
    broadcast_batches(who, a, b);
  }

  Value result(const Value& x, DType dtype) const {
    auto dims = x.shape().dims();
    if (is_vector) dims.pop_back();
    return convert(is_vector ? reshape(x, dims) : x, dtype);
  }
};

Value lu_solve(const Lu& f, const Value& b) {
  auto dims = f.perm.shape().dims();
  dims.push_back(f.perm.dim(-1));
  const Value p = broadcast_to(as_column(f.perm), Shape(dims));
  const Value moved =
      matmul(convert(equal(p, index_like(p, -1)), b.dtype()), b);
  const Value y = triangular_solve(f.packed, moved, {.unit_diagonal = true});
  return triangular_solve(f.packed, y, {.lower = false});
}

}  // namespace

Value solve(const Arg& a, const Value& b) {
  want_square("solve", a.type());
  const System s("solve", a, b);
  return s.result(lu_solve(lu(s.a), s.b), b.dtype());
}

Value inverse(const Arg& a) {
  want_square("inverse", a.type());
  const Value x = widen(a);
  const Value identity = diag(ones_like(diagonal(x)));
  return convert(lu_solve(lu(x), identity), a.dtype());
}

Value det(const Arg& a) {
  want_square("det", a.type());
  const Lu f = lu(widen(a));
  return convert(f.sign * product(diagonal(f.packed)), a.dtype());
}

Slogdet slogdet(const Arg& a) {
  want_square("slogdet", a.type());
  const Lu f = lu(widen(a));
  const Value d = diagonal(f.packed);
  return {convert(f.sign * product(sign(d)), a.dtype()),
          convert(sum(log(abs(d)), {-1}), a.dtype())};
}

Value lstsq(const Arg& a, const Value& b) {
  want_matrix("lstsq", a.type());
  const System s("lstsq", a, b);
  const auto t = [](const Value& x) { return matrix_transpose(x); };
  if (a.dim(-2) >= a.dim(-1)) {
    const Qr f = qr(s.a);
    const Value x =
        triangular_solve(f.r, matmul(t(f.q), s.b), {.lower = false});
    return s.result(x, b.dtype());
  }
  const Qr f = qr(t(s.a));
  const Value y =
      triangular_solve(f.r, s.b, {.lower = false, .transpose = true});
  return s.result(matmul(f.q, y), b.dtype());
}

Value pinv(const Arg& a, double rcond) {
  want_matrix("pinv", a.type());
  const Value x = widen(a);
  if (x.dim(-2) == 0 || x.dim(-1) == 0) return matrix_transpose(a);
  if (rcond < 0) {
    const double eps = x.dtype() == DType::kF64
                           ? std::numeric_limits<double>::epsilon()
                           : std::numeric_limits<float>::epsilon();
    rcond = eps * static_cast<double>(std::max(x.dim(-2), x.dim(-1)));
  }
  const Svd f = svd(x);
  const Value floor = broadcast_to(max(f.s, {-1}, true) * rcond, f.s.shape());
  const Value kept = select(less_equal(f.s, floor), zeros_like(f.s), f.s);
  const Value v = matrix_transpose(f.vt) * as_row(safe_inverse(kept));
  return convert(matmul(v, matrix_transpose(f.u)), a.dtype());
}

}  // namespace kexue::ops
