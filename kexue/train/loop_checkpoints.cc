#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "kexue/train/detail/loop.h"
#include "kexue/train/detail/run_checkpoints.h"

namespace kexue::train {
namespace {

// What a checkpoint holds: the engine's state and, with early stopping, the
// best parameters so far.
StateLayout saved_layout(const StateLayout& engine, bool stops_early) {
  StateLayout out = engine;
  if (!stops_early) return out;
  for (size_t i = 0; i < engine.num_params; ++i) {
    out.names.push_back("best/" + engine.names[i]);
    out.types.push_back(engine.types[i]);
  }
  return out;
}

}  // namespace

// What was found on disk, or the start.
void Loop::resume() {
  const bool stops = config_.patience > 0;
  auto resumed = checkpoints_->resume(saved_layout(engine_.layout(), stops));
  if (!resumed) {
    if (checkpoints_->in_place()) {
      folder_.refuse_finished();
      observer_.message(config_.folder +
                        ": no checkpoint yet, starting from the beginning");
      folder_.cut_metrics(0);
    }
    engine_.start(task_.take_values());
    return;
  }
  const detail::Progress& p = resumed->progress;
  source_->seek(p.loop.position);
  if (checkpoints_->in_place() && !folder_.cut_metrics(p.metrics_bytes)) {
    observer_.message("warning: metrics.jsonl lost lines of earlier steps");
  }
  const auto engine_end =
      resumed->state.begin() + static_cast<ptrdiff_t>(engine_.layout().size());
  best_params_.assign(engine_end, resumed->state.end());
  resumed->state.erase(engine_end, resumed->state.end());
  engine_.restore(std::move(resumed->state));
  state_ = p.loop;
  result_.steps = p.loop.step;
  result_.skipped = p.skipped;
  result_.step_s = p.step_s;
  result_.input_s = p.input_s;
  result_.evals = p.evals;
  tokens_ = p.tokens;
  trained_s_ = p.train_s;
  best_ = p.best;
  observer_.message(
      fmt::format("going on from step {} of {}", p.loop.step, resumed->path));
}

double Loop::score_of(const EvalReport& dev) const {
  const bool stops = config_.patience > 0;
  const bool has_headline = !dev.metrics.empty();
  const std::string name = stops          ? config_.stop_metric
                           : has_headline ? dev.metrics[0].first
                                          : "loss";
  const double value = name == "loss" ? dev.loss : metric(dev.metrics, name);
  const bool up = stops && config_.stop_mode != "auto"
                      ? config_.stop_mode == "max"
                      : name != "loss" && more_is_better(name);
  return up ? value : -value;
}

void Loop::save(const std::optional<double>& score) {
  if (checkpoints_->last_step() == state_.step) return;
  detail::Progress p{.loop = state_,
                     .metrics_bytes = folder_.metrics_bytes(),
                     .tokens = tokens_,
                     .skipped = result_.skipped,
                     .train_s = result_.train_s,
                     .step_s = result_.step_s,
                     .input_s = result_.input_s,
                     .evals = result_.evals,
                     .best = best_,
                     .config = {}};
  const bool stops = config_.patience > 0;
  std::vector<HostArray> state = engine_.save();
  if (stops) {
    if (best_params_.empty()) best_params_ = engine_.save_params();
    state.insert(state.end(), best_params_.begin(), best_params_.end());
  }
  checkpoints_->save(saved_layout(engine_.layout(), stops),
                     std::move(state),
                     std::move(p),
                     score,
                     [this] { folder_.sync_metrics(); });
}

}  // namespace kexue::train
