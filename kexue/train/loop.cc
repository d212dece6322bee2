#include "kexue/train/detail/loop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/data/prefetcher.h"
#include "kexue/io/printable.h"
#include "kexue/train/detail/bad_gradients.h"
#include "kexue/train/detail/gradient_groups.h"
#include "kexue/train/detail/process_memory.h"
#include "kexue/train/detail/records.h"
#include "kexue/train/detail/run_checkpoints.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/report.h"

namespace kexue::train {
namespace {

using data::Minibatch;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

int64_t parts_of(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// kInvalidArgument for a metric that the task does not have.
const RunConfig& checked(const RunConfig& config, const Task& task) {
  if (config.patience == 0) return config;
  std::vector<std::string> names;
  for (const auto& [name, _] : task.evaluation()->metrics()) {
    if (name == config.stop_metric) return config;
    names.push_back(name);
  }
  throw Error(Code::kInvalidArgument,
              fmt::format("early_stop.metric: this task has no \"{}\", but {}",
                          io::printable(config.stop_metric),
                          fmt::join(names, ", ")));
}

}  // namespace

Loop::Loop(const runtime::Session& session,
           const RunConfig& config,
           Task& task,
           Observer& observer,
           const std::atomic<bool>& stop)
    : session_(session),
      config_(checked(config, task)),
      task_(task),
      observer_(observer),
      stop_(stop),
      step_(run_step(config, task)),
      engine_(session,
              step_.params,
              step_.loss,
              step_.plan.optimizer,
              step_.options),
      source_(task.train_batches()),
      checkpoints_(
          std::make_unique<detail::RunCheckpoints>(config, session, observer)),
      folder_(checkpoints_->in_place() ? RunFolder::reopened(config.folder)
                                       : RunFolder(config.folder)),
      recorder_(config, config.folder, observer) {
  per_epoch_ = source_->batches_per_epoch();
  total_ = config.max_steps > 0
               ? config.max_steps
               : parts_of(config.epochs * per_epoch_, config.accumulate);
  hyper_ = {.lr = config.lr,
            .warmup_steps =
                std::round(config.warmup_ratio * static_cast<double>(total_)),
            .total_steps = static_cast<double>(total_)};
  result_.folder = config.folder;
  result_.padding_share = source_->padding_share();
}

// A checkpoint under way needs the folder and its lock.
Loop::~Loop() {
  checkpoints_.reset();
}

FineTuneResult Loop::run() {
  resume();
  folder_.write("config.toml", to_toml(config_));
  const std::string environment = detail::environment_json(session_, config_);
  folder_.write("environment.json", environment);
  recorder_.begin(state_.step, environment);
  try {
    announce();
    train();
    finish();
  } catch (const Error& e) {
    record_error(e);
    throw;
  }
  return result_;
}

void Loop::train() {
  const auto begin = Clock::now();
  source_->seek(state_.position);
  const int64_t wanted = total_ * config_.accumulate;
  int64_t made = state_.step * config_.accumulate;
  data::Prefetcher<Minibatch> batches([&]() -> std::optional<Minibatch> {
    if (made++ == wanted) return std::nullopt;
    Minibatch batch = source_->next();
    task_.prepare(batch, Task::Phase::kTrain);
    return batch;
  });
  const auto more = [&] { return !stop_ && !out_of_patience(); };
  while (state_.step < total_ && (gathered_.batches > 0 || more())) {
    const auto waiting = Clock::now();
    const auto batch = batches.next();
    if (!batch) throw Error(Code::kInternal, "train: out of batches");
    const int64_t epoch = state_.position.epoch;
    one_step(*batch, seconds_since(waiting));
    checkpoints_->poll();
    if (gathered_.batches > 0) continue;
    const bool last = state_.step == total_;
    score_.reset();
    const bool due_eval = config_.eval_every > 0
                              ? state_.step % config_.eval_every == 0
                              : state_.position.epoch > epoch;
    if (last || due_eval) evaluate("dev");
    result_.train_s = trained_s_ + seconds_since(begin);
    const bool due = config_.save_every > 0 &&
                     (last || score_ || state_.step % config_.save_every == 0);
    if (due) save(score_);
  }
  result_.stopped_early = out_of_patience() && state_.step < total_;
  result_.interrupted =
      stop_ || (result_.steps < total_ && !result_.stopped_early);
  result_.train_s = trained_s_ + seconds_since(begin);
}

void Loop::one_step(const Minibatch& batch, double input_s) {
  const double compiled = engine_.compile_report().seconds;
  detail::explain_dtype(session_, precision_from_name(config_.precision), [&] {
    engine_.prepare(types_of(batch.arrays));
  });
  const double compile_s = engine_.compile_report().seconds - compiled;
  const auto begin = Clock::now();
  const Metrics m = engine_.step(batch.arrays, hyper_);
  gathered_.step_s += seconds_since(begin);
  gathered_.input_s += input_s;
  gathered_.compile_s += compile_s;
  gather(m, batch);
  if (gathered_.batches < config_.accumulate) return;
  StepReport r = report_of(gathered_.metrics, gathered_.all);
  r.padded_tokens = gathered_.padded_tokens;
  r.step_s = gathered_.step_s;
  r.input_s = gathered_.input_s;
  r.compile_s = gathered_.compile_s;
  gathered_ = {};
  ++state_.step;
  state_.position = batch.next;
  after_step(r, batch);
}

// What the loss reports are sums; the rest is that of the update.
void Loop::gather(const Metrics& metrics, const Minibatch& batch) {
  constexpr std::string_view kOfUpdate[] = {
      "loss", "grad_norm", "lr", "finite", "scale"};
  for (const auto& [name, value] : metrics) {
    const bool of_update = std::count(
        std::begin(kOfUpdate), std::end(kOfUpdate), std::string_view(name));
    double& sum = gathered_.metrics[name];
    sum = of_update ? value : sum + value;
  }
  gathered_.padded_tokens += batch.arrays.at("ids").size();
  if (gathered_.batches++ == 0) {
    gathered_.all = batch;
    return;
  }
  Minibatch& all = gathered_.all;
  all.rows.insert(all.rows.end(), batch.rows.begin(), batch.rows.end());
  all.tokens += batch.tokens;
}

StepReport Loop::report_of(const Metrics& m, const Minibatch& batch) const {
  StepReport r;
  r.step = state_.step + 1;
  r.total_steps = total_;
  r.epoch = batch.epoch;
  r.loss = m.at("loss");
  r.metrics = task_.step_metrics(m, batch);
  r.lr = m.at("lr");
  r.grad_norm = m.at("grad_norm");
  r.grad_norms = detail::group_norms(m);
  r.rss_bytes = detail::resident_bytes();
  r.scale = m.at("scale");
  r.tokens = batch.tokens;
  for (const auto& [name, value] : m) {
    if (name.find('/') != std::string::npos) r.groups.emplace_back(name, value);
  }
  r.finite = m.at("finite") != 0;
  r.skipped =
      !r.finite && step_.options.step.loss_scale.kind != LossScale::Kind::kNone;
  return r;
}

void Loop::after_step(const StepReport& r, const Minibatch& batch) {
  if (result_.first_step_s == 0) result_.first_step_s = seconds_since(started_);
  result_.steps = r.step;
  result_.step_s += r.step_s;
  result_.input_s += r.input_s;
  tokens_ += r.tokens;
  folder_.append_metrics(detail::to_json(r));
  recorder_.step(r);
  observer_.step(r);
  if (!r.finite && !r.skipped) refuse_non_finite(r, batch);
  result_.skipped += r.skipped ? 1 : 0;
  state_.skips = r.skipped ? state_.skips + 1 : 0;
  const bool falling = r.skipped && config_.loss_scale == "dynamic";
  if (state_.skips >= config_.max_skips ||
      (falling && r.scale * 0.5 < config_.min_loss_scale)) {
    refuse_skips(r, batch);
  }
}

// Nothing if there is no such split, or when interrupted.
void Loop::evaluate(const std::string& split) {
  const auto batches = stop_ ? nullptr : task_.eval_batches(split);
  if (!batches) return;
  const auto begin = Clock::now();
  const auto evaluation = task_.evaluation();
  detail::PredictionCollector rows(task_.classes());
  EvalReport r;
  for (int64_t i = 0; i < batches->batches_per_epoch(); ++i) {
    if (stop_) return;
    Minibatch batch = batches->next();
    task_.prepare(batch, Task::Phase::kEvaluate);
    const auto outputs = engine_.forward(
        "eval",
        [&](const BatchValues& b) { return task_.evaluate(b); },
        batch.arrays);
    evaluation->add(outputs, batch);
    rows.add(outputs, batch);
    r.rows += batch.real_rows();
  }
  r.split = split;
  r.step = result_.steps;
  r.metrics = evaluation->metrics();
  r.loss = r.metrics.at(0).second;
  r.metrics.erase(r.metrics.begin());
  r.seconds = seconds_since(begin);
  folder_.append_metrics(detail::to_json(r));
  record_rows(r, rows);
  result_.evals.push_back(r);
  observer_.eval(r);
  if (split == "dev") after_evaluation(r);
}

// Says which checkpoint is the best; with early stopping, keeps the best model
// so far in memory and as model/.
void Loop::after_evaluation(const EvalReport& r) {
  const double score = score_of(r);
  if (config_.patience > 0) ++state_.worse;
  if (std::isnan(score) || (best_ && score <= *best_)) return;
  best_ = score_ = score;
  if (config_.patience == 0) return;
  state_.best_step = r.step;
  state_.worse = 0;
  best_params_ = engine_.save_params();
  task_.save_model(folder_, best_params_);
  observer_.saved(folder_.model_path(), r.step);
}

bool Loop::out_of_patience() const {
  return config_.patience > 0 && state_.worse >= config_.patience;
}

void Loop::record_rows(const EvalReport& r,
                       const detail::PredictionCollector& rows) {
  if (rows.empty()) {
    recorder_.eval(r, nullptr);
    return;
  }
  const auto predictions =
      rows.finish(r.split, r.step, [&](std::span<const int32_t> ids) {
        return task_.text_of(ids);
      });
  folder_.write(detail::predictions_file(r.split),
                detail::to_json(predictions));
  recorder_.eval(r, &predictions);
}

void Loop::save_model() {
  const auto params = engine_.save_params();
  recorder_.parameters(result_.steps, step_.params, params);
  task_.save_model(folder_, params);
  observer_.saved(folder_.model_path(), result_.steps);
}

// The model first: whatever fails after it costs no training.
void Loop::finish() {
  if (result_.interrupted) save({});
  if (state_.best_step > 0) {
    observer_.message(
        fmt::format("the best dev {} came after step {}: this is the model "
                    "that is kept",
                    config_.stop_metric,
                    state_.best_step));
    engine_.start(best_params_);
  } else {
    save_model();
  }
  checkpoints_->wait();
  if (!result_.interrupted) evaluate("test");
  const CompileReport& c = engine_.compile_report();
  result_.compile_s = c.seconds;
  result_.programs = c.programs;
  result_.from_cache = c.from_cache;
  const double busy = result_.step_s + result_.input_s;
  result_.tokens_per_s = busy > 0 ? static_cast<double>(tokens_) / busy : 0;
  result_.program_bytes = c.memory.total();
  result_.peak_rss_bytes = detail::peak_resident_bytes();
  folder_.append_metrics(detail::to_json(result_));
  folder_.sync_metrics();
  recorder_.end(result_);
  write_report(folder_.path());
}

// Best effort: the disk may be what failed.
void Loop::record_error(const Error& error) {
  try {
    folder_.append_metrics(detail::error_json(error.text(), result_.steps));
  } catch (const Error&) {
  }
  try {
    checkpoints_->wait();
  } catch (const Error& also) {
    observer_.message("warning: " + also.text());
  }
  recorder_.fail(error.text());
}

}  // namespace kexue::train
