// Rows of token ids as one padded batch. Private to kexue/data.
#pragma once

#include <cstdint>
#include <span>

#include "kexue/data/batch_source.h"
#include "kexue/data/examples.h"

namespace kexue::data {

struct BatchShape {
  int64_t rows;    // B; rows that are missing are filled up
  int64_t length;  // T
  int32_t pad_id = 0;
  bool scores = false;  // "target" in place of "label"
};

// `numbers`: of the rows in their dataset. Epoch and position are the caller's.
Minibatch collate(std::span<const Example* const> rows,
                  std::span<const int64_t> numbers,
                  const BatchShape& shape);

}  // namespace kexue::data
