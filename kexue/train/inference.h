// Embedding, ranking and classification of lines of text, and guesses of masked
// tokens, with a trained model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kexue/data/masking.h"
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

// What is wanted of a model, beside its encoder.
enum class Head { kNone, kClassifier, kMaskedLm };

// Of all masked tokens.
struct MaskedScore {
  int64_t tokens = 0;
  int64_t right = 0;  // the most probable token is the one that stood there
  double loss = 0;    // -log p(token), summed
};

// Inputs are sorted by length, run in length buckets, and given back in their
// order. Loading maps the weights once; programs are compiled per bucket and
// cached on disk.
class Inference final {
 public:
  // A folder with config.json, weights and tokenizer.
  // Errors: kNotFound if the model lacks the head.
  Inference(const runtime::Session& session,
            const std::string& folder,
            const InferenceOptions& options,
            Head head);
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
  // Masks text i as the evaluation of a run with that seed does, and guesses.
  // Of a model with Head::kMaskedLm.
  MaskedScore masked_tokens(const std::vector<std::string>& texts,
                            const std::vector<std::string>& second_texts,
                            const data::MaskOptions& options,
                            uint64_t seed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// softmax of one row of logits.
std::vector<double> probabilities(const std::vector<float>& logits);

}  // namespace kexue::train
