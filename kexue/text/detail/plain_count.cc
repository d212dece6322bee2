#include "kexue/text/detail/plain_count.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/base/parallel_apply.h"
#include "kexue/text/detail/units.h"

namespace kexue::text::detail {
namespace {

struct ViewHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using Map =
    std::unordered_map<std::string, uint64_t, ViewHash, std::equal_to<>>;
using BatchMap = std::unordered_map<std::string_view, uint64_t>;

// A node of the map, its string and its part of the buckets.
constexpr uint64_t kEntryBytes = 96;

void check_memory(const Map& map, uint64_t memory) {
  if (map.size() * kEntryBytes <= memory) return;
  throw Error(Code::kUnsupported,
              fmt::format("{} different words take more than the memory limit "
                          "of {} bytes",
                          map.size(),
                          memory),
              "the modes auto and radix write tables to disk instead");
}

void add(Map& map, std::string_view word, uint64_t times) {
  const auto it = map.find(word);
  if (it != map.end()) {
    it->second += times;
  } else {
    map.emplace(word, times);
  }
}

// Some lines of a chunk, and the memory they stand in.
struct Batch {
  std::shared_ptr<Chunk> chunk;
  std::string_view text;
};
struct BatchCounts {
  std::shared_ptr<Chunk> chunk;
  BatchMap map;
};

// Cuts chunks into batches of lines.
class Batches final {
 public:
  Batches(ChunkSource& source, UnitText& units, int64_t lines)
      : source_(source), units_(units), lines_(lines) {}

  std::optional<Batch> next() {
    while (rest_.empty()) {
      chunk_ = std::make_shared<Chunk>();
      if (!source_.next(*chunk_)) return std::nullopt;
      rest_ = units_.clean(*chunk_);
      if (rest_.data() == chunk_->text.data()) continue;
      // The cleaned text is overwritten by the next one.
      char* own = chunk_->reserve(rest_.size());
      std::copy(rest_.begin(), rest_.end(), own);
      chunk_->text = rest_ = {own, rest_.size()};
    }
    size_t end = 0;
    for (int64_t i = 0; i < lines_ && end < rest_.size(); ++i) {
      end = std::min(rest_.find('\n', end), rest_.size() - 1) + 1;
    }
    Batch batch{chunk_, rest_.substr(0, end)};
    rest_.remove_prefix(end);
    return batch;
  }

 private:
  ChunkSource& source_;
  UnitText& units_;
  int64_t lines_;
  std::shared_ptr<Chunk> chunk_;
  std::string_view rest_;
};

BatchCounts count_batch(const WordSplitter& splitter, Batch batch) {
  std::vector<std::string_view> words;
  splitter.split(batch.text, words);
  BatchCounts out{std::move(batch.chunk), {}};
  for (const std::string_view word : words) ++out.map[word];
  return out;
}

}  // namespace

WordCounts count_plainly(ChunkSource& source,
                         const WordSplitter& splitter,
                         const CountOptions& options,
                         int threads,
                         uint64_t memory) {
  Map map;
  UnitText units({.strict = options.strict, .unit = splitter.unit()});
  if (options.mode == CountMode::kNaive) {
    Chunk chunk;
    std::vector<std::string_view> words;
    while (source.next(chunk)) {
      words.clear();
      splitter.split(units.clean(chunk), words);
      for (const std::string_view word : words) add(map, word, 1);
      check_memory(map, memory);
    }
  } else {
    Batches batches(source, units, options.batch);
    const auto merge = [&](BatchCounts counts) {
      for (const auto& [word, times] : counts.map) add(map, word, times);
      check_memory(map, memory);
    };
    const auto count = [&](Batch batch) {
      return count_batch(splitter, std::move(batch));
    };
    if (threads == 1) {
      while (auto batch = batches.next()) merge(count(std::move(*batch)));
    } else {
      parallel_apply([&] { return batches.next(); },
                     count,
                     merge,
                     {.workers = threads, .ordered = false});
    }
  }
  FrequencyTable table;
  for (const auto& [word, times] : map) {
    if (!splitter.has_pieces()) {
      table.add(word, times);
      continue;
    }
    splitter.pieces(word,
                    [&](std::string_view piece) { table.add(piece, times); });
  }
  CountStatistics statistics;
  statistics.replaced = units.replaced();
  return {std::move(table), statistics};
}

}  // namespace kexue::text::detail
