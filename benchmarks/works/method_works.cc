// WGAN with gradient penalty, a linear recurrent unit, the optimizer alone.
#include "benchmarks/works/trainer.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"

namespace kexue::works {
namespace {

constexpr int kHidden = 3;  // layers of width H

void add_mlp(ParamTable& table,
             const std::string& name,
             int64_t in,
             int64_t h,
             int64_t out) {
  for (int i = 0; i <= kHidden; ++i) {
    const int64_t from = i == 0 ? in : h;
    const int64_t to = i == kHidden ? out : h;
    const std::string layer = name + std::to_string(i);
    table.add(layer + ".weight", {to, from}, i == 0 ? 0.5 : 0.08);
    table.add(layer + ".bias", {to}, 0);
  }
}

// x sigmoid(x) between the layers: smooth, for the penalty's second order.
Value mlp(const ParamValues& p, const std::string& name, Value x) {
  for (int i = 0; i <= kHidden; ++i) {
    x = dense(p, name + std::to_string(i), x);
    if (i < kHidden) x = x * ops::logistic(x);
  }
  return x;
}

}  // namespace

// Critic:    E f(g(z)) - E f(x) + 10 E (|df/dxhat| - 1)^2, xhat between them.
// Generator: -E f(g(z)), with the critic as it was before the step.
// Source: Gulrajani et al. 2017, arXiv:1704.00028.
Work make_mlp_wgan_gp(const Sizes& s) {
  const int64_t b = s.at("B");
  ParamTable table;
  add_mlp(table, "critic", 2, s.at("H"), 1);
  add_mlp(table, "generator", s.at("Z"), s.at("H"), 2);
  const std::vector<Slot> inputs = {
      slot("real", DType::kF32, {b, 2}, normal(1)),
      slot("noise", DType::kF32, {b, s.at("Z")}, normal(1)),
      slot("mix", DType::kF32, {b, 1}, normal(0.3))};
  const auto critic_loss = [](const ParamValues& p, const Values& in) {
    const Value held = ops::stop_gradient(mlp(p, "generator", in[1]));
    const Value between = in[0] + in[2] * (held - in[0]);
    const Value score = mlp(p, "critic", between);
    const Value slope = transforms::gradients(ops::sum(score), {between})[0];
    const Value length = ops::sqrt(ops::sum(slope * slope, {1}) + 1e-12) - 1.0;
    return ops::mean(mlp(p, "critic", held)) -
           ops::mean(mlp(p, "critic", in[0])) +
           10.0 * ops::mean(length * length);
  };
  // Each player moves by its own loss; the report is the critic's.
  const std::vector<Slot> params = table.slots();
  const auto gradients = [params, critic_loss](const Values& weights,
                                               const Values& in) {
    const ParamValues p(params, weights);
    const Value critic = critic_loss(p, in);
    const Value fooled =
        -ops::mean(mlp(p, "critic", mlp(p, "generator", in[1])));
    Values grads = transforms::gradients(critic, weights);
    const Values generator = transforms::gradients(fooled, weights);
    for (size_t i = 0; i < grads.size(); ++i) {
      if (params[i].name.starts_with("generator")) grads[i] = generator[i];
    }
    return std::pair(critic, grads);
  };
  return training_by(table,
                     inputs,
                     gradients,
                     {.lr = 1e-4, .beta1 = 0.5, .beta2 = 0.9, .decay = 0});
}

// x_t = lambda x_(t-1) + B u_t, y_t = Re(C x_t), lambda = exp(-exp(nu) + i
// theta), in pairs of real numbers; loss mean(y^2).
// Source: Orvieto et al. 2023, arXiv:2303.06349.
Work make_lru_scan(const Sizes& s) {
  const int64_t n = s.at("N");
  const int64_t d = s.at("D");
  const int64_t b = s.at("B");
  ParamTable table;
  table.add("nu", {n}, 0.5);
  table.add("theta", {n}, 1.0);
  table.add("b_re", {n, d}, 0.05);
  table.add("b_im", {n, d}, 0.05);
  table.add("c_re", {d, n}, 0.05);
  table.add("c_im", {d, n}, 0.05);
  const std::vector<Slot> inputs = {
      slot("u", DType::kF32, {s.at("T"), b, d}, normal(1))};
  const auto loss = [b, n](const ParamValues& p, const Values& in) {
    const Value radius = ops::exp(-ops::exp(p["nu"]));
    const Value re = radius * ops::cos(p["theta"]);
    const Value im = radius * ops::sin(p["theta"]);
    const Value u_re = ops::einsum("tbd,nd->tbn", in[0], p["b_re"]);
    const Value u_im = ops::einsum("tbd,nd->tbn", in[0], p["b_im"]);
    const auto turn = [&](const Values& x, const Values& u) {
      const Value next_re = re * x[0] - im * x[1] + u[0];
      const Value next_im = re * x[1] + im * x[0] + u[1];
      return std::pair<Values, Values>({next_re, next_im}, {next_re, next_im});
    };
    const Value zero = ops::full({u_re.dtype(), {b, n}}, 0);
    const Values x = ops::scan(turn, {zero, zero}, {u_re, u_im}).ys;
    const Value y = ops::einsum("tbn,dn->tbd", x[0], p["c_re"]) -
                    ops::einsum("tbn,dn->tbd", x[1], p["c_im"]);
    return ops::mean(y * y);
  };
  return training(table, inputs, loss);
}

// log(1 + sum over pairs with label_i > label_j of exp(20 (cos_j - cos_i))),
// in its sorted form: with cosines in order of their labels, what pair i sees
// is the running logsumexp of all lower labels. A step of descent on cosines.
// Source: Su 2022, CoSENT.
Work make_cosent(const Sizes& s) {
  const int64_t n = s.at("N");
  const int64_t groups = s.at("G");
  Work work;
  work.state = {slot("cosine", DType::kF32, {n}, normal(0.3))};
  work.inputs = {slot("label", DType::kI32, {n}, below(groups))};
  work.step = [n](const Values& state, const Values& in) -> StepResult {
    const auto loss = [&](const Value& cosine) {
      const Value scaled = 20.0 * cosine;
      const Values sorted = ops::sort_by_key(in[0], {scaled});
      const Value below_or_here = ops::cumlogsumexp(sorted[1], 0);
      // The last place with a lower label: one before the first of its own.
      const Value place = ops::iota({DType::kI32, {n}});
      const Value previous =
          ops::concatenate({ops::full({DType::kI32, {1}}, -1),
                            ops::slice_axis(sorted[0], 0, 0, n - 1)},
                           0);
      const Value first =
          ops::cummax(ops::select(ops::not_equal(sorted[0], previous),
                                  place,
                                  ops::zeros_like(place)),
                      0);
      const Value lower = ops::take(
          below_or_here,
          ops::maximum(first - ops::ones_like(first), ops::zeros_like(first)));
      const Value term =
          ops::select(ops::greater(first, ops::zeros_like(first)),
                      lower - sorted[1],
                      ops::full_like(sorted[1], -1e30));
      const Value all =
          ops::concatenate({term, ops::full({DType::kF32, {1}}, 0)}, 0);
      return ops::reshape(ops::logsumexp(all), {});
    };
    const Value value = loss(state[0]);
    const Value slope = transforms::gradients(value, {state[0]})[0];
    return {value, {state[0] - 1e-3 * slope}};
  };
  return work;
}

// Queries in blocks of B, so that the scores of one block fit the cache.
Work make_knn(const Sizes& s) {
  const int64_t d = s.at("D");
  const int64_t k = s.at("K");
  const int64_t b = s.at("B");
  const int64_t blocks = (s.at("Q") + b - 1) / b;
  Work work;
  work.inputs = {slot("queries", DType::kF32, {blocks, b, d}, normal(1)),
                 slot("rows", DType::kF32, {s.at("N"), d}, normal(1))};
  work.step = [k](const Values&, const Values& in) -> StepResult {
    const Values found = ops::map(
        [&](const Values& q) -> Values {
          const Value scores = ops::einsum("qd,nd->qn", q[0], in[1]);
          const auto top = ops::top_k(scores, k);
          return {top.values, top.indices};
        },
        {in[0]});
    return {ops::mean(found[0]), {}};
  };
  return work;
}

// The optimizer alone: one tensor of N numbers, its gradient an input.
Work make_adamw(const Sizes& s) {
  const std::vector<int64_t> n = {s.at("N")};
  Work work;
  work.state = {slot("w", DType::kF32, n, ones),
                slot("m", DType::kF32, n, zeros),
                slot("v", DType::kF32, n, zeros),
                slot("step", DType::kF32, {}, zeros)};
  work.inputs = {slot("g", DType::kF32, n, ones)};
  work.step = [](const Values& state, const Values& in) -> StepResult {
    const Value t = state[3] + 1.0;
    Values next = adamw(state[0], in[0], state[1], state[2], t, {});
    const Value first = ops::reshape(ops::slice_axis(next[0], 0, 0, 1), {});
    next.push_back(t);
    return {first, next};
  };
  return work;
}

}  // namespace kexue::works
