#include "kexue/train/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "kexue/base/error.h"
#include "kexue/transforms/check_numerics.h"

namespace kexue::train {
namespace {

using Clock = std::chrono::steady_clock;

std::string signature(const BatchTypes& types) {
  std::string s;
  for (const auto& [name, type] : types) s += name + ":" + type.str() + ";";
  return s;
}

}  // namespace

BatchTypes types_of(const HostBatch& batch) {
  BatchTypes types;
  for (const auto& [name, array] : batch) types[name] = array.type();
  return types;
}

Engine::Engine(const runtime::Session& session,
               nn::ParamList params,
               LossFunction loss,
               std::shared_ptr<const optim::Optimizer> optimizer,
               EngineOptions options)
    : session_(&session),
      params_(std::move(params)),
      loss_(std::move(loss)),
      optimizer_(std::move(optimizer)),
      options_(std::move(options)),
      layout_(state_layout(params_, *optimizer_, options_.step.accumulate)),
      shardings_(state_shardings(params_,
                                 *optimizer_,
                                 options_.step.parallel,
                                 options_.step.accumulate)) {
  options_.compile.compute = options_.compute;
  options_.step.compute = options_.compute;
  options_.compile.mesh = options_.step.parallel.mesh;
}

runtime::ShardedArray Engine::place(const HostArray& array,
                                    const Sharding& sharding) const {
  return session_->to_devices(array, options_.step.parallel.mesh, sharding);
}

std::vector<runtime::ShardedArray> Engine::upload_batch(
    const HostBatch& batch) const {
  std::vector<runtime::ShardedArray> out;
  for (const auto& [name, array] : batch) {
    out.push_back(place(
        array, batch_sharding(options_.step.parallel, name, array.type())));
  }
  return out;
}

void Engine::start(std::vector<HostArray> params) {
  upload(initial_state(layout_, std::move(params), options_.step));
}

void Engine::restore(std::vector<HostArray> state) {
  upload(state);
}

void Engine::upload(const std::vector<HostArray>& state) {
  if (state.size() != layout_.size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("training state has {} tensors, got {}",
                            layout_.size(),
                            state.size()));
  }
  std::vector<runtime::ShardedArray> fresh;
  for (size_t i = 0; i < state.size(); ++i) {
    if (state[i].type() != layout_.types[i]) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("training state: \"{}\" must be {}, got {}",
                              layout_.names[i],
                              layout_.types[i].str(),
                              state[i].type().str()));
    }
    fresh.push_back(place(state[i], shardings_[i]));
  }
  state_ = std::move(fresh);
  micro_ = options_.step.accumulate > 1
               ? state[layout_.index("micro")].to_ints()[0]
               : 0;
  evaluated_.clear();
}

std::vector<HostArray> Engine::save() const {
  std::vector<HostArray> out;
  for (const auto& b : state_) out.push_back(b.to_host());
  return out;
}

// Parameter i at the point to evaluate.
const runtime::ShardedArray& Engine::evaluated(size_t param) {
  if (!optimizer_->moves_evaluation()) return state_.at(param);
  if (!evaluation_) {
    const auto begin = Clock::now();
    auto compile = options_.compile;
    compile.compute = DType::kF32;
    compile.in = shardings_;
    compile.out.assign(
        shardings_.begin(),
        shardings_.begin() + static_cast<long>(layout_.num_params));
    evaluation_ = std::make_unique<runtime::Program>(session_->compile(
        *build_evaluation(params_, *optimizer_, options_.step.accumulate),
        compile));
    count(evaluation_->stats(),
          std::chrono::duration<double>(Clock::now() - begin).count());
  }
  if (evaluated_.empty()) {
    std::vector<const runtime::ShardedArray*> args;
    for (const auto& b : state_) args.push_back(&b);
    evaluated_ = evaluation_->run_sharded(args);
  }
  return evaluated_.at(param);
}

std::vector<HostArray> Engine::save_params() {
  std::vector<HostArray> out;
  for (size_t i = 0; i < layout_.num_params; ++i) {
    out.push_back(evaluated(i).to_host());
  }
  return out;
}

StateBytes Engine::state_bytes() const {
  StateBytes out;
  const size_t tensors = layout_.index("step");  // the counters come last
  for (size_t i = 0; i < std::min(tensors, state_.size()); ++i) {
    (i < layout_.num_params ? out.params : out.slots) +=
        state_[i].bytes_per_device();
  }
  return out;
}

void Engine::count(const runtime::CompileStats& stats, double seconds) {
  ++report_.programs;
  report_.from_cache += stats.from_cache ? 1 : 0;
  report_.seconds += seconds;
}

