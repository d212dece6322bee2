#include "kexue/train/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/nn/layers.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"

namespace kexue::train {
namespace {

constexpr double kSmallestScale = 0x1p-14;

BatchValues batch_inputs(ir::Graph& graph, const BatchTypes& batch) {
  BatchValues values;
  for (const auto& [name, type] : batch) values[name] = graph.input(type, name);
  return values;
}

Value scalar_i32(const Value& like, int32_t x) {
  return ops::convert(ops::scalar_like(like, x), DType::kI32);
}

Value element(const Value& v, int64_t i) {
  return ops::reshape(ops::slice(v, {i}, {i + 1}), std::vector<int64_t>{});
}

Value keep_unless(const Value& good, const Value& next, const Value& old) {
  return ops::select(good, next, old);
}

// The counters of the state, and what becomes of them.
struct Counters {
  Value step, skipped, clean, scale, key;
};

class Builder final {
 public:
  Builder(const nn::ParamList& params,
          const optim::Optimizer& optimizer,
          const StepOptions& options)
      : params_(params),
        optimizer_(optimizer),
        options_(options),
        layout_(state_layout(params, optimizer)),
        scaled_(options.loss_scale.kind != LossScale::Kind::kNone) {}

  StepGraph build(const LossFunction& loss, const BatchTypes& batch) {
    StepGraph out;
    out.graph = std::make_unique<ir::Graph>();
    const ir::Tracing tracing(*out.graph);
    inputs(*out.graph);
    const BatchValues fields = batch_inputs(*out.graph, batch);
    const Value hyper = out.graph->input({DType::kF32, {3}}, "hyper");
    const Value attempt = old_.step + old_.skipped;
    const LossResult result = [&] {
      const nn::RandomScope random(*out.graph, ops::fold_in(old_.key, attempt));
      return loss(fields);
    }();
    Values grads = gradients(result.loss);
    const Scope scope("optimizer");
    for (size_t i = 0; i < grads.size(); ++i) grads[i] = as_slot(grads[i], i);
    const auto clipped = optim::clip(grads, options_.clip, stacks());
    // One reduction serves both: a norm is finite iff all gradients are.
    const Value finite =
        ops::bit_and(ops::is_finite(clipped.norm), ops::is_finite(result.loss));
    const Value s = ops::convert(old_.step, DType::kF32);
    const Value lr = optim::learning_rate(options_.schedule,
                                          element(hyper, 0),
                                          element(hyper, 1),
                                          element(hyper, 2),
                                          s);
    Values state = updates(clipped.grads, clipped.scale, lr, s + 1.0, finite);
    append_counters(state, finite);
    out.metric_names = {"loss", "grad_norm", "lr", "finite", "scale"};
    Values metrics = {result.loss,
                      clipped.norm,
                      lr,
                      ops::convert(finite, DType::kF32),
                      old_.scale};
    for (const auto& [name, value] : result.metrics) {
      out.metric_names.push_back(name);
      metrics.push_back(value);
    }
    for (Value& m : metrics) m = ops::reshape(m, {1});
    for (size_t i = 0; i < state.size(); ++i) {
      out.alias.push_back(static_cast<int64_t>(i));
    }
    state.push_back(ops::concatenate(metrics, 0));
    out.graph->set_outputs(state);
    out.in = state_shardings(params_, optimizer_, options_.parallel);
    out.out = out.in;
    for (const auto& [name, type] : batch) {
      out.in.push_back(batch_sharding(options_.parallel, name, type));
    }
    return out;
  }

  std::unique_ptr<ir::Graph> build_evaluation() {
    auto graph = std::make_unique<ir::Graph>();
    const ir::Tracing tracing(*graph);
    inputs(*graph);
    Values out;
    for (size_t i = 0; i < params_.size(); ++i) {
      out.push_back(optimizer_.evaluation(update_of(i)));
    }
    graph->set_outputs(out);
    return graph;
  }

 private:
  // Without what a step adds to it.
  optim::Update update_of(size_t i) const {
    return {params_[i].name,
            values_[i],
            {},
            slots_[i],
            {},
            ops::convert(old_.step, DType::kF32),
            {},
            {},
            params_[i].param.stack()};
  }

  void inputs(ir::Graph& graph) {
    values_ = nn::bind_inputs(graph, params_);
    size_t at = params_.size();
    for (const auto& slots : layout_.slots) {
      auto& mine = slots_.emplace_back();
      for (size_t k = 0; k < slots.size(); ++k, ++at) {
        mine.push_back(graph.input(layout_.types[at], layout_.names[at]));
      }
    }
    const auto counter = [&](const char* name) {
      return graph.input(layout_.types[layout_.index(name)], name);
    };
    old_.step = counter("step");
    old_.skipped = counter("skipped");
    old_.clean = counter("clean");
    old_.scale = counter("scale");
    old_.key = counter("key");
  }

  // Unscaled f32 gradients of the mean loss.
  Values gradients(const Value& loss) const {
    if (loss.rank() != 0 || loss.dtype() != DType::kF32) {
      throw Error(Code::kInvalidArgument,
                  "train: the loss must be f32[], got " + loss.type().str());
    }
    // Under a 16-bit policy a gradient may arrive in 16 bits: everything from
    // here on is f32.
    Values grads = scaled_ ? transforms::vjp({loss}, {old_.scale}, values_)
                           : transforms::gradients(loss, values_);
    const Value inverse = 1.0 / old_.scale;
    for (Value& g : grads) {
      g = ops::widen(g);
      if (scaled_) g = g * inverse;
    }
    return grads;
  }

