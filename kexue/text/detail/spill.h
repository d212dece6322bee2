// Private to text: tables on disk, for more words than memory has room for.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"
#include "kexue/text/detail/word_table.h"
#include "kexue/text/frequency_table.h"

namespace kexue::text::detail {

// A file without a name, so that it goes away with us. A record is a count
// and a length (64 and 32 bits) and the bytes.
class SpillFile final {
 public:
  explicit SpillFile(const std::string& folder);

  // Buffered; finish() writes the rest. kIo with the folder and errno text.
  void add(std::string_view token, uint64_t count);
  void finish();
  uint64_t bytes() const { return bytes_ + buffer_.size(); }
  void read(uint64_t from, char* to, size_t n) const;
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  io::Descriptor file_;
  std::string buffer_;
  uint64_t bytes_ = 0;  // written
};

// Reads records [from, to) of a file one after the other.
class SpillReader final {
 public:
  SpillReader(const SpillFile& file, uint64_t from, uint64_t to);
  // False at the end; the token lives until the next call.
  bool next(std::string_view* token, uint64_t* count);

 private:
  const char* take(size_t n);

  const SpillFile* file_;
  uint64_t at_;
  uint64_t to_;
  std::string buffer_;
  size_t used_ = 0;
};

// A whole table, shard after shard.
struct SpilledTable {
  SpillFile file;
  std::array<uint64_t, kShards + 1> begins = {};
};
SpilledTable spill(const WordTable& table, const std::string& folder);

struct MergedShard {
  uint64_t distinct = 0;
};

// The words of one shard from all tables, added up and in order, to `out`.
MergedShard merge_shard(const std::vector<SpilledTable>& tables,
                        size_t shard,
                        SpillFile& out);

}  // namespace kexue::text::detail
