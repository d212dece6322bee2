// Rows of running reductions.
#include <cmath>

#include "kexue/ir/graph.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

using Cumulative = Value (*)(const Arg&, int64_t, bool);
using Step = double (*)(double, double);

// Every result from its own range of elements, by the definition.
Doubles naive(
    const Doubles& x, const Shape& shape, int64_t axis, bool reverse, Step f) {
  const auto stride =
      static_cast<size_t>(shape.strides()[static_cast<size_t>(axis)]);
  const auto size = static_cast<size_t>(shape[axis]);
  Doubles y;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t place = i / stride % size;
    const size_t first = i - place * stride;  // of the line
    const size_t from = reverse ? place : 0;
    const size_t to = reverse ? size - 1 : place;
    double total = x[first + from * stride];
    for (size_t k = from + 1; k <= to; ++k) {
      total = f(total, x[first + k * stride]);
    }
    y.push_back(total);
  }
  return y;
}

void add(std::vector<Row>& rows,
         const std::string& op,
         Cumulative f,
         Step step,
         const std::string& what,
         const In& in,
         int64_t axis,
         bool reverse,
         int order) {
  rows.push_back({op,
                  op + " " + what,
                  {in},
                  [=](const Values& x, DType) -> Values {
                    return {f(x[0], axis, reverse)};
                  },
                  [=](const std::vector<Doubles>& x) {
                    const int64_t a = axis < 0 ? axis + in.shape.rank() : axis;
                    return naive(x[0], in.shape, a, reverse, step);
                  },
                  order});
}

void family(std::vector<Row>& rows,
            const std::string& op,
            Cumulative f,
            Step step,
            bool integers) {
  const auto row = [&](const std::string& what,
                       const In& in,
                       int64_t axis,
                       bool reverse,
                       int order) {
    add(rows, op, f, step, what, in, axis, reverse, order);
  };
  row("of a vector", {{7}}, 0, false, 3);
  row("of a vector from the end", {{7}}, -1, true, 3);
  row("down the columns", {{5, 3}}, 0, false, 2);
  row("in the middle, from the end", {{2, 6, 2}}, 1, true, 2);
  row("of one element", {{1}}, 0, false, 2);
  row("of nothing", {{2, 0}}, 1, false, 0);
  row("of many", {{3, 129}, -1, 1}, 1, false, 0);
  row("with a NaN", {.shape = {4}, .values = {1, 2, NAN, 3}}, 0, false, 0);
  if (integers) {
    row("of i32", {{2, 5}, -9, 9, DType::kI32}, 1, true, 0);
    row("of u32", {{6}, 0, 9, DType::kU32}, 0, false, 0);
  }
}

double plus(double a, double b) {
  return a + b;
}
double times(double a, double b) {
  return a * b;
}
double larger(double a, double b) {
  return std::isnan(a) || a > b ? a : b;
}
double smaller(double a, double b) {
  return std::isnan(a) || a < b ? a : b;
}
double log_plus(double a, double b) {
  if (std::isinf(a) && a == b) return a;
  const double top = a > b ? a : b;
  return top + std::log(std::exp(a - top) + std::exp(b - top));
}

// Each slope from its own sum, for the y that belongs to x.
void add_logsumexp_slopes(std::vector<Row>& rows) {
  for (const bool reverse : {false, true}) {
    for (const Shape& s : {Shape{1}, Shape{7}, Shape{2, 6}, Shape{0}}) {
      const auto want = [s, reverse](const std::vector<Doubles>& x) {
        const Doubles y = naive(x[1], s, s.rank() - 1, reverse, log_plus);
        const auto size = static_cast<size_t>(s[-1]);
        Doubles dx(y.size(), 0);
        for (size_t j = 0; j < dx.size(); ++j) {
          for (size_t i = j / size * size; i < (j / size + 1) * size; ++i) {
            if (reverse ? i > j : i < j) continue;
            dx[j] += x[0][i] * std::exp(x[1][j] - y[i]);
          }
        }
        return dx;
      };
      rows.push_back(
          {"cumlogsumexp_grad",
           "cumlogsumexp_grad" + s.str() + (reverse ? " from the end" : ""),
           {{s}, {s}},
           [reverse](const Values& x, DType) -> Values {
             const Value y = ops::cumlogsumexp(x[1], -1, reverse);
             const Node& n = *y.node();
             return {x[0].graph()
                         .add(ops::kCumlogsumexpGrad, {x[0], x[1], y}, n.attrs)
                         .out()};
           },
           want,
           s.size() == 0 ? 0 : 2,
           {DType::kF64, DType::kF32}});
    }
  }
}

}  // namespace

void add_cumulative_rows(std::vector<Row>& rows) {
  family(rows, "cumsum", ops::cumsum, plus, true);
  family(rows, "cumprod", ops::cumprod, times, true);
  family(rows, "cummax", ops::cummax, larger, true);
  family(rows, "cummin", ops::cummin, smaller, true);
  family(rows, "cumlogsumexp", ops::cumlogsumexp, log_plus, false);
  add_logsumexp_slopes(rows);
  const In zeros{.shape = {6}, .values = {2, 0, 3, 0, -1, 0.5}};
  add(rows, "cumprod", ops::cumprod, times, "past zeros", zeros, 0, false, 3);
  add(rows, "cumprod", ops::cumprod, times, "up to zeros", zeros, 0, true, 3);
  const In low{.shape = {4}, .values = {-INFINITY, -INFINITY, 1, -INFINITY}};
  add(rows,
      "cumlogsumexp",
      ops::cumlogsumexp,
      log_plus,
      "of minus infinity",
      low,
      0,
      false,
      0);
}

}  // namespace kexue::testing
