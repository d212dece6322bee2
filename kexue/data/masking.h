// Which tokens a masked language model has to guess.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kexue/base/random.h"
#include "kexue/text/wordpiece.h"

namespace kexue::data {

// kRoberta: each word is chosen on its own with `probability`.
// kBert:    min(max_predictions, max(1, round(probability len))) tokens of the
//           row, len with [CLS] and [SEP], halves to even; candidates in
//           random order, one that would pass the count is left out.
//
// Both: special tokens are never chosen; a chosen token becomes [MASK] with
// probability 0.8, stays with 0.1, and is any token of the vocabulary with 0.1,
// each token of a word on its own.
// Source: Devlin et al. 2018, arXiv:1810.04805, and their
//         create_pretraining_data.py; Liu et al. 2019, arXiv:1907.11692, in
//         the form of bert4keras.
struct MaskOptions {
  enum class Style { kRoberta, kBert };
  Style style = Style::kRoberta;
  double probability = 0.15;
  int64_t max_predictions = 20;  // kBert
  bool whole_words = true;       // pieces "##..." go with their word
};

// The masks of one tokenizer.
class Masking final {
 public:
  // kInvalidArgument if the tokenizer has no mask token, for a probability
  // outside (0, 1) or max_predictions < 1.
  Masking(const text::WordPiece& tokenizer, const MaskOptions& options);

  struct Choice {
    std::vector<int32_t> positions;  // ascending
    std::vector<int32_t> tokens;     // what stood there
  };
  // Masks a row in place. What is chosen depends on key and row only.
  Choice mask(std::span<int32_t> ids, Key key) const;

  // No row of at most `length` tokens has more choices than that; kRoberta
  // drops what is beyond five deviations above the mean.
  int64_t most_choices(int64_t length) const;

 private:
  std::vector<std::pair<size_t, size_t>> words(
      std::span<const int32_t> ids) const;
  int32_t replacement(int32_t id, Random& random) const;

  MaskOptions options_;
  int32_t mask_id_;
  std::vector<int32_t> all_;        // ids of the vocabulary
  std::vector<uint8_t> special_;    // by id
  std::vector<uint8_t> continues_;  // by id: "##..."
};

}  // namespace kexue::data
