#include "kexue/train/fine_tune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/data/prefetcher.h"
#include "kexue/losses/losses.h"
#include "kexue/models/bert.h"
#include "kexue/ops/ops.h"
#include "kexue/train/detail/bad_gradients.h"
#include "kexue/train/detail/records.h"
#include "kexue/train/detail/run_data.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/report.h"
#include "kexue/train/run_folder.h"

namespace kexue::train {
namespace {

using Clock = std::chrono::steady_clock;
using data::Minibatch;

constexpr int64_t kEvalRows = 64;    // of a batch, at least
constexpr int64_t kMostSkips = 100;  // in a row

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

LossFunction classifier_loss(const models::Bert& model) {
  return [&model](const BatchValues& b) -> LossResult {
    const Value logits = model.classify(detail::bert_inputs(b));
    return {losses::cross_entropy(logits, b.at("label"), b.at("weight")),
            {{"correct",
              losses::correct_count(logits, b.at("label"), b.at("weight"))}}};
  };
}

// Sums over the rows of a batch: loss, right answers, rows; f32[3].
Values eval_sums(const models::Bert& model, const BatchValues& b) {
  const Value logits = model.classify(detail::bert_inputs(b));
  const Value& weight = b.at("weight");
  const Value rows = ops::sum(weight);
  const Value loss = losses::cross_entropy(logits, b.at("label"), weight);
  const Value correct = losses::correct_count(logits, b.at("label"), weight);
  Values parts = {loss * rows, correct, rows};
  for (Value& v : parts) v = ops::reshape(v, {1});
  return {ops::concatenate(parts, 0)};
}

EngineOptions engine_options(const RunConfig& c) {
  EngineOptions o;
  o.compute = precision_from_name(c.precision);
  o.step.clip_norm = c.clip_norm;
  o.step.seed = c.seed;
  o.step.parallel = parallel_of(c);
  if (o.compute == DType::kF16) {
    o.step.loss_scale = loss_scale_from_name(c.loss_scale);
  }
  return o;
}

// Of a batch in evaluation: as many for every device.
int64_t eval_rows(const RunConfig& c) {
  const int64_t rows = std::max(c.batch_size, kEvalRows);
  return (rows + c.mesh_data - 1) / c.mesh_data * c.mesh_data;
}

std::shared_ptr<const optim::Optimizer> make_optimizer(const RunConfig& c) {
  optim::AdamWOptions o;
  o.weight_decay = c.weight_decay;
  return std::make_shared<optim::AdamW>(o);
}

class Run final {
 public:
  Run(const runtime::Session& session,
      const RunConfig& config,
      Observer& observer,
      const std::atomic<bool>& stop)
      : session_(session),
        config_(config),
        observer_(observer),
        stop_(stop),
        data_(detail::read_run_data(
            config, [&](const std::string& m) { observer.message(m); })),
        model_(
            {.config = data_.model.config, .remat = config.remat == "layer"}),
        params_(model_.parameters()),
        loss_(classifier_loss(model_)),
        engine_(session,
                params_,
                loss_,
                make_optimizer(config),
                engine_options(config)),
        batcher_(data_.find("train")->examples,
                 data_.buckets,
                 {.batch_size = config.batch_size,
                  .key = detail::run_key(config, detail::Purpose::kShuffle),
                  .pad_id = data_.pad_id}),
        folder_(config.folder) {
    per_epoch_ = batcher_.batches_per_epoch();
    total_ =
        config.max_steps > 0 ? config.max_steps : config.epochs * per_epoch_;
    hyper_ = {.lr = config.lr,
              .warmup_steps =
                  std::round(config.warmup_ratio * static_cast<double>(total_)),
              .total_steps = static_cast<double>(total_)};
    result_.folder = config.folder;
    result_.padding_share = batcher_.padding_share();
  }

  FineTuneResult run() {
    folder_.write("config.toml", to_toml(config_));
    folder_.write("environment.json",
                  detail::environment_json(session_, config_));
    try {
      engine_.start(std::move(data_.model.values));
      announce();
      train();
      finish();
    } catch (const Error& e) {
      record_error(e);
      throw;
    }
    return result_;
  }

