#include "kexue/cli/step_subject.h"

#include <algorithm>
#include <map>
#include <vector>

#include "kexue/data/batcher.h"
#include "kexue/losses/losses.h"
#include "kexue/train/make_optimizer.h"

namespace kexue::cli {
namespace {

constexpr size_t kBatches = 4;

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

}  // namespace

StepSubject step_subject(const train::RunConfig& config) {
  const auto rows = data::read_dataset(
      config.train_file,
      {.label_column = config.label_column, .text_column = config.text_column});
  StepSubject s;
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
  const auto plan = train::make_optimizer(config);
  s.optimizer = plan.optimizer;
  s.loss = train::transformed(s.loss, s.bert->parameters(), plan.loss);
  s.step.clip = plan.clip;
  s.step.schedule = plan.schedule;
  s.step.seed = config.seed;
  s.batches = frequent_batches(config, rows);
  return s;
}

StepProgram step_program(const StepSubject& s) {
  const auto params = s.bert->parameters();
  const auto& batch = s.batches.front();
  StepProgram p;
  p.graph = train::build_step(
                params, s.loss, *s.optimizer, train::types_of(batch), s.step)
                .graph;
  p.args = train::initial_state(
      train::state_layout(params, *s.optimizer), s.loaded.values, s.step);
  for (const auto& [name, array] : batch) p.args.push_back(array);
  p.args.push_back(kTimingHyper.array());
  return p;
}

}  // namespace kexue::cli
