#include "kexue/ops/matrix.h"

#include <fmt/format.h>

#include <numeric>

#include "kexue/ops/elementwise.h"
#include "kexue/ops/linalg.h"
#include "kexue/ops/matrix_support.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/unary.h"

namespace kexue::ops {

namespace detail {
namespace {

[[noreturn]] void refuse_matrix(std::string_view who,
                                std::string_view what,
                                const TensorType& x) {
  throw Error(Code::kInvalidArgument,
              fmt::format("{}: wants {}, got {}", who, what, x.str()));
}

}  // namespace

void want_matrix(std::string_view who, const TensorType& x) {
  if (!is_float(x.dtype) || x.shape.rank() < 2) {
    refuse_matrix(who, "float matrices f[...,m,n]", x);
  }
}

void want_square(std::string_view who, const TensorType& x) {
  if (!is_float(x.dtype) || x.shape.rank() < 2 || x.shape[-1] != x.shape[-2]) {
    refuse_matrix(who, "square float matrices f[...,n,n]", x);
  }
}

void want_wide_matrix(const InferContext& c, size_t input) {
  want_matrix(c.op, c.type(input));
  const DType d = c.type(input).dtype;
  if (d != DType::kF32 && d != DType::kF64) refuse(c, "wants f32 or f64");
}

TensorType matrix_like(const TensorType& x, int64_t rows, int64_t cols) {
  auto dims = x.shape.dims();
  dims[dims.size() - 2] = rows;
  dims[dims.size() - 1] = cols;
  return {x.dtype, Shape(dims)};
}

TensorType vector_like(const TensorType& x, int64_t n) {
  auto dims = x.shape.dims();
  dims.pop_back();
  dims.back() = n;
  return {x.dtype, Shape(dims)};
}

TensorType batch_like(const TensorType& x, DType dtype) {
  auto dims = x.shape.dims();
  dims.resize(dims.size() - 2);
  return {dtype, Shape(dims)};
}

int64_t batch_size(const Shape& x) {
  int64_t n = 1;
  for (int64_t a = 0; a + 2 < x.rank(); ++a) n *= x[a];
  return n;
}

Value index_like(const Value& x, int64_t axis) {
  return x.graph()
      .add(kIota,
           {},
           {{"dtype", DType::kI32},
            {"shape", x.shape().dims()},
            {"axis", canonical_axis(axis, x.rank(), "iota")}})
      .out();
}

Value as_column(const Value& x) {
  auto dims = x.shape().dims();
  dims.push_back(1);
  return reshape(x, dims);
}

Value as_row(const Value& x) {
  auto dims = x.shape().dims();
  dims.insert(dims.end() - 1, 1);
  return reshape(x, dims);
}

void broadcast_batches(std::string_view who, Value& a, Value& b) {
  const auto batch = [](const Value& x) { return batch_like(x.type(), {}); };
  const Shape lead = broadcast_shapes(batch(a).shape, batch(b).shape, who);
  for (Value* x : {&a, &b}) {
    auto dims = lead.dims();
    dims.push_back(x->dim(-2));
    dims.push_back(x->dim(-1));
    *x = broadcast_to(*x, Shape(dims));
  }
}

Value poison(const Value& x) {
  return sum(x * 0.0, {-2, -1}, true);
}

Value safe_inverse(const Value& x) {
  const Value zero = zeros_like(x);
  const Value tied = equal(x, zero);
  return select(tied, zero, 1.0 / select(tied, ones_like(x), x));
}

Value symmetrized(const Value& x) {
  return (x + matrix_transpose(x)) * 0.5;
}

Value product(const Value& x) {
  Value y = x;
  while (y.dim(-1) > 1) {
    const int64_t half = y.dim(-1) / 2;
    const Value pairs =
        slice_axis(y, -1, 0, half) * slice_axis(y, -1, half, 2 * half);
    const Value rest = slice_axis(y, -1, 2 * half, y.dim(-1));
    y = rest.dim(-1) == 0 ? pairs : concatenate({pairs, rest}, -1);
  }
  auto dims = x.shape().dims();
  dims.pop_back();
  if (y.dim(-1) == 1) return reshape(y, dims);
  return full_like(reshape(sum(x, {-1}), dims), 1);
}

}  // namespace detail

using namespace detail;

namespace {

void want_rank(std::string_view who, const Value& x, int64_t rank) {
  if (x.rank() < rank) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "{}: wants rank {} or more, got {}", who, rank, x.type().str()));
  }
}

// column - row
Value offset(const Value& x) {
  return index_like(x, -1) - index_like(x, -2);
}

}  // namespace

Value matrix_transpose(const Arg& x) {
  want_rank("matrix_transpose", x, 2);
  std::vector<int64_t> perm(static_cast<size_t>(x.rank()));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return transpose(x, perm);
}

Value eye(int64_t n, DType dtype) {
  const TensorType index{DType::kI32, {n, n}};
  return convert(equal(iota(index, 0), iota(index, 1)), dtype);
}

Value tril(const Arg& x, int64_t k) {
  want_rank("tril", x, 2);
  const Value d = offset(x);
  return select(
      less_equal(d, full_like(d, static_cast<double>(k))), x, zeros_like(x));
}

Value triu(const Arg& x, int64_t k) {
  want_rank("triu", x, 2);
  const Value d = offset(x);
  return select(
      greater_equal(d, full_like(d, static_cast<double>(k))), x, zeros_like(x));
}

Value diag(const Arg& v) {
  want_rank("diag", v, 1);
  auto dims = v.shape().dims();
  dims.push_back(v.dim(-1));
  const Value x = broadcast_to(as_row(v), Shape(dims));
  return select(equal(index_like(x, -1), index_like(x, -2)), x, zeros_like(x));
}

Value diagonal(const Arg& x) {
  want_rank("diagonal", x, 2);
  const int64_t n = std::min(x.dim(-2), x.dim(-1));
  const Value square = slice_axis(slice_axis(x, -2, 0, n), -1, 0, n);
  const Value on = equal(index_like(square, -1), index_like(square, -2));
  return sum(select(on, square, zeros_like(square)), {-1});
}

Value trace(const Arg& x) {
  want_rank("trace", x, 2);
  return sum(diagonal(x), {-1});
}

Value outer(const Arg& a, const Value& b) {
  want_rank("outer", a, 1);
  want_rank("outer", b, 1);
  return as_column(a) * as_row(b);
}

Value kron(const Arg& a, const Value& b) {
  want_rank("kron", a, 2);
  want_rank("kron", b, 2);
  Value x = a;
  Value y = b;
  broadcast_batches("kron", x, y);
  auto dims = x.shape().dims();
  dims.resize(dims.size() - 2);
  const int64_t m = x.dim(-2), n = x.dim(-1), p = y.dim(-2), q = y.dim(-1);
  const auto with = [&dims](std::initializer_list<int64_t> tail) {
    auto out = dims;
    out.insert(out.end(), tail);
    return out;
  };
  return reshape(
      reshape(x, with({m, 1, n, 1})) * reshape(y, with({1, p, 1, q})),
      with({m * p, n * q}));
}

Value matrix_power(const Arg& x, int64_t n) {
  want_square("matrix_power", x.type());
  if (n < 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("matrix_power: exponent {} < 0", n));
  }
  Value y;
  for (Value square = x; n > 0; n /= 2) {
    if (n % 2 != 0) y = y ? matmul(y, square) : square;
    if (n > 1) square = matmul(square, square);
  }
  return y ? y : diag(ones_like(diagonal(x)));
}

}  // namespace kexue::ops
