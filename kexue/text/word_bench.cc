#include "kexue/text/word_bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/base/parallel_apply.h"
#include "kexue/text/detail/add_words.h"
#include "kexue/text/detail/chunk_source.h"
#include "kexue/text/detail/units.h"
#include "kexue/text/detail/word_order.h"

namespace kexue::text {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kGrowthStep = 1.3;
constexpr uint64_t kFirstRank = 10;
constexpr uint64_t kLeastCount = 5;

double cpu_seconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) +
           1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Largest resident size since the last forget_peak(), where the system can
// forget it, else of the process.
uint64_t peak_bytes() {
  std::ifstream file("/proc/self/status");
  std::string word;
  uint64_t kib = 0;
  while (file >> word) {
    if (word == "VmHWM:" && file >> kib) return kib << 10;
  }
  return 0;
}
void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::string fingerprint(const WordCounts& counts) {
  Hasher hasher;
  std::string line;
  counts.for_each({}, [&](std::string_view token, uint64_t n) {
    line.clear();
    detail::append_line(token, n, line);
    hasher.update(line);
  });
  return hasher.hex();
}

// One way of doing the work, and what it took.
struct Way {
  BenchRow row;
  std::function<void()> run;
  std::vector<double> walls = {};
};

void measure(std::vector<Way>& ways, int repeats) {
  for (int r = 0; r < repeats; ++r) {
    for (Way& way : ways) {
      forget_peak();
      const double cpu = cpu_seconds();
      const auto begun = Clock::now();
      way.run();
      const double wall =
          std::chrono::duration<double>(Clock::now() - begun).count();
      const double used = cpu_seconds() - cpu;
      way.walls.push_back(wall);
      way.row.cpu_s = r == 0 ? used : std::min(way.row.cpu_s, used);
      way.row.memory_bytes = std::max(way.row.memory_bytes, peak_bytes());
    }
  }
  for (Way& way : ways) {
    std::sort(way.walls.begin(), way.walls.end());
    way.row.least_s = way.walls.front();
    way.row.median_s = way.walls[way.walls.size() / 2];
  }
}

std::vector<std::string> files_of(const std::vector<std::string>& inputs) {
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    if (input == "-") {
      throw Error(Code::kInvalidArgument,
                  "a bench reads its input many times, which standard input "
                  "cannot do",
                  "name files");
    }
    auto more = detail::list_files(input);
    files.insert(files.end(), more.begin(), more.end());
  }
  return files;
}

// The pass that splits and hashes, and counts nothing.
uint64_t hash_only(const std::vector<std::string>& files,
                   const CountOptions& options,
                   int threads) {
  detail::ChunkSource source(files, {.map_files = options.map_files});
  std::mutex mutex;
  std::exception_ptr error;
  uint64_t tokens = 0;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        detail::WordSums sums;
        try {
          detail::Chunk chunk;
          while (source.next(chunk)) {
            const auto one = detail::word_loops().hash_words(
                chunk.text.data(), chunk.text.size(), detail::hash_key());
            sums.tokens += one.tokens;
            sums.hashes += one.hashes;
          }
        } catch (...) {
          const std::lock_guard lock(mutex);
          error = std::current_exception();
          source.stop();
        }
        const std::lock_guard lock(mutex);
        // The hashes are used, so that they are computed.
        tokens += sums.tokens + (sums.hashes == 1 ? 1 : 0);
      });
    }
  }
  if (error) std::rethrow_exception(error);
  return tokens;
}

void find_growth(const std::vector<std::string>& files,
                 const WordSplitter& splitter,
                 WordBench& bench) {
  detail::ChunkSource source(
      files, {.unit = splitter.unit(), .chunk_bytes = size_t{1} << 14});
  detail::UnitText units({.strict = false, .unit = splitter.unit()});
  FrequencyTable table;
  detail::Chunk chunk;
  std::vector<std::string_view> words;
  uint64_t seen = 0;
  double next = 100;
  while (source.next(chunk)) {
    words.clear();
    splitter.split(units.clean(chunk), words);
    for (const std::string_view word : words) table.add(word);
    seen += words.size();
    if (static_cast<double>(seen) < next) continue;
    bench.growth.emplace_back(seen, table.distinct());
    next = static_cast<double>(seen) * kGrowthStep;
  }
  if (bench.growth.empty() || bench.growth.back().first != seen) {
    if (seen > 0) bench.growth.emplace_back(seen, table.distinct());
  }
  std::vector<double> x;
  std::vector<double> y;
  for (size_t i = bench.growth.size() / 4; i < bench.growth.size(); ++i) {
    x.push_back(std::log(static_cast<double>(bench.growth[i].first)));
    y.push_back(std::log(static_cast<double>(bench.growth[i].second)));
  }
  const auto [a, b] = fit_line(x, y);
  bench.heaps_k = std::exp(a);
  bench.heaps_beta = b;
}

