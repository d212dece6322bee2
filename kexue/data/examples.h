// Datasets as token ids.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/data/dataset.h"
#include "kexue/text/wordpiece.h"

namespace kexue::data {

struct Example {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;  // as long as ids
  int32_t label = 0;
  float score = 0;
};

struct Examples {
  std::vector<Example> rows;  // in the dataset's order
  int64_t truncated = 0;      // rows longer than max_len
  bool scores = false;        // rows have scores in place of labels
};

// [CLS] a [SEP], or [CLS] a [SEP] b [SEP] when the dataset has second texts;
// at most max_len tokens. `threads` 0: one per core. The result does not
// depend on it.
Examples encode(const Dataset& dataset,
                const text::WordPiece& tokenizer,
                int64_t max_len,
                int threads = 0);

}  // namespace kexue::data
