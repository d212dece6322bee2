// Counts the words of files, folders and streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"
#include "kexue/text/frequency_table.h"
#include "kexue/text/word_splitter.h"

namespace kexue::text {

enum class CountMode {
  kAuto,     // kRadix, with one thread when there is little to do
  kNaive,    // one map, one thread, a word at a time
  kBatched,  // maps of batches, merged by one thread (note 7031)
  kRadix,    // a partitioned table for each thread, merged by all
};

struct CountProgress {
  uint64_t bytes = 0;  // of the files, read so far
  uint64_t total = 0;  // 0: unknown, a stream is among them
};

struct CountOptions {
  int threads = 0;  // 0: one for each core
  CountMode mode = CountMode::kAuto;
  int64_t batch = 1000;           // lines in a batch of kBatched
  bool strict = false;            // broken UTF-8 is an error
  bool map_files = false;         // read through mmap
  uint64_t memory_bytes = 0;      // of tables; 0: half of what is free now
  std::string spill_folder = "";  // "": $TMPDIR, else /tmp
  // Called about ten times a second, and at the end, on the calling thread.
  std::function<void(const CountProgress&)> progress = {};
};

struct CountStatistics {
  uint64_t files = 0;
  uint64_t file_bytes = 0;
  uint64_t text_bytes = 0;  // after unpacking
  uint64_t replaced = 0;    // places of broken UTF-8
  uint64_t tokens = 0;
  uint64_t distinct = 0;
  uint64_t spills = 0;  // tables written to disk
};

// A table that may lie on disk in part. Movable; read it as often as needed.
class WordCounts final {
 public:
  struct Spilled;

  WordCounts();
  WordCounts(FrequencyTable table, CountStatistics statistics);
  WordCounts(std::unique_ptr<Spilled> spilled, CountStatistics statistics);
  WordCounts(WordCounts&&) noexcept;
  WordCounts& operator=(WordCounts&&) noexcept;
  ~WordCounts();

  const CountStatistics& statistics() const { return statistics_; }
  void set_statistics(const CountStatistics& s) { statistics_ = s; }
  bool is_spilled() const { return spilled_ != nullptr; }
  // kUnsupported if it was too big for the memory limit.
  const FrequencyTable& table() const;
  FrequencyTable& table();
  // In order: count descending, then bytes ascending.
  void for_each(
      const TableCut& cut,
      const std::function<void(std::string_view, uint64_t)>& fn) const;
  void save_tsv(const std::string& path,
                const TableCut& cut = {},
                io::FileSystem& fs = io::real_fs()) const;

 private:
  FrequencyTable table_;
  std::unique_ptr<Spilled> spilled_;
  CountStatistics statistics_;
};

// Files, folders with all files below them, and "-" for standard input; gzip
// and zstd are unpacked. A word never goes on in the next file. Every mode
// gives the same table for every number of threads.
//
// Errors: kNotFound, kIo with the path (also for a folder that cannot be
//         read, or that has no file); kInvalidArgument for negative threads or
//         batch < 1; kUnsupported with path and offset for more than 16 MiB
//         without a border, and when kNaive or kBatched exceed the memory
//         limit; kCorruptData with path and byte offset for broken UTF-8 if
//         `strict`. The first error ends all threads.
WordCounts count_words(const std::vector<std::string>& inputs,
                       const WordSplitter& splitter,
                       const CountOptions& options = {});
// What the memory limit defaults to the half of: free now, and allowed to us.
uint64_t free_memory_bytes();
// Of texts in memory.
FrequencyTable count_words(std::span<const std::string_view> texts,
                           const WordSplitter& splitter,
                           int threads = 0);

}  // namespace kexue::text