void find_ranks(const WordCounts& counts, WordBench& bench) {
  uint64_t rank = 0;
  double next = 1;
  std::vector<double> x;
  std::vector<double> y;
  counts.for_each({}, [&](std::string_view, uint64_t n) {
    if (static_cast<double>(++rank) < next) return;
    next = std::max(static_cast<double>(rank) * 1.1, next + 1);
    bench.ranks.emplace_back(rank, n);
    if (rank < kFirstRank || n < kLeastCount) return;
    x.push_back(std::log(static_cast<double>(rank)));
    y.push_back(std::log(static_cast<double>(n)));
  });
  bench.zipf_s = -fit_line(x, y).second;
}

}  // namespace

std::pair<double, double> fit_line(const std::vector<double>& x,
                                   const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mean_x = 0;
  double mean_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  double xx = 0;
  double xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (xx <= 0) return {0, 0};
  return {mean_y - xy / xx * mean_x, xy / xx};
}

double WordBench::speed_up(const BenchRow& row) const {
  return rows.front().least_s / row.least_s;
}
double WordBench::efficiency(const BenchRow& row) const {
  return speed_up(row) / row.threads;
}
double WordBench::efficiency_to_best_serial(const BenchRow& row) const {
  double best = rows.front().least_s;
  for (const BenchRow& r : rows) {
    if (r.threads == 1 && r.distinct > 0) best = std::min(best, r.least_s);
  }
  return best / row.least_s / row.threads;
}

WordBench bench_words(const std::vector<std::string>& inputs,
                      const WordSplitter& splitter,
                      const CountOptions& options,
                      int repeats) {
  if (repeats < 1) {
    throw Error(Code::kInvalidArgument, "a bench needs at least one repeat");
  }
  const auto files = files_of(inputs);
  const int many = options.threads > 0 ? options.threads : default_workers();
  WordBench bench;
  bench.repeats = repeats;
  WordCounts counts;
  std::vector<Way> ways;
  const auto add = [&](const char* name, CountMode mode, int threads) {
    CountOptions o = options;
    o.mode = mode;
    o.threads = threads;
    o.progress = {};
    Way& way = ways.emplace_back();
    way.row.name = name;
    way.row.threads = threads;
    way.run = [&files, &splitter, &counts, o] {
      counts = WordCounts();
      counts = count_words(files, splitter, o);
    };
  };
  add("naive", CountMode::kNaive, 1);
  add("batched serial", CountMode::kBatched, 1);
  if (many > 1) add("batched parallel", CountMode::kBatched, many);
  add("ours serial", CountMode::kRadix, 1);
  if (many > 1) add("ours parallel", CountMode::kRadix, many);

  // Once without a clock: warms the page cache, and compares the tables.
  std::string first;
  for (Way& way : ways) {
    way.run();
    const std::string table = fingerprint(counts);
    if (first.empty()) first = table;
    if (table != first) {
      throw Error(Code::kInternal,
                  "the table of the way \"" + way.row.name +
                      "\" differs from that of \"naive\"",
                  "please report");
    }
    way.row.distinct = counts.statistics().distinct;
  }
  bench.text_bytes = counts.statistics().text_bytes;
  bench.tokens = counts.statistics().tokens;
  bench.distinct = counts.statistics().distinct;
  find_ranks(counts, bench);
  find_growth(files, splitter, bench);
  counts = WordCounts();

  if (dynamic_cast<const SpaceWords*>(&splitter) != nullptr) {
    for (const int threads : {1, many}) {
      if (threads > 1 || ways.back().row.name != "split and hash only") {
        Way& way = ways.emplace_back();
        way.row.name = "split and hash only";
        way.row.threads = threads;
        way.run = [&files, &options, threads] {
          hash_only(files, options, threads);
        };
      }
    }
  }
  measure(ways, repeats);
  for (const Way& way : ways) {
    bench.rows.push_back(way.row);
    bench.peak_rss_bytes = std::max(bench.peak_rss_bytes, way.row.memory_bytes);
  }
  return bench;
}

}  // namespace kexue::text
