#include "kexue/cli/demo_timing.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "kexue/data/batcher.h"
#include "kexue/losses/losses.h"
#include "kexue/models/bert_files.h"
#include "kexue/optim/optimizer.h"
#include "kexue/runtime/op_by_op.h"
#include "kexue/train/engine.h"

namespace kexue::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 2;
constexpr size_t kBatches = 4;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// The model that fine_tune() trains, put together for one measurement.
struct Subject {
  models::LoadedBert loaded;
  std::unique_ptr<models::Bert> bert;
  train::LossFunction loss;
  std::shared_ptr<const optim::Optimizer> optimizer;
  train::StepOptions step;
  std::vector<train::HostBatch> batches;
};

// The first batches of the shape that an epoch has most of.
std::vector<train::HostBatch> frequent_batches(const train::RunConfig& config,
                                               const data::Dataset& rows) {
  const auto tokenizer = text::WordPiece::from_directory(config.model);
  auto examples = std::make_shared<data::Examples>(
      data::encode(rows, tokenizer, config.max_length));
  std::vector<int64_t> lengths;
  for (const auto& row : examples->rows) {
    lengths.push_back(static_cast<int64_t>(row.ids.size()));
  }
  data::Batcher batcher(
      examples,
      data::LengthBuckets::fitted(lengths, config.max_buckets),
      {.batch_size = config.batch_size,
       .key = Key::from_seed(config.seed),
       .pad_id = tokenizer.pad_id()});
  std::map<int64_t, int64_t> count;
  std::map<int64_t, std::vector<train::HostBatch>> first;
  for (int64_t i = 0; i < batcher.batches_per_epoch(); ++i) {
    auto batch = batcher.next();
    const int64_t length = batch.arrays.at("ids").shape()[1];
    ++count[length];
    auto& some = first[length];
    if (some.size() < kBatches) some.push_back(std::move(batch.arrays));
  }
  const auto most = std::max_element(
      count.begin(), count.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      });
  return first.at(most->first);
}

Subject subject_of(const train::RunConfig& config) {
  const auto rows = data::read_tsv(
      config.train_file,
      {.label_column = config.label_column, .text_column = config.text_column});
  Subject s;
  s.loaded = models::load_bert(
      config.model,
      {.new_labels = rows.classes, .key = Key::from_seed(config.seed)});
  s.loaded.config.dropout = config.dropout;
  s.loaded.config.attention_dropout = config.dropout;
  s.bert = std::make_unique<models::Bert>(
      models::Bert::Options{.config = s.loaded.config});
  s.loss = [bert = s.bert.get()](const train::BatchValues& b) {
    const Value logits = bert->classify(
        {.ids = b.at("ids"), .types = b.at("types"), .mask = b.at("mask")});
    return train::LossResult{
        losses::cross_entropy(logits, b.at("label"), b.at("weight")),
        {{"correct",
          losses::correct_count(logits, b.at("label"), b.at("weight"))}}};
  };
  s.optimizer = std::make_shared<optim::AdamW>(
      optim::AdamWOptions{.weight_decay = config.weight_decay});
  s.step.clip_norm = config.clip_norm;
  s.step.seed = config.seed;
  s.batches = frequent_batches(config, rows);
  return s;
}

train::Engine engine_of(const runtime::Session& session,
                        const Subject& s,
                        DType compute) {
  train::EngineOptions options;
  options.compute = compute;
  options.step = s.step;
  train::Engine engine(
      session, s.bert->parameters(), s.loss, s.optimizer, options);
  engine.start(s.loaded.values);
  return engine;
}

// A rate so small that the repeated batches do not wear the model out.
const train::Hyper kHyper = {.lr = 1e-6, .total_steps = 1e6};

void time_precisions(const runtime::Session& session,
                     const Subject& s,
                     int repeats,
                     StepTimes& times) {
  auto f32 = engine_of(session, s, DType::kF32);
  auto bf16 = engine_of(session, s, DType::kBF16);
  std::vector<double> f32_ms;
  std::vector<double> bf16_ms;
  for (int i = -kWarmUp; i < repeats; ++i) {
    const auto& batch =
        s.batches[static_cast<size_t>(i + kWarmUp) % s.batches.size()];
    auto start = Clock::now();
    f32.step(batch, kHyper);
    const double first = ms_since(start);
    start = Clock::now();
    bf16.step(batch, kHyper);
    const double second = ms_since(start);
    if (i < 0) continue;
    f32_ms.push_back(first);
    bf16_ms.push_back(second);
  }
  times.f32_ms = median(f32_ms);
  times.bf16_ms = median(bf16_ms);
}

OpByOpTime time_op_by_op(const runtime::Session& session,
                         const Subject& s,
                         DType compute,
                         int repeats) {
  const auto params = s.bert->parameters();
  const auto& batch = s.batches.front();
  const auto made = train::build_step(
      params, s.loss, *s.optimizer, train::types_of(batch), s.step);
  runtime::CompileOptions options;
  options.compute = compute;
  const runtime::OpByOp ops(session, *made.graph, options);
  auto arrays = train::initial_state(
      train::state_layout(params, *s.optimizer), s.loaded.values, s.step);
  for (const auto& [name, array] : batch) arrays.push_back(array);
  arrays.push_back(kHyper.array());
  std::vector<runtime::DeviceArray> buffers;
  for (const auto& a : arrays) buffers.push_back(session.to_device(a));
  std::vector<const runtime::DeviceArray*> args;
  for (const auto& b : buffers) args.push_back(&b);
  std::vector<double> ms;
  for (int i = -1; i < repeats; ++i) {
    const auto start = Clock::now();
    ops.run(args).back().await();
    if (i >= 0) ms.push_back(ms_since(start));
  }
  return {.ms = median(ms),
          .ops = ops.ops(),
          .programs = ops.programs(),
          .compile_s = ops.compile_s()};
}

}  // namespace

StepTimes time_steps(const runtime::Session& session,
                     const runtime::Session& plain,
                     const train::RunConfig& config,
                     const TimingOptions& options) {
  const Subject subject = subject_of(config);
  const Shape shape = subject.batches.front().at("ids").shape();
  StepTimes times;
  times.batch = shape[0];
  times.length = shape[1];
  time_precisions(session, subject, options.repeats, times);
  const int repeats = options.op_by_op_repeats;
  times.plain = time_op_by_op(plain, subject, DType::kF32, repeats);
  if (options.op_by_op_kernels) {
    times.kernels = time_op_by_op(session, subject, DType::kBF16, repeats);
  }
  return times;
}

}  // namespace kexue::cli
