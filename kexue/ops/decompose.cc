// lu, qr, eigh and svd: the ops and their gradients. factorize.cc and
// jacobi.cc hold the compositions.
#include "kexue/ops/decompose.h"

#include "kexue/ops/elementwise.h"
#include "kexue/ops/factorize.h"
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

template <Text kName>
std::string_view kernel_as(const Node&) {
  return kName.s;
}
template <Text kName>
void lower_call(Emitter& e, const Node& n) {
  e.custom_call(n, kName.s, "");
}
template <Values (*kF)(const Value&)>
Values compose_as(const Node&, const Values& in) {
  return kF(in[0]);
}

// Cotangent i, or zeros.
Value cotangent(const VjpContext& c, int i) {
  const Value& dy = c.dys[static_cast<size_t>(i)];
  return dy ? dy : zeros_like(c.node.out(i));
}

Value mt(const Value& x) {
  return matrix_transpose(x);
}

TypeList infer_square(const InferContext& c) {
  want_inputs(c, 1);
  want_wide_matrix(c);
  want_square(c.op, c.type(0));
  return {c.type(0)};
}

TypeList infer_lu(const InferContext& c) {
  const TensorType a = infer_square(c)[0];
  const TensorType perm{DType::kI32, vector_like(a, a.shape[-1]).shape};
  return {a, perm, batch_like(a, a.dtype)};
}

TypeList infer_tall(const InferContext& c) {
  want_inputs(c, 1);
  want_wide_matrix(c);
  const TensorType& a = c.type(0);
  if (a.shape[-2] < a.shape[-1]) refuse(c, "wants m >= n");
  return {a, matrix_like(a, a.shape[-1], a.shape[-1])};
}

TypeList infer_eigh(const InferContext& c) {
  const TensorType a = infer_square(c)[0];
  return {vector_like(a, a.shape[-1]), a};
}

TypeList infer_svd(const InferContext& c) {
  const TypeList qr = infer_tall(c);
  return {qr[0], vector_like(qr[0], qr[0].shape[-1]), qr[1]};
}

// P[i,j] = 1 where perm[i] = j.
Value permutation_matrix(const Value& perm, DType dtype) {
  auto dims = perm.shape().dims();
  dims.push_back(perm.dim(-1));
  const Value p = broadcast_to(as_column(perm), Shape(dims));
  return convert(equal(p, index_like(p, -1)), dtype);
}

// da = P^T L^-T [tril_(L^T dL) + triu(dU U^T)] U^-T, tril_ without diagonal.
Values lu_vjp(const VjpContext& c) {
  if (!c.dys[0]) return {Value{}};
  const Value y = c.node.out(0);
  const Value upper = triu(y);
  const Value lower = tril(y, -1) + diag(ones_like(diagonal(y)));
  const Value inner = tril(matmul(mt(lower), tril(c.dys[0], -1)), -1) +
                      triu(matmul(triu(c.dys[0]), mt(upper)));
  const Value left =
      triangular_solve(y, inner, {.transpose = true, .unit_diagonal = true});
  const Value both = triangular_solve(
      y, left, {.lower = false, .transpose = true, .left = false});
  const Value p = permutation_matrix(c.node.out(1), y.dtype());
  return {matmul(mt(p), both)};
}

// da = [dq + q copy(r dr^T - dq^T q)] r^-T; copy mirrors the lower triangle.
Values qr_vjp(const VjpContext& c) {
  const Value q = c.node.out(0);
  const Value r = c.node.out(1);
  const Value dq = cotangent(c, 0);
  const Value m = matmul(r, mt(cotangent(c, 1))) - matmul(mt(dq), q);
  const Value copied = tril(m) + mt(tril(m, -1));
  return {triangular_solve(r,
                           dq + matmul(q, copied),
                           {.lower = false, .transpose = true, .left = false})};
}

// 1 / (x_j - x_i), 0 for ties.
Value inverse_gaps(const Value& x) {
  return safe_inverse(as_row(x) - as_column(x));
}

// da = v (diag(dw) + F * (v^T dv)) v^T, F = inverse_gaps(w).
Values eigh_vjp(const VjpContext& c) {
  const Value w = c.node.out(0);
  const Value v = c.node.out(1);
  Value inner = diag(cotangent(c, 0));
  if (c.dys[1]) inner = inner + inverse_gaps(w) * matmul(mt(v), c.dys[1]);
  return {symmetrized(matmul(matmul(v, inner), mt(v)))};
}

