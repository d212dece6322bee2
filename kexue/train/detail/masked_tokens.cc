#include "kexue/train/detail/masked_tokens.h"

#include <algorithm>
#include <utility>

#include "kexue/losses/losses.h"
#include "kexue/ops/ops.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/detail/text_task.h"

namespace kexue::train::detail {

void mask_batch(const data::Masking& masking, Key key, data::Minibatch* batch) {
  auto& ids = batch->arrays.at("ids");
  const auto length = static_cast<size_t>(ids.shape()[1]);
  const auto rows = batch->rows.size();
  const auto most =
      static_cast<size_t>(masking.most_choices(static_cast<int64_t>(length)));
  const Shape table{static_cast<int64_t>(rows), static_cast<int64_t>(most)};
  HostArray positions(DType::kI32, table);
  HostArray label(DType::kI32, table);
  HostArray weight(DType::kF32, table);
  const auto real = batch->arrays.at("mask").span<uint8_t>();
  for (size_t r = 0; r < rows; ++r) {
    if (batch->rows[r] < 0) continue;
    const auto mask = real.subspan(r * length, length);
    const auto tokens =
        static_cast<size_t>(std::count(mask.begin(), mask.end(), 1));
    const auto choice =
        masking.mask(ids.mutable_span<int32_t>().subspan(r * length, tokens),
                     key.fold_in(static_cast<uint64_t>(batch->rows[r])));
    for (size_t i = 0; i < choice.tokens.size(); ++i) {
      const size_t at = r * most + i;
      positions.mutable_span<int32_t>()[at] = choice.positions[i];
      label.mutable_span<int32_t>()[at] = choice.tokens[i];
      weight.mutable_span<float>()[at] = 1;
    }
  }
  batch->arrays["positions"] = std::move(positions);
  batch->arrays["label"] = std::move(label);
  batch->arrays["weight"] = std::move(weight);
}

TokenGuess guess_tokens(const models::Bert& model, const BatchValues& batch) {
  const Value& positions = batch.at("positions");
  const std::vector<int64_t> flat = {positions.dim(0) * positions.dim(1)};
  return {model.predict_tokens(bert_inputs(batch), positions),
          ops::reshape(batch.at("label"), flat),
          ops::reshape(batch.at("weight"), flat)};
}

Value token_sums(const TokenGuess& g) {
  const Value count = ops::sum(g.weights);
  const Value loss = losses::cross_entropy(g.logits, g.labels, g.weights);
  const Value right = losses::correct_count(g.logits, g.labels, g.weights);
  return as_row({loss * count, right, count});
}

}  // namespace kexue::train::detail
