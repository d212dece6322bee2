// Private to text: counting as note 7031 does it, to compare with.
#pragma once

#include "kexue/text/detail/chunk_source.h"
#include "kexue/text/word_count.h"

namespace kexue::text::detail {

// kNaive: one map, a word at a time. kBatched: a map for each batch of lines,
// merged into the map of all by one thread; with threads > 1 batches are
// counted by parallel_apply, else by the calling thread.
// Errors: kUnsupported when the map of all takes more than `memory`.
WordCounts count_plainly(ChunkSource& source,
                         const WordSplitter& splitter,
                         const CountOptions& options,
                         int threads,
                         uint64_t memory);

}  // namespace kexue::text::detail
