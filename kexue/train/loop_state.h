// Where a training run stands.
#pragma once

#include <cstdint>

#include "kexue/data/batch_source.h"

namespace kexue::train {

// Beside the engine's state. Both together are all that a run needs to go on
// as if it had never stopped.
struct LoopState {
  int64_t step = 0;         // done
  data::Position position;  // of the next batch
  int64_t skips = 0;        // steps skipped in a row
  // Of early stopping; without it both stay 0.
  int64_t best_step = 0;
  int64_t worse = 0;  // evaluations since
};

}  // namespace kexue::train
