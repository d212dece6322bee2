// What the tasks on texts have in common: BERT and batches of token ids.
// Private to kexue/train.
#pragma once

#include "kexue/models/bert.h"
#include "kexue/train/detail/run_data.h"
#include "kexue/train/task.h"

namespace kexue::train::detail {

class TextTask : public Task {
 public:
  nn::ParamList parameters() override { return model_.parameters(); }
  std::vector<HostArray> take_values() override;
  void save_model(const RunFolder& folder,
                  const std::vector<HostArray>& params) const override;

  const std::vector<int64_t>& lengths() const override {
    return data_.buckets.lengths();
  }
  std::unique_ptr<data::BatchSource> train_batches() const override;
  std::unique_ptr<data::BatchSource> eval_batches(
      const std::string& split) const override;
  void prepare(data::Minibatch& batch, Phase phase) const override;

  std::vector<std::string> classes() const override { return data_.classes; }
  // Padding and other special tokens are left out.
  std::string text_of(std::span<const int32_t> ids) const override {
    return data_.tokenizer.decode(ids);
  }

 protected:
  TextTask(const RunConfig& config, RunData data);

  RunConfig config_;
  RunData data_;
  models::Bert model_;
};

// Scalars of a graph as one f32[n].
Value as_row(const Values& scalars);

}  // namespace kexue::train::detail
