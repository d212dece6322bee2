#include "kexue/train/detail/text_task.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "kexue/ops/ops.h"

namespace kexue::train::detail {
namespace {

constexpr int64_t kEvalRows = 64;  // of a batch, at least

// Of a batch in evaluation: as many for every device.
int64_t eval_rows(const RunConfig& c) {
  const int64_t rows = std::max(c.batch_size, kEvalRows);
  return (rows + c.mesh_data - 1) / c.mesh_data * c.mesh_data;
}

}  // namespace

TextTask::TextTask(const RunConfig& config, RunData data)
    : config_(config),
      data_(std::move(data)),
      model_({.config = data_.model.config, .remat = config.remat == "layer"}) {
}

std::vector<HostArray> TextTask::take_values() {
  return std::move(data_.model.values);
}

void TextTask::save_model(const RunFolder& folder,
                          const std::vector<HostArray>& params) const {
  std::string tokenizer = config_.model;
  if (tokenizer.empty()) {
    tokenizer = folder.path() + "/tokenizer";
    if (!std::filesystem::exists(tokenizer)) {
      std::filesystem::create_directory(tokenizer);
      folder.write("tokenizer/vocab.txt", data_.vocab_txt);
      folder.write("tokenizer/tokenizer_config.json", data_.tokenizer_config);
    }
  }
  folder.save_model(data_.model.config, params, tokenizer);
}

std::unique_ptr<data::BatchSource> TextTask::train_batches() const {
  const Key key = run_key(config_.seed, Purpose::kShuffle);
  if (config_.stream) {
    auto options = read_options(config_);
    options.classes = data_.classes;
    return std::make_unique<data::StreamBatcher>(
        config_.train_file,
        options,
        data_.tokenizer,
        data_.train,
        data_.buckets,
        data::StreamBatcher::Options{.batch_size = config_.batch_size,
                                     .buffer = config_.shuffle_buffer,
                                     .max_len = config_.max_length,
                                     .key = key});
  }
  return std::make_unique<data::Batcher>(
      data_.find("train")->examples,
      data_.buckets,
      data::Batcher::Options{.batch_size = config_.batch_size,
                             .key = key,
                             .pad_id = data_.tokenizer.pad_id()});
}

std::unique_ptr<data::BatchSource> TextTask::eval_batches(
    const std::string& name) const {
  const Split* split = data_.find(name);
  if (split == nullptr) return nullptr;
  return std::make_unique<data::Batcher>(
      split->examples,
      data_.buckets,
      data::Batcher::Options{.batch_size = eval_rows(config_),
                             .shuffle = false,
                             .pad_id = data_.tokenizer.pad_id()});
}

void TextTask::prepare(data::Minibatch&, Phase) const {}

Value as_row(const Values& scalars) {
  Values parts;
  for (const Value& v : scalars) parts.push_back(ops::reshape(v, {1}));
  return ops::concatenate(parts, 0);
}

}  // namespace kexue::train::detail
