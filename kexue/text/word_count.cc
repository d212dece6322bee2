#include "kexue/text/word_count.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "kexue/base/error.h"
#include "kexue/base/parallel_apply.h"
#include "kexue/text/detail/add_words.h"
#include "kexue/text/detail/chunk_source.h"
#include "kexue/text/detail/plain_count.h"
#include "kexue/text/detail/spilled_counts.h"
#include "kexue/text/detail/units.h"
#include "kexue/text/detail/word_table.h"

namespace kexue::text {
namespace {

using namespace detail;

constexpr auto kProgressEvery = std::chrono::milliseconds(100);
constexpr uint64_t kLittle = uint64_t{1} << 19;  // bytes for one thread
constexpr uint64_t kLeastMemory = uint64_t{1} << 20;

std::string spill_folder(const CountOptions& options) {
  if (!options.spill_folder.empty()) return options.spill_folder;
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

// Runs `work(i)` on n threads; the first exception stops the source and
// reaches the caller after all have ended.
template <class Work>
void run_threads(int n, ChunkSource* source, Work&& work) {
  std::mutex mutex;
  std::exception_ptr error;
  const auto guarded = [&](int i) {
    try {
      work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      if (source != nullptr) source->stop();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 1; i < n; ++i) threads.emplace_back(guarded, i);
    guarded(0);
  }
  if (error) std::rethrow_exception(error);
}

// Reports from a thread of its own would reach the caller's code there, so
// the counting runs on others and the calling thread reports.
template <class Work>
void run_reporting(const CountOptions& options,
                   const ChunkSource& source,
                   Work&& work) {
  if (!options.progress) {
    work();
    return;
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::exception_ptr error;
  {
    std::jthread thread([&] {
      try {
        work();
      } catch (...) {
        error = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      ended = true;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, kProgressEvery, [&] { return ended; })) {
      lock.unlock();
      options.progress({source.file_bytes(), source.total()});
      lock.lock();
    }
  }
  if (error) std::rethrow_exception(error);
  options.progress({source.file_bytes(), source.total()});
}

struct Worker {
  WordTable table;
  FrequencyTable pieces;
  std::vector<SpilledTable> spilled;
  uint64_t replaced = 0;
  uint64_t tokens = 0;  // of the splitter
};

// The partitioned count: a table for each thread, joined shard by shard.
class RadixCount final {
 public:
  RadixCount(ChunkSource& source,
             const WordSplitter& splitter,
             const CountOptions& options,
             int threads,
             uint64_t memory)
      : source_(source),
        splitter_(splitter),
        options_(options),
        folder_(spill_folder(options)),
        workers_(static_cast<size_t>(threads)),
        memory_(memory / static_cast<uint64_t>(threads)) {}

  WordCounts run() {
    const int n = static_cast<int>(workers_.size());
    run_threads(
        n, &source_, [&](int i) { count(workers_[static_cast<size_t>(i)]); });
    CountStatistics statistics;
    for (Worker& w : workers_) {
      statistics.replaced += w.replaced;
      statistics.spills += w.spilled.size();
    }
    if (splitter_.has_pieces()) return join_pieces(statistics);
    for (const Worker& w : workers_) statistics.tokens += w.tokens;
    return statistics.spills > 0 ? join_spilled(statistics)
                                 : join_tables(statistics);
  }

 private:
  void count(Worker& w) {
    const bool is_plain =
        dynamic_cast<const SpaceWords*>(&splitter_) != nullptr;
    Chunk chunk;
    UnitText units({.strict = options_.strict, .unit = splitter_.unit()});
    std::vector<std::string_view> words;
    while (source_.next(chunk)) {
      const std::string_view text = units.clean(chunk);
      if (is_plain) {
        w.tokens += word_loops().add_words(
            text.data(), text.size(), w.table, hash_key());
      } else {
        words.clear();
        splitter_.split(text, words);
        for (const std::string_view word : words) ++w.table.count_of(word);
        w.tokens += words.size();
      }
      if (w.table.bytes() > memory_) make_room(w);
    }
    w.replaced = units.replaced();
    if (splitter_.has_pieces()) cut_up(w);
  }

  void make_room(Worker& w) {
    if (splitter_.has_pieces()) {
      cut_up(w);
      return;
    }
    w.spilled.push_back(spill(w.table, folder_));
    w.table.clear();
  }

  void cut_up(Worker& w) const {
    for (size_t s = 0; s < kShards; ++s) {
      w.table.for_each(s, [&](std::string_view word, uint64_t n) {
        splitter_.pieces(
            word, [&](std::string_view piece) { w.pieces.add(piece, n); });
      });
    }
    w.table.clear();
  }

  WordCounts join_pieces(CountStatistics statistics) {
    FrequencyTable table = std::move(workers_[0].pieces);
    for (size_t i = 1; i < workers_.size(); ++i) {
      table.merge(workers_[i].pieces);
    }
    return {std::move(table), statistics};
  }

  WordCounts join_tables(CountStatistics statistics) {
    WordTable table = std::move(workers_[0].table);
    if (workers_.size() > 1) join_all(table);
    FrequencyTable out;
    out.words() = std::move(table);
    return {std::move(out), statistics};
  }

  void join_all(WordTable& first) {
    std::vector<const WordTable*> tables = {&first};
    for (size_t i = 1; i < workers_.size(); ++i) {
      if (workers_[i].table.distinct() > 0) {
        tables.push_back(&workers_[i].table);
      }
    }
    if (tables.size() == 1) return;
    std::vector<ShardSizes> sizes(kShards);
    for_shards([&](size_t s) {
      for (const WordTable* t : tables) {
        const ShardSizes one = t->sizes_of(s);
        sizes[s].small += one.small;
        sizes[s].mid += one.mid;
        sizes[s].large += one.large;
      }
    });
    ShardSizes most;
    for (const ShardSizes& s : sizes) {
      most.small = std::max(most.small, s.small);
      most.mid = std::max(most.mid, s.mid);
      most.large = std::max(most.large, s.large);
    }
    WordTable all;
    all.reserve(most);
    for_shards([&](size_t s) {
      sizes[s] = {};
      for (const WordTable* t : tables) {
        const ShardSizes one = all.join(s, *t);
        sizes[s].small += one.small;
        sizes[s].mid += one.mid;
        sizes[s].large += one.large;
      }
    });
    for (const ShardSizes& s : sizes) all.add_used(s);
    all.take_arena(first);
    for (size_t i = 1; i < workers_.size(); ++i) {
      all.take_arena(workers_[i].table);
    }
    first = std::move(all);
  }

  WordCounts join_spilled(CountStatistics statistics) {
    std::vector<SpilledTable> tables;
    for (Worker& w : workers_) {
      for (auto& t : w.spilled) tables.push_back(std::move(t));
      if (w.table.distinct() == 0) continue;
      tables.push_back(spill(w.table, folder_));
      w.table.clear();
      ++statistics.spills;
    }
    auto out = std::make_unique<WordCounts::Spilled>();
    for (size_t s = 0; s < kShards; ++s) out->shards.emplace_back(folder_);
    std::vector<MergedShard> merged(kShards);
    for_shards(
        [&](size_t s) { merged[s] = merge_shard(tables, s, out->shards[s]); });
    for (const MergedShard& m : merged) statistics.distinct += m.distinct;
    return {std::move(out), statistics};
  }

  template <class Work>
  void for_shards(Work&& work) {
    std::atomic<size_t> next = 0;
    run_threads(static_cast<int>(workers_.size()), nullptr, [&](int) {
      for (size_t s = next++; s < kShards; s = next++) work(s);
    });
  }

  ChunkSource& source_;
  const WordSplitter& splitter_;
  const CountOptions& options_;
  std::string folder_;
  std::vector<Worker> workers_;
  uint64_t memory_;
};

int threads_for(const CountOptions& options, const ChunkSource& source) {
  const int threads = options.threads > 0 ? options.threads : default_workers();
  const bool is_little = source.total() > 0 && source.total() < kLittle;
  return options.mode == CountMode::kAuto && is_little ? 1 : threads;
}

void check(const std::vector<std::string>& inputs,
           const CountOptions& options) {
  if (options.threads < 0 || options.threads > 1024) {
    throw Error(Code::kInvalidArgument,
                fmt::format("count_words: threads must be 0 to 1024, got {}",
                            options.threads));
  }
  if (options.batch < 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("count_words: batch must be 1 or more, got {}",
                            options.batch));
  }
  if (inputs.empty()) {
    throw Error(Code::kInvalidArgument, "count_words: no input");
  }
}

}  // namespace

uint64_t free_memory_bytes() {
  uint64_t free = uint64_t{4} << 30;
  std::ifstream file("/proc/meminfo");
  std::string word;
  uint64_t kib = 0;
  while (file >> word) {
    if (word == "MemAvailable:" && file >> kib) free = kib << 10;
  }
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  std::ifstream used("/sys/fs/cgroup/memory.current");
  uint64_t most = 0;
  uint64_t now = 0;
  if (limit >> most && used >> now) {
    free = std::min(free, most > now ? most - now : 0);
  }
  return free;
}

WordCounts count_words(const std::vector<std::string>& inputs,
                       const WordSplitter& splitter,
                       const CountOptions& options) {
  check(inputs, options);
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    auto more = list_files(input);
    files.insert(files.end(), more.begin(), more.end());
  }
  ChunkSource source(std::move(files),
                     {.unit = splitter.unit(), .map_files = options.map_files});
  const uint64_t memory =
      std::max(kLeastMemory,
               options.memory_bytes > 0 ? options.memory_bytes
                                        : free_memory_bytes() / 2);
  WordCounts counts;
  run_reporting(options, source, [&] {
    const int threads = threads_for(options, source);
    if (options.mode == CountMode::kNaive ||
        options.mode == CountMode::kBatched) {
      counts = count_plainly(source, splitter, options, threads, memory);
    } else {
      counts = RadixCount(source, splitter, options, threads, memory).run();
    }
  });
  CountStatistics statistics = counts.statistics();
  statistics.files = source.files();
  statistics.file_bytes = source.file_bytes();
  statistics.text_bytes = source.text_bytes();
  if (!counts.is_spilled()) {
    // Adding up a large table takes its time; mostly they were counted.
    if (statistics.tokens == 0) statistics.tokens = counts.table().total();
    statistics.distinct = counts.table().distinct();
  }
  counts.set_statistics(statistics);
  return counts;
}

FrequencyTable count_words(std::span<const std::string_view> texts,
                           const WordSplitter& splitter,
                           int threads) {
  const int n = threads > 0 ? threads : default_workers();
  std::vector<FrequencyTable> tables(static_cast<size_t>(n));
  std::atomic<size_t> next = 0;
  run_threads(n, nullptr, [&](int i) {
    FrequencyTable& table = tables[static_cast<size_t>(i)];
    UnitText units({.strict = false, .unit = splitter.unit()});
    std::vector<std::string_view> words;
    for (size_t t = next++; t < texts.size(); t = next++) {
      words.clear();
      const std::string_view text = units.clean(texts[t], "text", 0);
      splitter.split(text, words);
      for (const std::string_view word : words) table.add(word);
    }
  });
  FrequencyTable all = std::move(tables[0]);
  for (size_t i = 1; i < tables.size(); ++i) all.merge(tables[i]);
  if (!splitter.has_pieces()) return all;
  FrequencyTable pieces;
  all.for_each([&](std::string_view word, uint64_t times) {
    splitter.pieces(word,
                    [&](std::string_view piece) { pieces.add(piece, times); });
  });
  return pieces;
}

}  // namespace kexue::text