 private:
  void announce() {
    const auto& lengths = data_.buckets.lengths();
    observer_.message(
        fmt::format("lengths {}: {} programs for the step (budget {}), {:.1f} "
                    "% padding",
                    fmt::join(lengths, " "),
                    lengths.size(),
                    config_.max_buckets,
                    100 * result_.padding_share));
    const Mesh mesh = parallel_of(config_).mesh;
    if (mesh.devices() > 1) {
      const auto bytes = engine_.state_bytes();
      observer_.message(
          fmt::format("mesh {}: {:.1f} MB of parameters and {:.1f} MB of "
                      "optimizer slots a device",
                      mesh.str(),
                      static_cast<double>(bytes.params) * 1e-6,
                      static_cast<double>(bytes.slots) * 1e-6));
    }
    const DType compute = precision_from_name(config_.precision);
    const bool scaled = config_.loss_scale != "none";
    if (compute == DType::kBF16 && !session_.platform().fast_bf16) {
      observer_.message(
          "warning: this processor has no bf16 products: f32 is faster");
    }
    if (compute == DType::kF16 && !scaled) {
      observer_.message(
          "warning: fp16 without loss scale: gradients of at most 2^-25 = "
          "2.98e-08 flush to zero; set train.loss_scale = \"dynamic\"");
    }
    if (compute != DType::kF16 && scaled) {
      observer_.message(
          fmt::format("warning: loss scale \"{}\" is ignored: {} has the range "
                      "of f32",
                      config_.loss_scale,
                      config_.precision));
    }
  }

  void train() {
    const auto begin = Clock::now();
    int64_t made = 0;
    data::Prefetcher<Minibatch> batches([&]() -> std::optional<Minibatch> {
      if (made++ == total_) return std::nullopt;
      return batcher_.next();
    });
    for (int64_t s = 1; s <= total_ && !stop_; ++s) {
      const auto waiting = Clock::now();
      const auto batch = batches.next();
      if (!batch) throw Error(Code::kInternal, "train: out of batches");
      one_step(s, *batch, seconds_since(waiting));
      const bool last = s == total_;
      if (last || s % per_epoch_ == 0) evaluate("dev");
      if (!last && config_.save_every > 0 && s % config_.save_every == 0) {
        save();
      }
    }
    result_.interrupted = result_.steps < total_ || stop_;
    result_.train_s = seconds_since(begin);
  }

  void one_step(int64_t s, const Minibatch& batch, double input_s) {
    StepReport r;
    const double compiled = engine_.compile_report().seconds;
    detail::explain_dtype(session_,
                          precision_from_name(config_.precision),
                          [&] { engine_.prepare(types_of(batch.arrays)); });
    r.compile_s = engine_.compile_report().seconds - compiled;
    const auto begin = Clock::now();
    const Metrics m = engine_.step(batch.arrays, hyper_);
    r.step_s = seconds_since(begin);
    if (s == 1) result_.first_step_s = seconds_since(started_);
    const auto rows = std::count_if(batch.rows.begin(),
                                    batch.rows.end(),
                                    [](int64_t row) { return row >= 0; });
    r.step = s;
    r.total_steps = total_;
    r.epoch = (s - 1) / per_epoch_;
    r.loss = m.at("loss");
    r.accuracy = m.at("correct") / static_cast<double>(rows);
    r.lr = m.at("lr");
    r.grad_norm = m.at("grad_norm");
    r.scale = m.at("scale");
    r.tokens = batch.tokens;
    r.padded_tokens = batch.arrays.at("ids").size();
    r.input_s = input_s;
    const bool scaled =
        engine_options(config_).step.loss_scale.kind != LossScale::Kind::kNone;
    r.skipped = scaled && m.at("finite") == 0;
    report(r);
    if (!scaled && m.at("finite") == 0) refuse_non_finite(r, batch);
    skips_ = r.skipped ? skips_ + 1 : 0;
    if (skips_ == kMostSkips) refuse_skips(batch);
  }

  void report(const StepReport& r) {
    result_.steps = r.step;
    result_.step_s += r.step_s;
    result_.input_s += r.input_s;
    tokens_ += r.tokens;
    folder_.append_metrics(detail::to_json(r));
    observer_.step(r);
  }

