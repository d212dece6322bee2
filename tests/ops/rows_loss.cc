// Rows of losses that are ops of their own, and of sums for gradients.
#include <cmath>

#include "kexue/ir/graph.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

In labels_input(const Shape& shape, const Doubles& values) {
  return {.shape = shape, .dtype = DType::kI32, .values = values};
}

// Calls visit(row, label, softmax of the row).
template <class Visit>
void for_rows(const Doubles& x, const Doubles& labels, const Visit& visit) {
  const size_t n = labels.empty() ? 0 : x.size() / labels.size();
  for (size_t r = 0; r < labels.size(); ++r) {
    Doubles p;
    double total = 0;
    for (size_t c = 0; c < n; ++c) {
      p.push_back(std::exp(x[r * n + c]));
      total += p.back();
    }
    for (double& v : p) v /= total;
    visit(r, labels[r], p);
  }
}

bool names_class(double label, const Doubles& p) {
  return label >= 0 && label < static_cast<double>(p.size());
}

Doubles naive_loss(const std::vector<Doubles>& in) {
  Doubles y;
  for_rows(in[0], in[1], [&](size_t, double l, const Doubles& p) {
    y.push_back(names_class(l, p) ? -std::log(p[static_cast<size_t>(l)]) : 0);
  });
  return y;
}

Values build_loss(const Values& x, DType) {
  return x[0].graph().add(ops::kSoftmaxCrossEntropy, {x[0], x[1]}).outs();
}

void add_losses(std::vector<Row>& rows) {
  const auto row = [&](const std::string& what,
                       const In& logits,
                       const In& labels,
                       int order) {
    rows.push_back({"softmax_cross_entropy",
                    std::string("softmax_cross_entropy ").append(what),
                    {logits, labels},
                    build_loss,
                    naive_loss,
                    order});
  };
  row("of one row", {{5}}, labels_input({}, {3}), 3);
  row("of a batch", {{2, 3, 7}}, labels_input({2, 3}, {0, 6, 2, 3, 3, 1}), 2);
  row("with labels outside", {{4, 3}}, labels_input({4}, {-1, 2, 3, -100}), 2);
  row("of no rows", {{0, 3}}, labels_input({0}, {}), 0);
  row("of one class", {{2, 1}}, labels_input({2}, {0, 1}), 2);
}

void add_gradients(std::vector<Row>& rows) {
  rows.push_back(
      {"softmax_cross_entropy_grad",
       "softmax_cross_entropy_grad",
       {{{4}}, {{4, 5}}, labels_input({4}, {2, -1, 4, 0})},
       [](const Values& x, DType) -> Values {
         Graph& g = x[0].graph();
         const Values y = g.add(ops::kSoftmaxCrossEntropy, {x[1], x[2]}).outs();
         return g.add(ops::kSoftmaxCrossEntropyGrad, {x[0], x[1], x[2], y[1]})
             .outs();
       },
       [](const std::vector<Doubles>& in) {
         Doubles dx;
         for_rows(in[1], in[2], [&](size_t r, double l, const Doubles& p) {
           for (size_t c = 0; c < p.size(); ++c) {
             const double hit = static_cast<double>(c) == l ? 1 : 0;
             const double dy = names_class(l, p) ? in[0][r] : 0;
             dx.push_back(dy * (p[c] - hit));
           }
         });
         return dx;
       },
       2});
}

void add_column_sums(std::vector<Row>& rows) {
  for (const Shape& s : {Shape{4, 3}, Shape{2, 3, 5}, Shape{0, 2}}) {
    rows.push_back({"column_sum",
                    "column_sum" + s.str(),
                    {{s}},
                    [](const Values& x, DType) -> Values {
                      return {ops::column_sum(x[0])};
                    },
                    [s](const std::vector<Doubles>& x) {
                      const auto n = static_cast<size_t>(s[-1]);
                      Doubles y(n, 0);
                      for (size_t i = 0; i < x[0].size(); ++i) {
                        y[i % n] += x[0][i];
                      }
                      return y;
                    },
                    2});
  }
}

}  // namespace

void add_loss_rows(std::vector<Row>& rows) {
  add_losses(rows);
  add_gradients(rows);
  add_column_sums(rows);
}

}  // namespace kexue::testing