  std::vector<int64_t> stacks() const {
    std::vector<int64_t> out;
    for (const auto& p : params_) out.push_back(p.param.stack());
    return out;
  }

  // With ZeRO each device updates the part whose slots it keeps.
  Value as_slot(const Value& v, size_t i) const {
    const Parallel& p = options_.parallel;
    if (!p.active() || p.zero == Zero::kNone) return v;
    return ops::shard(v, slot_sharding(p, params_[i], v.shape()));
  }

  Values updates(const Values& grads,
                 const Value& clip,
                 const Value& lr,
                 const Value& count,
                 const Value& finite) const {
    Values state(params_.size());
    for (size_t i = 0; i < params_.size(); ++i) {
      const Value param = as_slot(values_[i], i);
      optim::Update u = update_of(i);
      u.param = param;
      u.grad = grads[i];
      u.lr = lr;
      u.step = count;
      u.scale = clip;
      u.go = finite;
      Values next = optimizer_.apply(u);
      if (!optimizer_.skips()) {
        for (size_t k = 0; k < next.size(); ++k) {
          const Value& old = k == 0 ? param : slots_[i].at(k - 1);
          next[k] = keep_unless(finite, next[k], old);
        }
      }
      state[i] = next.at(0);
      state.insert(state.end(), next.begin() + 1, next.end());
    }
    return state;
  }

  void append_counters(Values& state, const Value& finite) const {
    const Value one = scalar_i32(old_.step, 1);
    const Value zero = scalar_i32(old_.step, 0);
    const LossScale& ls = options_.loss_scale;
    if (!scaled_) {
      state.insert(state.end(),
                   {old_.step + ops::select(finite, one, zero),
                    old_.skipped,
                    old_.clean,
                    old_.scale,
                    old_.key});
      return;
    }
    Value scale = old_.scale;
    Value clean = old_.clean;
    if (ls.kind == LossScale::Kind::kDynamic) {
      const Value run = old_.clean + one;
      const Value grow = ops::greater_equal(run, scalar_i32(run, ls.interval));
      clean = ops::select(finite, ops::select(grow, zero, run), zero);
      const Value up = ops::select(grow, scale * ls.factor, scale);
      const Value down = ops::maximum(scale * ls.backoff,
                                      ops::full_like(scale, kSmallestScale));
      scale = ops::select(finite, up, down);
    }
    state.insert(state.end(),
                 {old_.step + ops::select(finite, one, zero),
                  old_.skipped + ops::select(finite, zero, one),
                  clean,
                  scale,
                  old_.key});
  }

  const nn::ParamList& params_;
  const optim::Optimizer& optimizer_;
  StepOptions options_;
  StateLayout layout_;
  bool scaled_;
  Values values_;
  std::vector<Values> slots_;  // of each parameter
  Counters old_;
};

}  // namespace

size_t StateLayout::index(const std::string& name) const {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) {
    throw Error(Code::kInternal, "training state has no \"" + name + "\"");
  }
  return static_cast<size_t>(at - names.begin());
}

StateLayout state_layout(const nn::ParamList& params,
                         const optim::Optimizer& optimizer) {
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
  add("step", {DType::kI32, {}});
  add("skipped", {DType::kI32, {}});
  add("clean", {DType::kI32, {}});
  add("scale", {DType::kF32, {}});
  add("key", {DType::kU32, {2}});
  return l;
}

std::vector<Sharding> state_shardings(const nn::ParamList& params,
                                      const optim::Optimizer& optimizer,
                                      const Parallel& parallel) {
  std::vector<Sharding> out;
  const StateLayout layout = state_layout(params, optimizer);
  for (const auto& p : params) out.push_back(param_sharding(parallel, p));
  for (size_t i = 0; i < params.size(); ++i) {
    for (const auto& slot : layout.slots[i]) {
      out.push_back(slot_sharding(parallel, params[i], slot.type.shape));
    }
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

HostArray Hyper::array() const {
  return HostArray::of<float>(
      {3},
      std::vector<float>{static_cast<float>(lr),
                         static_cast<float>(warmup_steps),
                         static_cast<float>(total_steps)});
}

StepGraph build_step(const nn::ParamList& params,
                     const LossFunction& loss,
                     const optim::Optimizer& optimizer,
                     const BatchTypes& batch,
                     const StepOptions& options) {
  return Builder(params, optimizer, options).build(loss, batch);
}

std::unique_ptr<ir::Graph> build_evaluation(const nn::ParamList& params,
                                            const optim::Optimizer& optimizer) {
  return Builder(params, optimizer, {}).build_evaluation();
}

std::unique_ptr<ir::Graph> build_forward(
    const nn::ParamList& params,
    const std::function<Values(const BatchValues&)>& f,
    const BatchTypes& batch) {
  auto graph = std::make_unique<ir::Graph>();
  const ir::Tracing tracing(*graph);
  nn::bind_inputs(*graph, params);
  graph->set_outputs(f(batch_inputs(*graph, batch)));
  return graph;
}

}  // namespace kexue::train