// With F = inverse_gaps(s^2), square v, and S = diag(s):
// da = u [ds + (F * skew(u^T du)) S + S (F * skew(v^T dv))] v^T
//      + (I - u u^T) du S^-1 v^T, skew(x) = x - x^T.
Values svd_vjp(const VjpContext& c) {
  const Value u = c.node.out(0);
  const Value s = c.node.out(1);
  const Value v = c.node.out(2);
  const Value gaps = inverse_gaps(s * s);
  const auto skew = [](const Value& x) { return x - mt(x); };
  Value inner = diag(cotangent(c, 1));
  if (c.dys[2]) {
    inner = inner + as_column(s) * (gaps * skew(matmul(mt(v), c.dys[2])));
  }
  Value left;
  if (c.dys[0]) {
    const Value du = c.dys[0];
    const Value along = matmul(mt(u), du);
    inner = inner + gaps * skew(along) * as_row(s);
    left = (du - matmul(u, along)) * as_row(safe_inverse(s));
  }
  const Value core = matmul(u, inner);
  return {matmul(left ? core + left : core, mt(v))};
}

}  // namespace

// Outputs: packed, perm, sign.
constexpr OpDef kLu{
    .name = "lu",
    .infer = infer_lu,
    .vjp = lu_vjp,
    .lower = lower_call<"kexue_lu">,
    .batch = batch_elementwise,
    .compose = compose_as<compose_lu>,
    .kernel = kernel_as<"kexue_lu">,
    .cast = Cast::kF32,
};

// a [...,m,n], m >= n. Outputs: q [...,m,n], r [...,n,n].
constexpr OpDef kQr{
    .name = "qr",
    .infer = infer_tall,
    .vjp = qr_vjp,
    .lower = lower_call<"kexue_qr">,
    .batch = batch_elementwise,
    .compose = compose_as<compose_qr>,
    .kernel = kernel_as<"kexue_qr">,
    .cast = Cast::kF32,
};

// a symmetric. Outputs: w, v.
constexpr OpDef kEigh{
    .name = "eigh",
    .infer = infer_eigh,
    .vjp = eigh_vjp,
    .lower = lower_call<"kexue_eigh">,
    .batch = batch_elementwise,
    .compose = compose_as<compose_eigh>,
    .kernel = kernel_as<"kexue_eigh">,
    .cast = Cast::kF32,
};

// a [...,m,n], m >= n. Outputs: u [...,m,n], s [...,n], v [...,n,n].
constexpr OpDef kSvd{
    .name = "svd",
    .infer = infer_svd,
    .vjp = svd_vjp,
    .lower = lower_call<"kexue_svd">,
    .batch = batch_elementwise,
    .compose = compose_as<compose_svd>,
    .kernel = kernel_as<"kexue_svd">,
    .cast = Cast::kF32,
};

Lu lu(const Arg& a) {
  want_square("lu", a.type());
  const Value x = widen(a);
  Node& n = x.graph().add(kLu, {x});
  return {convert(n.out(0), a.dtype()), n.out(1), convert(n.out(2), a.dtype())};
}

Qr qr(const Arg& a) {
  want_matrix("qr", a.type());
  const Value x = widen(a);
  const int64_t k = std::min(a.dim(-2), a.dim(-1));
  const Value head = k == a.dim(-1) ? x : slice_axis(x, -1, 0, k);
  Node& n = x.graph().add(kQr, {head});
  Value r = n.out(1);
  if (k < a.dim(-1)) {
    const Value rest = slice_axis(x, -1, k, a.dim(-1));
    r = concatenate({r, matmul(mt(n.out(0)), rest)}, -1);
  }
  return {convert(n.out(0), a.dtype()), convert(r, a.dtype())};
}

Eigh eigh(const Arg& a) {
  want_square("eigh", a.type());
  const Value x = symmetrized(widen(a));
  Node& n = x.graph().add(kEigh, {x});
  return {convert(n.out(0), a.dtype()), convert(n.out(1), a.dtype())};
}

Svd svd(const Arg& a) {
  want_matrix("svd", a.type());
  const bool wide = a.dim(-2) < a.dim(-1);
  const Value x = widen(a);
  Node& n = x.graph().add(kSvd, {wide ? mt(x) : x});
  const Value s = convert(n.out(1), a.dtype());
  const Value u = convert(n.out(0), a.dtype());
  const Value v = convert(n.out(2), a.dtype());
  return wide ? Svd{v, s, mt(u)} : Svd{u, s, mt(v)};
}

}  // namespace kexue::ops
