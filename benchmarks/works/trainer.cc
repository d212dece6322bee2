#include "benchmarks/works/trainer.h"

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"

namespace kexue::works {

void ParamTable::add(std::string name, const Shape& shape, double stddev) {
  slots_.push_back(
      slot(std::move(name),
           DType::kF32,
           shape.dims(),
           stddev == 0 ? std::function<HostArray(const TensorType&, Key)>(zeros)
                       : normal(stddev)));
}

void ParamTable::add_ones(std::string name, const Shape& shape) {
  slots_.push_back(slot(std::move(name), DType::kF32, shape.dims(), ones));
}

void ParamTable::add_dense(const std::string& name, int64_t in, int64_t out) {
  add(name + ".weight", {out, in}, 0.02);
  add(name + ".bias", {out}, 0);
}

void ParamTable::add_norm(const std::string& name, int64_t dim) {
  add_ones(name + ".weight", {dim});
  add(name + ".bias", {dim}, 0);
}

ParamValues::ParamValues(const std::vector<Slot>& slots, const Values& values) {
  for (size_t i = 0; i < slots.size(); ++i) {
    by_name_[slots[i].name] = values.at(i);
  }
}

const Value& ParamValues::operator[](const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    throw Error(Code::kInternal, "work: no parameter " + name);
  }
  return found->second;
}

Values adamw(const Value& w,
             const Value& g,
             const Value& m,
             const Value& v,
             const Value& t,
             const AdamSettings& s) {
  const auto correction = [&](double beta) {
    return 1.0 - ops::pow(ops::scalar_like(t, beta), t);
  };
  const Value c2 = ops::sqrt(correction(s.beta2));
  return ops::adamw(w,
                    m,
                    v,
                    g,
                    {.rate = s.lr * c2 / correction(s.beta1),
                     .eps = s.eps * c2,
                     .decay = ops::full_like(t, s.lr * s.decay),
                     .scale = ops::ones_like(t),
                     .go = ops::ones_like(t)},
                    s.beta1,
                    s.beta2);
}

Work training_by(const ParamTable& table,
                 std::vector<Slot> inputs,
                 LossGradients gradients,
                 const AdamSettings& settings) {
  Work work;
  work.inputs = std::move(inputs);
  work.state = table.slots();
  for (const std::string prefix : {"m.", "v."}) {
    for (const Slot& p : table.slots()) {
      work.state.push_back(
          slot(prefix + p.name, p.type.dtype, p.type.shape.dims(), zeros));
    }
  }
  work.state.push_back(slot("step", DType::kF32, {}, zeros));
  const size_t n = table.slots().size();
  work.step = [n, gradients, settings](const Values& state,
                                       const Values& in) -> StepResult {
    const Values weights(state.begin(), state.begin() + static_cast<long>(n));
    const auto [value, grads] = gradients(weights, in);
    const Scope scope("optimizer");
    const Value t = state.back() + 1.0;
    Values next(3 * n);
    for (size_t i = 0; i < n; ++i) {
      const Values made = adamw(
          weights[i], grads[i], state[n + i], state[2 * n + i], t, settings);
      next[i] = made[0];
      next[n + i] = made[1];
      next[2 * n + i] = made[2];
    }
    next.push_back(t);
    return {value, next};
  };
  return work;
}

Work training(const ParamTable& table,
              std::vector<Slot> inputs,
              std::function<Value(const ParamValues&, const Values&)> loss,
              const AdamSettings& settings) {
  const std::vector<Slot> params = table.slots();
  const auto gradients = [params, loss](const Values& weights,
                                        const Values& in) {
    const Value value = loss(ParamValues(params, weights), in);
    return std::pair(value, transforms::gradients(value, weights));
  };
  return training_by(table, std::move(inputs), gradients, settings);
}

Value dense(const ParamValues& p, const std::string& name, const Value& x) {
  const char* spec = x.rank() == 2 ? "bd,ed->be" : "btd,ed->bte";
  return ops::einsum(spec, x, p[name + ".weight"], p[name + ".bias"]);
}

Value norm(const ParamValues& p, const std::string& name, const Value& x) {
  return ops::layer_norm(x, p[name + ".weight"], p[name + ".bias"], 1e-5);
}

}  // namespace kexue::works
