// Rows of group norm and of its gradient op, each with and without SiLU.
#include <cmath>

#include "kexue/ir/graph.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

constexpr double kEps = 1e-3;

struct Case {
  Shape x;
  int64_t groups;
  bool silu;

  ir::Attrs attrs() const {
    return {{"groups", groups},
            {"eps", kEps},
            {"silu", static_cast<int64_t>(silu)}};
  }
  std::string name(const std::string& op) const {
    return op + x.str() + " in " + std::to_string(groups) +
           (silu ? ", silu" : "");
  }
  // The group of element i, counted over the examples.
  size_t group(size_t i) const {
    const auto c = static_cast<size_t>(x[-1]);
    const auto g = static_cast<size_t>(groups);
    const auto example = static_cast<size_t>(x.size() / x[0]);
    return i / example * g + i % c / (c / g);
  }
  size_t channel(size_t i) const { return i % static_cast<size_t>(x[-1]); }

  // Means over the groups, and each element's.
  Doubles means(const Doubles& v) const {
    Doubles sums(static_cast<size_t>(x[0] * groups));
    for (size_t i = 0; i < v.size(); ++i) sums[group(i)] += v[i];
    for (double& s : sums)
      s *= static_cast<double>(x[0] * groups) / static_cast<double>(x.size());
    return sums;
  }
};

Doubles norm_value(const Case& k, const std::vector<Doubles>& x) {
  const Doubles mean = k.means(x[0]);
  Doubles square;
  for (size_t i = 0; i < x[0].size(); ++i) {
    square.push_back(std::pow(x[0][i] - mean[k.group(i)], 2));
  }
  const Doubles var = k.means(square);
  Doubles z;
  for (size_t i = 0; i < x[0].size(); ++i) {
    const size_t g = k.group(i);
    const double h = (x[0][i] - mean[g]) / std::sqrt(var[g] + kEps);
    const double y = h * x[1][k.channel(i)] + x[2][k.channel(i)];
    z.push_back(k.silu ? y / (1 + std::exp(-y)) : y);
  }
  return z;
}

// dx of dz, x, gamma, beta, mean, rstd.
Doubles grad_value(const Case& k, const std::vector<Doubles>& in) {
  Doubles h, u, uh;
  for (size_t i = 0; i < in[0].size(); ++i) {
    const size_t c = k.channel(i);
    h.push_back((in[1][i] - in[4][k.group(i)]) * in[5][k.group(i)]);
    const double y = h[i] * in[2][c] + in[3][c];
    const double e = std::exp(-y);
    const double slope = (1 + e + y * e) / ((1 + e) * (1 + e));
    u.push_back(in[0][i] * (k.silu ? slope : 1) * in[2][c]);
    uh.push_back(u[i] * h[i]);
  }
  const Doubles u_mean = k.means(u), uh_mean = k.means(uh);
  Doubles dx;
  for (size_t i = 0; i < u.size(); ++i) {
    const size_t g = k.group(i);
    dx.push_back(in[5][g] * (u[i] - u_mean[g] - h[i] * uh_mean[g]));
  }
  return dx;
}

void add_case(std::vector<Row>& rows, const Case& k) {
  const Shape row{k.x[-1]};
  rows.push_back(
      {"group_norm",
       k.name("group_norm"),
       {{k.x}, {row}, {row}},
       [k](const Values& x, DType) -> Values {
         return x[0]
             .graph()
             .add(ops::kGroupNorm, {x[0], x[1], x[2]}, k.attrs())
             .outs();
       },
       [k](const std::vector<Doubles>& x) { return norm_value(k, x); },
       k.x.size() == 0 ? 0 : 2});
  if (k.x.size() == 0) return;
  const Shape stats{k.x[0], k.groups};
  rows.push_back(
      {"group_norm_grad",
       k.name("group_norm_grad"),
       {{k.x}, {k.x}, {row}, {row}, {stats}, {stats, 0.5, 2}},
       [k](const Values& x, DType d) -> Values {
         const DType w = d == DType::kF64 ? d : DType::kF32;
         Values in = x;
         for (const size_t i : {4, 5}) in[i] = ops::convert(x[i], w);
         return x[0].graph().add(ops::kGroupNormGrad, in, k.attrs()).outs();
       },
       [k](const std::vector<Doubles>& x) { return grad_value(k, x); },
       2});
}

}  // namespace

void add_group_norm_rows(std::vector<Row>& rows) {
  add_case(rows, {{2, 3, 2, 6}, 2, true});
  add_case(rows, {{2, 5, 3}, 1, true});
  add_case(rows, {{1, 4, 3}, 3, false});
  add_case(rows, {{2, 4}, 2, false});  // no positions to sum over
  add_case(rows, {{0, 3, 4}, 2, true});
}

}  // namespace kexue::testing