void Engine::note_memory(const runtime::Program& program) {
  try {
    const auto memory = program.memory();
    if (memory.total() > report_.memory.total()) report_.memory = memory;
  } catch (const Error& e) {
    if (e.code() != Code::kUnsupported) throw;
  }
}

Phase Engine::next_phase() const {
  return micro_ + 1 < options_.step.accumulate ? Phase::kAdd : Phase::kUpdate;
}

Engine::StepProgram& Engine::step_program(const BatchTypes& types,
                                          Phase phase) {
  const std::string key =
      signature(types) + (phase == Phase::kAdd ? "add" : "");
  const auto found = steps_.find(key);
  if (found != steps_.end()) return found->second;
  const auto begin = Clock::now();
  StepGraph made =
      build_step(params_, loss_, *optimizer_, types, options_.step, phase);
  auto compile = options_.compile;
  compile.alias = made.alias;
  compile.in = made.in;
  compile.out = made.out;
  StepProgram p;
  p.program = std::make_unique<runtime::Program>(
      session_->compile(*made.graph, compile));
  p.changes = made.changes;
  p.metric_names = made.metric_names;
  note_memory(*p.program);
  count(p.program->stats(),
        std::chrono::duration<double>(Clock::now() - begin).count());
  return steps_.emplace(key, std::move(p)).first->second;
}

void Engine::prepare(const BatchTypes& types) {
  step_program(types, next_phase());
}

std::vector<runtime::ShardedArray> Engine::run_step(
    const runtime::Program& program,
    const HostBatch& batch,
    const Hyper& hyper) const {
  if (state_.empty()) {
    throw Error(Code::kInternal, "train: step before start");
  }
  const auto fields = upload_batch(batch);
  const auto scalars = place(hyper.array(), {});
  std::vector<const runtime::ShardedArray*> args;
  for (const auto& b : state_) args.push_back(&b);
  for (const auto& b : fields) args.push_back(&b);
  args.push_back(&scalars);
  return program.run_sharded(args);
}

Metrics Engine::step(const HostBatch& batch, const Hyper& hyper) {
  const StepProgram& p = step_program(types_of(batch), next_phase());
  auto out = run_step(*p.program, batch, hyper);
  const HostArray values = out.back().to_host();
  out.pop_back();
  for (size_t i = 0; i < out.size(); ++i) {
    state_[p.changes[i]] = std::move(out[i]);
  }
  micro_ = (micro_ + 1) % options_.step.accumulate;
  evaluated_.clear();
  Metrics metrics;
  for (size_t i = 0; i < p.metric_names.size(); ++i) {
    metrics[p.metric_names[i]] = values.at(static_cast<int64_t>(i));
  }
  return metrics;
}

std::string Engine::first_non_finite(const HostBatch& batch,
                                     const Hyper& hyper) {
  const StepGraph step =
      build_step(params_, loss_, *optimizer_, types_of(batch), options_.step);
  const auto checked = transforms::check_numerics(*step.graph);
  // Only the verdict: nothing of the next state is kept.
  checked.graph->set_outputs({checked.graph->outputs().back()});
  auto compile = options_.compile;
  compile.unroll = 0;  // it runs once: compile fast
  compile.in = step.in;
  const auto program = session_->compile(*checked.graph, compile);
  const auto found = run_step(program, batch, hyper).at(0).to_host();
  const int64_t at = found.to_ints()[0];
  return at < 0 ? "" : checked.ops.at(static_cast<size_t>(at)).str();
}

std::vector<HostArray> Engine::forward(
    const std::string& name,
    const std::function<Values(const BatchValues&)>& f,
    const HostBatch& batch) {
  const BatchTypes types = types_of(batch);
  auto& slot = forwards_[name + "|" + signature(types)];
  if (!slot) {
    const auto begin = Clock::now();
    const auto graph = build_forward(params_, f, types);
    auto compile = options_.compile;
    compile.in.assign(
        shardings_.begin(),
        shardings_.begin() + static_cast<long>(layout_.num_params));
    for (const auto& [field, type] : types) {
      compile.in.push_back(batch_sharding(options_.step.parallel, field, type));
    }
    slot =
        std::make_unique<runtime::Program>(session_->compile(*graph, compile));
    count(slot->stats(),
          std::chrono::duration<double>(Clock::now() - begin).count());
  }
  const auto fields = upload_batch(batch);
  std::vector<const runtime::ShardedArray*> args;
  for (size_t i = 0; i < layout_.num_params; ++i) args.push_back(&evaluated(i));
  for (const auto& b : fields) args.push_back(&b);
  std::vector<HostArray> out;
  for (const auto& b : slot->run_sharded(args)) out.push_back(b.to_host());
  return out;
}

}  // namespace kexue::train
