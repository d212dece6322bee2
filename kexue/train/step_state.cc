#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/train/step.h"

namespace kexue::train {

size_t StateLayout::index(const std::string& name) const {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) {
    throw Error(Code::kInternal, "training state has no \"" + name + "\"");
  }
  return static_cast<size_t>(at - names.begin());
}

StateLayout state_layout(const nn::ParamList& params,
                         const optim::Optimizer& optimizer,
                         int64_t accumulate) {
  StateLayout l;
  l.num_params = params.size();
  const auto add = [&](std::string name, TensorType type) {
    l.names.push_back(std::move(name));
    l.types.push_back(std::move(type));
  };
  for (const auto& p : params) add(p.name, p.param.type());
  for (const auto& p : params) {
    l.slots.push_back(
        optimizer.slots({p.name, p.param.type(), p.param.stack()}));
    for (const auto& s : l.slots.back()) add(s.name + "/" + p.name, s.type);
  }
  if (accumulate > 1) {
    for (const auto& p : params) add("sum/" + p.name, p.param.type());
  }
  add("step", {DType::kI32, {}});
  add("skipped", {DType::kI32, {}});
  add("clean", {DType::kI32, {}});
  add("scale", {DType::kF32, {}});
  add("key", {DType::kU32, {2}});
  if (accumulate > 1) {
    add("micro", {DType::kI32, {}});
    add("loss_sum", {DType::kF32, {}});
  }
  return l;
}

std::vector<Sharding> state_shardings(const nn::ParamList& params,
                                      const optim::Optimizer& optimizer,
                                      const Parallel& parallel,
                                      int64_t accumulate) {
  std::vector<Sharding> out;
  const StateLayout layout = state_layout(params, optimizer, accumulate);
  for (const auto& p : params) out.push_back(param_sharding(parallel, p));
  for (size_t i = 0; i < params.size(); ++i) {
    for (const auto& slot : layout.slots[i]) {
      out.push_back(slot_sharding(parallel, params[i], slot.type.shape));
    }
  }
  for (const auto& p : params) {
    if (accumulate == 1) break;
    out.push_back(slot_sharding(parallel, p, p.param.shape()));
  }
  out.resize(layout.size());
  return out;
}

std::vector<HostArray> initial_state(const StateLayout& layout,
                                     std::vector<HostArray> params,
                                     const StepOptions& options) {
  const bool scaled = options.loss_scale.kind != LossScale::Kind::kNone;
  const double scale = scaled ? options.loss_scale.initial : 1;
  if (!(scale > 0) || !std::isfinite(scale)) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("loss scale must be positive and finite, got {}", scale));
  }
  std::vector<HostArray> state = std::move(params);
  for (size_t i = 0; i < layout.slots.size(); ++i) {
    for (const auto& slot : layout.slots[i]) {
      state.push_back(optim::initial(slot, state.at(i)));
    }
  }
  for (size_t i = state.size(); i < layout.size(); ++i) {
    state.emplace_back(layout.types[i]);
  }
  state[layout.index("scale")] = HostArray::scalar(static_cast<float>(scale));
  const Key key = Key::from_seed(options.seed);
  state[layout.index("key")] =
      HostArray::of<uint32_t>({2}, std::vector<uint32_t>{key.a, key.b});
  return state;
}

}  // namespace kexue::train
