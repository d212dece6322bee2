#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "kexue/train/detail/run_checkpoints.h"
#include "kexue/train/loop.h"

namespace kexue::train {

// What was found on disk, or the start.
void Loop::resume() {
  auto resumed = checkpoints_->resume(engine_.layout());
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
  engine_.restore(std::move(resumed->state));
  state_ = p.loop;
  result_.steps = p.loop.step;
  result_.step_s = p.step_s;
  result_.input_s = p.input_s;
  result_.evals = p.evals;
  tokens_ = p.tokens;
  trained_s_ = p.train_s;
  best_ = p.best;
  observer_.message(
      fmt::format("going on from step {} of {}", p.loop.step, resumed->path));
}

// A dev split says which checkpoint is the best.
void Loop::note_score(const EvalReport& r) {
  const bool has_headline = !r.metrics.empty();
  const double value = has_headline ? r.metrics[0].second : r.loss;
  const bool more = has_headline && more_is_better(r.metrics[0].first);
  const double score = more ? value : -value;
  if (std::isnan(score) || (best_ && score <= *best_)) return;
  best_ = score_ = score;
}

void Loop::save(const std::optional<double>& score) {
  if (checkpoints_->last_step() == state_.step) return;
  detail::Progress p{.loop = state_,
                     .metrics_bytes = folder_.sync_metrics(),
                     .tokens = tokens_,
                     .train_s = result_.train_s,
                     .step_s = result_.step_s,
                     .input_s = result_.input_s,
                     .evals = result_.evals,
                     .best = best_,
                     .config = {}};
  if (checkpoints_->save(
          engine_.layout(), engine_.save(), std::move(p), score)) {
    observer_.saved(checkpoints_->path(state_.step), state_.step);
  }
}

}  // namespace kexue::train
