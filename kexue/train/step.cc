#include "kexue/train/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/nn/layers.h"
#include "kexue/ops/ops.h"
#include "kexue/train/detail/group_metrics.h"
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
  Value micro, loss_sum;  // with accumulation
};

class Builder final {
 public:
  Builder(const nn::ParamList& params,
          const optim::Optimizer& optimizer,
          const StepOptions& options)
      : params_(params),
        optimizer_(optimizer),
        options_(options),
        layout_(state_layout(params, optimizer, options.accumulate)),
        scaled_(options.loss_scale.kind != LossScale::Kind::kNone) {}

  StepGraph build(const LossFunction& loss,
                  const BatchTypes& batch,
                  Phase phase) {
    StepGraph out;
    out.graph = std::make_unique<ir::Graph>();
    const ir::Tracing tracing(*out.graph);
    inputs(*out.graph);
    const BatchValues fields = batch_inputs(*out.graph, batch);
    const Value hyper = out.graph->input({DType::kF32, {3}}, "hyper");
    LossResult result = [&] {
      const nn::RandomScope random(*out.graph,
                                   ops::fold_in(old_.key, attempt()));
      return loss(fields);
    }();
    Values grads = gradients(result.loss);
    const Scope scope("optimizer");
    for (size_t i = 0; i < grads.size(); ++i) grads[i] = as_slot(grads[i], i);
    if (phase == Phase::kAdd) {
      finish(out, batch, add_to_sums(grads, result.loss, &out), {}, result);
      return out;
    }
    if (accumulates()) take_means(&grads, &result.loss);
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
    for (const Value& sum : sums_) state.push_back(ops::zeros_like(sum));
    append_counters(state, finite);
    if (accumulates()) {
      state.push_back(scalar_i32(old_.micro, 0));
      state.push_back(ops::zeros_like(old_.loss_sum));
    }
    for (size_t i = 0; i < state.size(); ++i) out.changes.push_back(i);
    Named metrics = {{"grad_norm", clipped.norm},
                     {"lr", lr},
                     {"finite", ops::convert(finite, DType::kF32)},
                     {"scale", old_.scale}};
    for (const optim::Group& group : options_.groups) {
      metrics.emplace_back(kGroupNorm + group.name,
                           optim::l2_norm(optim::part(grads, group)));
    }
    if (options_.group_metrics) {
      const Values after(state.begin(), state.begin() + num_params());
      for (auto& metric : detail::group_metrics(params_,
                                                {.before = values_,
                                                .after = after,
                                                .grads = grads,
                                                .compute = options_.compute})) {
        metrics.push_back(std::move(metric));
      }
    }
    finish(out, batch, state, metrics, result);
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
  using Named = std::vector<std::pair<std::string, Value>>;

  bool accumulates() const { return options_.accumulate > 1; }

  // A number of its own for each batch, for random bits.
  Value attempt() const {
    const Value updates = old_.step + old_.skipped;
    if (!accumulates()) return updates;
    const auto k = static_cast<int32_t>(options_.accumulate);
    return updates * scalar_i32(updates, k) + old_.micro;
  }

  // The sums with one batch more, in the order of out->changes.
  Values add_to_sums(const Values& grads,
                     const Value& loss,
                     StepGraph* out) const {
    Values state;
    const size_t first = layout_.index("step") - sums_.size();
    for (size_t i = 0; i < sums_.size(); ++i) {
      state.push_back(sums_[i] + grads[i]);
      out->changes.push_back(first + i);
    }
    state.push_back(old_.micro + scalar_i32(old_.micro, 1));
    out->changes.push_back(layout_.index("micro"));
    state.push_back(old_.loss_sum + loss);
    out->changes.push_back(layout_.index("loss_sum"));
    return state;
  }

  void take_means(Values* grads, Value* loss) const {
    const double part = 1.0 / static_cast<double>(options_.accumulate);
    for (size_t i = 0; i < grads->size(); ++i) {
      (*grads)[i] = (sums_[i] + (*grads)[i]) * part;
    }
    *loss = (old_.loss_sum + *loss) * part;
  }

  // Outputs, what is donated to them, and how both lie on the mesh.
  void finish(StepGraph& out,
              const BatchTypes& batch,
              Values outputs,
              const Named& of_step,
              const LossResult& result) const {
    Named all = {{"loss", result.loss}};
    all.insert(all.end(), of_step.begin(), of_step.end());
    all.insert(all.end(), result.metrics.begin(), result.metrics.end());
    Values metrics;
    for (const auto& [name, value] : all) {
      out.metric_names.push_back(name);
      metrics.push_back(ops::reshape(value, {1}));
    }
    outputs.push_back(ops::concatenate(metrics, 0));
    out.graph->set_outputs(outputs);
    out.in = state_shardings(
        params_, optimizer_, options_.parallel, options_.accumulate);
    out.alias.assign(layout_.size(), -1);
    for (size_t i = 0; i < out.changes.size(); ++i) {
      out.alias[out.changes[i]] = static_cast<int64_t>(i);
      out.out.push_back(out.in[out.changes[i]]);
    }
    for (const auto& [name, type] : batch) {
      out.in.push_back(batch_sharding(options_.parallel, name, type));
    }
  }

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
    for (size_t i = 0; accumulates() && i < params_.size(); ++i, ++at) {
      sums_.push_back(graph.input(layout_.types[at], layout_.names[at]));
    }
    const auto counter = [&](const char* name) {
      return graph.input(layout_.types[layout_.index(name)], name);
    };
    old_.step = counter("step");
    old_.skipped = counter("skipped");
    old_.clean = counter("clean");
    old_.scale = counter("scale");
    old_.key = counter("key");
    if (!accumulates()) return;
    old_.micro = counter("micro");
    old_.loss_sum = counter("loss_sum");
  }

  long num_params() const { return static_cast<long>(params_.size()); }

  // f32 gradients of the mean loss, unscaled if the options say so.
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
      if (scaled_ && options_.loss_scale.unscale) g = g * inverse;
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
  Values sums_;                // of gradients; empty without accumulation
  Counters old_;
};

}  // namespace

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
                     const StepOptions& options,
                     Phase phase) {
  if (options.accumulate < 1 ||
      (phase == Phase::kAdd && options.accumulate == 1)) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("train: an update from {} batches", options.accumulate));
  }
  return Builder(params, optimizer, options).build(loss, batch, phase);
}

std::unique_ptr<ir::Graph> build_evaluation(const nn::ParamList& params,
                                            const optim::Optimizer& optimizer,
                                            int64_t accumulate) {
  StepOptions options;
  options.accumulate = accumulate;
  return Builder(params, optimizer, options).build_evaluation();
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
