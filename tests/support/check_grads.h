// Gradients against central differences, in f64, on the host evaluator.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "kexue/base/random.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"
#include "kexue/transforms/simplify.h"
#include "tests/support/check_close.h"

namespace kexue::testing {

// Normal numbers, and parts of complex ones; integers make no sense here.
inline HostArray random_normal(const TensorType& type, Key key) {
  Random random(key);
  const int64_t width = is_complex(type.dtype) ? 2 : 1;
  std::vector<double> v(static_cast<size_t>(width * type.shape.size()));
  for (double& x : v) x = random.normal();
  return from_parts(type, v);
}

inline std::vector<TensorType> types_of(const std::vector<HostArray>& arrays) {
  std::vector<TensorType> out;
  for (const auto& a : arrays) out.push_back(a.type());
  return out;
}

// The outputs of f at x, on the host evaluator.
inline std::vector<HostArray> evaluate_at(
    const std::function<Values(const Values&)>& f,
    const std::vector<HostArray>& x) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (const auto& a : x) in.push_back(g.input(a.type()));
  g.set_outputs(f(in));
  return ir::evaluate(g, x);
}

// The float and complex ones.
inline Values float_values(const Values& values) {
  Values out;
  for (const Value& v : values) {
    if (is_inexact(v.dtype())) out.push_back(v);
  }
  return out;
}

// One number that depends on every element of every float value: the sum of
// all of them with fixed random weights.
inline Value weighted_sum(const Values& values, uint64_t seed = 1) {
  Value total;
  for (const Value& v : float_values(values)) {
    const Key key = Key::from_seed(seed++);
    const bool complex = is_complex(v.dtype());
    const DType wide = complex ? DType::kC128 : DType::kF64;
    const Value w = ops::convert(
        ops::constant(random_normal({wide, v.shape()}, key)), v.dtype());
    const Value part = ops::real(ops::sum(v * w));
    total = total ? ops::add(total, ops::convert(part, total.dtype())) : part;
  }
  return total;
}

// The slope of f at x along one random direction v, by reverse mode and by
// [f(x + h v) - f(x - h v)] / 2h, to 1e-6 of sum |df/dx_i v_i|; then the same
// for the function <grad f, v>, and so on up to derivative `order`.
//
// f: scalar f64 of inputs of x's types. Integer inputs are left alone. Complex
// inputs (c128) move in both parts; their slope is real(conj(df/dz) v).
inline ::testing::AssertionResult check_grads(const transforms::Function& f,
                                              const std::vector<HostArray>& x,
                                              int order,
                                              uint64_t seed = 77) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (const auto& a : x) in.push_back(g.input(a.type()));
  const Values floats = float_values(in);
  const Value y = f(in);
  Values outs = transforms::gradients(y, floats);
  outs.insert(outs.begin(), y);
  g.set_outputs(outs);
  const auto at_x = ir::evaluate(*transforms::simplify(g), x);
  g.set_outputs({y});
  const auto only_f = transforms::simplify(g);

  std::vector<HostArray> v;
  std::vector<HostArray> up = x;
  std::vector<HostArray> down = x;
  constexpr double kStep = 1e-5;
  double slope = 0;
  double scale = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!is_inexact(x[i].dtype())) continue;
    v.push_back(random_normal(x[i].type(), Key::from_seed(seed).fold_in(i)));
    const auto d = parts(v.back());
    const auto gradient = parts(at_x[v.size()]);
    auto above = parts(x[i]);
    auto below = above;
    for (size_t k = 0; k < d.size(); ++k) {
      above[k] += kStep * d[k];
      below[k] -= kStep * d[k];
      slope += gradient[k] * d[k];
      scale += std::fabs(gradient[k] * d[k]);
    }
    up[i] = from_parts(x[i].type(), above);
    down[i] = from_parts(x[i].type(), below);
  }
  const double difference = (ir::evaluate(*only_f, up)[0].at(0) -
                             ir::evaluate(*only_f, down)[0].at(0)) /
                            (2 * kStep);
  // The floor covers the rounding of f itself.
  const double limit = 1e-6 * scale + 1e-9 * (1 + std::fabs(at_x[0].at(0)));
  if (!(std::fabs(slope - difference) <= limit)) {
    return ::testing::AssertionFailure()
           << "order " << order << " from the top: reverse mode gives " << slope
           << ", central differences " << difference << " (limit " << limit
           << ")";
  }
  if (order <= 1) return ::testing::AssertionSuccess();
  const auto next = [&f, &v](const Values& values) {
    const Values grads = transforms::gradients(f(values), float_values(values));
    Value dot;
    for (size_t i = 0; i < grads.size(); ++i) {
      const Value part =
          ops::real(ops::sum(ops::conj(grads[i]) * ops::constant(v[i])));
      dot = dot ? dot + part : part;
    }
    return dot;
  };
  return check_grads(next, x, order - 1, seed + 1);
}

}  // namespace kexue::testing