  // "; the first op to go wrong is log in ... at ..."
  std::string first_culprit(const Minibatch& batch) {
    const std::string op = engine_.first_non_finite(batch.arrays, hyper_);
    return op.empty() ? op : "; the first op to go wrong is " + op;
  }

  [[noreturn]] void refuse_non_finite(const StepReport& r,
                                      const Minibatch& batch) {
    const char* what =
        std::isfinite(r.loss) ? "the gradient's norm" : "the loss";
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "step {}: {} is not finite{}", r.step, what, first_culprit(batch)),
        config_.precision == "fp16" || config_.precision == "f16"
            ? "set train.loss_scale = \"dynamic\", or use bf16"
            : "try a smaller lr, or more warm-up");
  }

  [[noreturn]] void refuse_skips(const Minibatch& batch) {
    const std::string name =
        detail::first_bad_gradient(engine_, params_, loss_, batch.arrays);
    throw Error(
        Code::kInvalidArgument,
        fmt::format("{} steps skipped in a row: non-finite gradients "
                    "independent of the scale; first bad tensor: {}{}",
                    kMostSkips,
                    name.empty() ? "none without dropout and scale" : name,
                    first_culprit(batch)),
        "a smaller static loss scale, or bf16, may help");
  }

  // Nothing if there is no such split, or when interrupted.
  void evaluate(const std::string& name) {
    const detail::Split* split = data_.find(name);
    if (split == nullptr || stop_) return;
    const auto begin = Clock::now();
    data::Batcher batches(split->examples,
                          data_.buckets,
                          {.batch_size = eval_rows(config_),
                           .shuffle = false,
                           .pad_id = data_.pad_id});
    double sums[3] = {0, 0, 0};
    for (int64_t i = 0; i < batches.batches_per_epoch(); ++i) {
      if (stop_) return;
      const auto out = engine_.forward(
          "eval",
          [&](const BatchValues& b) { return eval_sums(model_, b); },
          batches.next().arrays);
      for (int64_t k = 0; k < 3; ++k) sums[k] += out[0].at(k);
    }
    EvalReport r;
    r.split = name;
    r.step = result_.steps;
    r.loss = sums[0] / sums[2];
    r.accuracy = sums[1] / sums[2];
    r.rows = static_cast<int64_t>(sums[2]);
    r.seconds = seconds_since(begin);
    folder_.append_metrics(detail::to_json(r));
    result_.evals.push_back(r);
    observer_.eval(r);
  }

  void save() {
    folder_.save_model(
        data_.model.config, engine_.save_params(), config_.model);
    observer_.saved(folder_.model_path(), result_.steps);
  }

  // The model first: whatever fails after it costs no training.
  void finish() {
    save();
    if (!result_.interrupted) evaluate("test");
    const CompileReport& c = engine_.compile_report();
    result_.compile_s = c.seconds;
    result_.programs = c.programs;
    result_.from_cache = c.from_cache;
    const double busy = result_.step_s + result_.input_s;
    result_.tokens_per_s = busy > 0 ? static_cast<double>(tokens_) / busy : 0;
    folder_.append_metrics(detail::to_json(result_));
    folder_.sync_metrics();
    write_report(folder_.path());
  }

  // Best effort: the disk may be what failed.
  void record_error(const Error& error) {
    try {
      folder_.append_metrics(detail::error_json(error.text(), result_.steps));
    } catch (const Error&) {
    }
  }

  const Clock::time_point started_ = Clock::now();
  const runtime::Session& session_;
  const RunConfig& config_;
  Observer& observer_;
  const std::atomic<bool>& stop_;
  detail::RunData data_;
  models::Bert model_;
  nn::ParamList params_;
  LossFunction loss_;
  Engine engine_;
  data::Batcher batcher_;
  RunFolder folder_;
  FineTuneResult result_;
  Hyper hyper_;
  int64_t per_epoch_ = 0;
  int64_t total_ = 0;
  int64_t skips_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace

FineTuneResult fine_tune(const runtime::Session& session,
                         const RunConfig& config,
                         Observer& observer,
                         const std::atomic<bool>& stop) {
  RunConfig resolved = config;
  if (resolved.folder.empty()) resolved.folder = dated_run_folder("run");
  check_run_config(resolved);
  RunFolder::refuse_used(resolved.folder);
  return Run(session, resolved, observer, stop).run();
}

}  // namespace kexue::train
