// One update by a rule of kexue/optim, the way a run makes it: a stack of L
// matrices and one of their biases.
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/works/work.h"
#include "kexue/ops/ops.h"
#include "kexue/optim/registry.h"

namespace kexue::works {
namespace {

constexpr double kRate = 1e-3;

// Under which another system has the same rule (benchmarks/peers/
// rules_torch.py, rules_optax.py); none: its own.
optim::OptionList options_of(const std::string& rule) {
  const optim::OptionList plain = {{"weight_decay", 0.0}};
  const optim::OptionList decayed = {{"weight_decay", 0.1},
                                     {"no_decay", optim::NameList{}}};
  const std::map<std::string, optim::OptionList> options = {
      {"adafactor", {{"min_factor", 1.0}}},
      {"adafactor_v1",
       {{"min_factor", 1.0},
        {"weight_decay", 0.02},
        {"no_decay", optim::NameList{}}}},
      {"adagrad", plain},
      {"adam", plain},
      {"adamw", decayed},
      {"adan", {{"beta2", 0.5}, {"weight_decay", 0.0}}},
      {"lamb", decayed},
      {"lars", {{"no_decay", optim::NameList{}}, {"trust", 0.02}}},
      {"lion", decayed},
      {"muon",
       {{"scale", std::string("original")},
        {"weight_decay", 0.1},
        {"no_decay", optim::NameList{}},
        {"adamw_for", optim::NameList{}}}},
      {"rmsprop", plain},
      {"schedule_free_adamw", plain},
      {"sgd", {{"momentum", 0.9}, {"weight_decay", 0.0}}}};
  const auto found = options.find(rule);
  return found == options.end() ? optim::OptionList{} : found->second;
}

// The same numbers for a parameter and for slots that start as its copy.
HostArray waves(const TensorType& type, Key) {
  HostArray a(type);
  double at = 0.3;
  for (float& x : a.mutable_span<float>()) {
    x = static_cast<float>(0.05 * std::sin(at));
    at += 1.7;
  }
  return a;
}

std::function<HostArray(const TensorType&, Key)> start_of(
    const optim::Slot& slot) {
  if (slot.from_param) return waves;
  return [fill = slot.fill](const TensorType& type, Key) {
    return HostArray::full(type, fill);
  };
}

Work make_update(const std::string& rule, const Sizes& s) {
  const int64_t layers = s.at("L");
  const int64_t width = s.at("H");
  const auto optimizer = optim::make(rule, options_of(rule));
  const std::vector<Slot> params = {
      slot("weight", DType::kF32, {layers, width, width}, waves),
      slot("bias", DType::kF32, {layers, width}, waves)};
  Work work;
  work.state = params;
  std::vector<size_t> counts;
  for (const Slot& p : params) {
    work.inputs.push_back(
        slot("g." + p.name, DType::kF32, p.type.shape.dims(), normal(0.01)));
    const auto kept = optimizer->slots({p.name, p.type, 1});
    for (const optim::Slot& k : kept) {
      work.state.push_back(slot(k.name + "." + p.name,
                                k.type.dtype,
                                k.type.shape.dims(),
                                start_of(k)));
    }
    counts.push_back(kept.size());
  }
  work.state.push_back(slot("step", DType::kF32, {}, zeros));
  work.step = [params, optimizer, counts](const Values& state,
                                          const Values& in) -> StepResult {
    const Value step = state.back() + 1.0;
    Values next(params.size());
    size_t at = params.size();
    for (size_t i = 0; i < params.size(); ++i) {
      const auto first = state.begin() + static_cast<ptrdiff_t>(at);
      const Values made = optimizer->apply(
          {.name = params[i].name,
           .param = state[i],
           .grad = in[i],
           .slots = Values(first, first + static_cast<ptrdiff_t>(counts[i])),
           .lr = ops::full_like(step, kRate),
           .step = step,
           .stack = 1});
      next[i] = made[0];
      next.insert(next.end(), made.begin() + 1, made.end());
      at += counts[i];
    }
    next.push_back(step);
    const Value corner = ops::slice_axis(
        ops::slice_axis(ops::slice_axis(next[0], 0, 0, 1), 1, 0, 1), 2, 0, 1);
    return {ops::reshape(corner, {}), next};
  };
  return work;
}

}  // namespace

std::vector<WorkDef> update_works() {
  std::vector<WorkDef> works;
  for (const auto& rule : optim::rules()) {
    works.push_back(
        {"update-" + rule.name,
         "one update of L matrices of H x H, with biases",
         {{"L", 32}, {"H", 512}},
         [name = rule.name](const Sizes& s) { return make_update(name, s); }});
  }
  return works;
}

}  // namespace kexue::works
