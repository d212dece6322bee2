// LU and QR as loops over the columns.
#include "kexue/ops/factorize.h"

#include "kexue/ops/control.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/linalg.h"
#include "kexue/ops/matrix.h"
#include "kexue/ops/matrix_support.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/unary.h"

namespace kexue::ops::detail {
namespace {

// Column k of x and row k, k an i32 scalar inside a loop.
Value column_at(const Value& x, const Value& k) {
  const Value hit = equal(index_like(x, -1), broadcast_to(k, x.shape()));
  return sum(select(hit, x, zeros_like(x)), {-1});
}
Value row_at(const Value& x, const Value& hit) {
  return sum(select(hit, x, zeros_like(x)), {-2}, true);
}

// The steps 0, 1, ..., n - 1 as a loop's xs.
Value steps(const Value& x, int64_t n) {
  return x.graph()
      .add(kIota,
           {},
           {{"dtype", DType::kI32},
            {"shape", std::vector<int64_t>{n}},
            {"axis", int64_t{0}}})
      .out();
}

// carry: packed [...,n,n], perm i32 [...,n], sign [...]
std::pair<Values, Values> lu_step(const Values& carry, const Values& xs) {
  const Value m = carry[0];
  const Value k = xs[0];
  const Value rows = index_like(m, -2);
  const Value cols = index_like(m, -1);
  const Value at = broadcast_to(k, m.shape());
  const Value column = column_at(m, k);
  const Value below =
      greater_equal(index_like(column, -1), broadcast_to(k, column.shape()));
  const Value pivot =
      argmax(select(below, abs(column), full_like(column, -1)), -1);
  const Value p = broadcast_to(as_column(as_column(pivot)), m.shape());

  const Value is_k = equal(rows, at);
  const Value is_p = equal(rows, p);
  const Value top = row_at(m, is_p);
  const Value swapped = select(is_k, top, select(is_p, row_at(m, is_k), m));
  const Value order = carry[1];
  const Value place = index_like(order, -1);
  const Value from = equal(place, broadcast_to(k, order.shape()));
  const Value to = equal(place, broadcast_to(as_column(pivot), order.shape()));
  const auto at_hit = [&](const Value& hit) {
    return sum(select(hit, order, zeros_like(order)), {-1}, true);
  };
  const Value perm = select(from, at_hit(to), select(to, at_hit(from), order));

  const Value head =
      sum(select(equal(cols, at), broadcast_to(top, m.shape()), zeros_like(m)),
          {-1},
          true);  // [...,n,1], the pivot in each row
  const Value factor =
      as_column(column_at(swapped, k)) /
      select(equal(head, zeros_like(head)), ones_like(head), head);
  const Value under = greater(rows, at);
  const Value reduced = swapped - factor * top;
  const Value packed = select(
      under,
      select(
          equal(cols, at), factor, select(greater(cols, at), reduced, swapped)),
      swapped);
  const Value stays = equal(pivot, broadcast_to(k, pivot.shape()));
  return {{packed, perm, select(stays, carry[2], -carry[2])}, {}};
}

// The reflection that zeroes column k below the diagonal: I - v v^T, v with
// |v|^2 = 2, or v = 0 if there is nothing to do. x [...,m,n] -> v [...,m].
Value reflector(const Value& x, const Value& k) {
  const Value column = column_at(x, k);
  const Value at = broadcast_to(k, column.shape());
  const Value rows = index_like(column, -1);
  const Value zero = zeros_like(column);
  const Value tail = select(greater_equal(rows, at), column, zero);
  // Squares of the scaled column neither overflow nor vanish.
  const Value largest = max(abs(tail), {-1}, true);
  const Value idle = equal(largest, zeros_like(largest));
  const Value y = tail / select(idle, ones_like(largest), largest);
  const Value size = sqrt(sum(y * y, {-1}, true));
  const Value head = select(equal(rows, at), y, zero);
  const Value sign =
      select(greater_equal(sum(head, {-1}, true), zeros_like(largest)),
             ones_like(largest),
             -ones_like(largest));
  const Value v =
      y + select(equal(rows, at), broadcast_to(sign * size, y.shape()), zero);
  const Value squares = sum(v * v, {-1}, true);
  const Value scale =
      sqrt(select(idle,
                  zeros_like(squares),
                  2.0 / select(idle, ones_like(squares), squares)));
  return v * scale;
}

Value reflect(const Value& x, const Value& v) {
  return x - as_column(v) * sum(as_column(v) * x, {-2}, true);
}

}  // namespace

Values compose_lu(const Value& a) {
  const int64_t n = a.dim(-1);
  const Value perm = index_like(diagonal(a), -1);
  const Value sign = full_like(sum(a, {-2, -1}), 1);
  if (n == 0) return {a, perm, sign};  // a step would look for a pivot
  const Values out = scan(lu_step, {a, perm, sign}, {steps(a, n)}).carry;
  const Value bad = poison(a);
  return {out[0] + bad, out[1], out[2] + reshape(bad, sign.shape().dims())};
}

Values compose_qr(const Value& a) {
  const int64_t n = a.dim(-1);
  const auto forward = scan(
      [](const Values& carry, const Values& xs) {
        const Value v = reflector(carry[0], xs[0]);
        return std::pair(Values{reflect(carry[0], v)}, Values{v});
      },
      {a},
      {steps(a, n)});
  const Value square = triu(slice_axis(forward.carry[0], -2, 0, n));
  const Value flat = equal(index_like(a, -2), index_like(a, -1));
  const Value start = select(flat, ones_like(a), zeros_like(a));
  const Value q =
      scan(
          [](const Values& carry, const Values& xs) {
            return std::pair(Values{reflect(carry[0], xs[0])}, Values{});
          },
          {start},
          {forward.ys[0]},
          {.reverse = true})
          .carry[0];
  const Value d = diagonal(square);
  const Value sign =
      select(less(d, zeros_like(d)), -ones_like(d), ones_like(d));
  const Value bad = poison(a);
  return {q * as_row(sign) + bad, square * as_column(sign) + bad};
}

}  // namespace kexue::ops::detail
