// Which tokens stood under the masks?
#include <algorithm>
#include <cmath>
#include <utility>

#include "kexue/data/masking.h"
#include "kexue/losses/losses.h"
#include "kexue/ops/ops.h"
#include "kexue/train/detail/masked_tokens.h"
#include "kexue/train/detail/tasks.h"
#include "kexue/train/detail/text_task.h"

namespace kexue::train::detail {
namespace {

// What always guessing by frequency in the training split would give: the
// baseline. -log p(token), add-one smoothed, and the most frequent token.
struct Unigram {
  std::vector<float> nll;  // by id
  int32_t top = 0;
};

Unigram unigram_of(const data::DatasetScan& train, const text::WordPiece& w) {
  std::vector<double> counts(train.tokens.size(), 1);
  double total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (!w.is_special(static_cast<int32_t>(i))) {
      counts[i] += static_cast<double>(train.tokens[i]);
    }
    total += counts[i];
  }
  Unigram out;
  for (size_t i = 0; i < counts.size(); ++i) {
    out.nll.push_back(static_cast<float>(std::log(total / counts[i])));
    if (counts[i] > counts[static_cast<size_t>(out.top)]) {
      out.top = static_cast<int32_t>(i);
    }
  }
  return out;
}

class MaskedEvaluation final : public Evaluation {
 public:
  explicit MaskedEvaluation(const Unigram& unigram) : unigram_(unigram) {}

  void add(const std::vector<HostArray>& outputs,
           const data::Minibatch& batch) override {
    for (int64_t k = 0; k < 3; ++k) sums_[k] += outputs[0].at(k);
    const auto labels = batch.arrays.at("label").span<int32_t>();
    const auto weights = batch.arrays.at("weight").span<float>();
    for (size_t i = 0; i < labels.size(); ++i) {
      if (weights[i] == 0) continue;
      nll_ += unigram_.nll[static_cast<size_t>(labels[i])];
      top_ += labels[i] == unigram_.top ? 1 : 0;
    }
  }

  MetricValues metrics() const override {
    const double loss = sums_[0] / sums_[2];
    return {{"loss", loss},
            {"accuracy", sums_[1] / sums_[2]},
            {"perplexity", std::exp(loss)},
            {"unigram_accuracy", top_ / sums_[2]},
            {"unigram_perplexity", std::exp(nll_ / sums_[2])}};
  }

 private:
  const Unigram& unigram_;
  double sums_[3] = {0, 0, 0};  // loss, right answers, masked tokens
  double nll_ = 0;
  double top_ = 0;
};

data::MaskOptions mask_options(const RunConfig& c) {
  using Style = data::MaskOptions::Style;
  return {.style = c.mask_style == "bert" ? Style::kBert : Style::kRoberta,
          .probability = c.mask_probability,
          .max_predictions = c.max_predictions,
          .whole_words = c.whole_words};
}

class MaskedLm final : public TextTask {
 public:
  MaskedLm(const RunConfig& config, const Say& say)
      : TextTask(config, read_run_data(config, say)),
        masking_(data_.tokenizer, mask_options(config)),
        unigram_(unigram_of(data_.train, data_.tokenizer)) {}

  // Masks ids; positions, label i32[B,P] and weight f32[B,P] say what was
  // there. Evaluation masks a row the same way each time.
  void prepare(data::Minibatch& batch, Phase phase) const override {
    const bool train = phase == Phase::kTrain;
    const Key key = train ? run_key(config_.seed, Purpose::kMask)
                                .fold_in(static_cast<uint64_t>(batch.epoch))
                          : run_key(config_.seed, Purpose::kEvalMask);
    mask_batch(masking_, key, &batch);
  }

  LossResult loss(const BatchValues& b) const override {
    const TokenGuess g = guess_tokens(model_, b);
    return {losses::cross_entropy(g.logits, g.labels, g.weights),
            {{"correct", losses::correct_count(g.logits, g.labels, g.weights)},
             {"masked", ops::sum(g.weights)}},
            g.logits,
            g.weights};
  }

  MetricValues step_metrics(const Metrics& sums,
                            const data::Minibatch&) const override {
    return {
        {"accuracy", sums.at("correct") / std::max(1.0, sums.at("masked"))}};
  }

  // f32[3] sums.
  Values evaluate(const BatchValues& b) const override {
    return {token_sums(guess_tokens(model_, b))};
  }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<MaskedEvaluation>(unigram_);
  }

 private:
  data::Masking masking_;
  Unigram unigram_;
};

}  // namespace

std::unique_ptr<Task> make_masked_lm(const RunConfig& config, const Say& say) {
  return std::make_unique<MaskedLm>(config, say);
}

}  // namespace kexue::train::detail
