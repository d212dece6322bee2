// Private to text: a finished table on disk.
#pragma once

#include <vector>

#include "kexue/text/detail/spill.h"
#include "kexue/text/word_count.h"

namespace kexue::text {

// One file for each shard, its words in order.
struct WordCounts::Spilled {
  std::vector<detail::SpillFile> shards;
};

}  // namespace kexue::text
