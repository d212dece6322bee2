// Embedding, ranking and classification of lines of text with a trained model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kexue/models/bert.h"
#include "kexue/runtime/session.h"
#include "kexue/text/wordpiece.h"

namespace kexue::train {

struct InferenceOptions {
  DType compute = DType::kF32;
  int64_t batch_size = 32;
  int64_t max_length = 0;  // 0 = the model's positions (at most 512)
  int64_t max_buckets = 6;
};

struct InferenceReport {
  int64_t truncated = 0;
  int64_t programs = 0;
  double compile_s = 0;
  double run_s = 0;
};

// Inputs are sorted by length, run in length buckets, and given back in their
// order. Loading maps the weights once; programs are compiled per bucket and
// cached on disk.
class Inference final {
 public:
  // A folder with config.json, weights and tokenizer. With `want_classifier`,
  // kNotFound if it has none.
  Inference(const runtime::Session& session,
            const std::string& folder,
            const InferenceOptions& options,
            bool want_classifier);
  ~Inference();

  const models::BertConfig& config() const;
  const text::WordPiece& tokenizer() const;
  const InferenceReport& report() const;

  // Unit vectors, one a text.
  std::vector<std::vector<float>> embed(const std::vector<std::string>& texts,
                                        models::Bert::Pooling pooling);
  // Logits [rows][classes] for texts, or for pairs (second texts given).
  std::vector<std::vector<float>> logits(
      const std::vector<std::string>& texts,
      const std::vector<std::string>& second_texts = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// softmax of one row of logits.
std::vector<double> probabilities(const std::vector<float>& logits);

}  // namespace kexue::train
