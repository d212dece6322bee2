// Private to text: files as chunks of whole units, for several threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/compressed_file.h"
#include "kexue/io/file_system.h"
#include "kexue/text/word_splitter.h"

namespace kexue::text::detail {

// A text that ends with a unit, in memory of its own or in that of a mapped
// file; kPadding bytes behind it can be read.
struct Chunk {
  std::string_view text;
  const std::string* file = nullptr;  // lives as long as the source
  uint64_t offset = 0;                // of text[0] in the (unpacked) file
  std::shared_ptr<const void> mapping;

  // Room for n bytes and the padding; keeps the first `kept` bytes.
  char* reserve(size_t n, size_t kept = 0);

 private:
  std::unique_ptr<char[]> memory_;
  size_t capacity_ = 0;
};

// The regular files of a path, sorted: itself, or all below a folder.
// Links to folders are not followed. "-" stays as it is.
std::vector<std::string> list_files(const std::string& input);

// Plain files are cut by position, so that several threads read one file;
// streams by reading on under a lock.
class ChunkSource final {
 public:
  struct Options {
    WordSplitter::Unit unit = WordSplitter::Unit::kWord;
    bool map_files = false;
    size_t chunk_bytes = size_t{1} << 20;
    size_t max_unit = size_t{16} << 20;
  };
  ChunkSource(std::vector<std::string> files, const Options& options);
  ~ChunkSource();

  // False at the end. For any thread.
  bool next(Chunk& chunk);
  // Threads that wait for a file to open give up.
  void stop();

  uint64_t file_bytes() const { return file_bytes_; }
  uint64_t text_bytes() const { return text_bytes_; }
  uint64_t total() const { return total_; }  // 0: unknown
  size_t files() const { return files_.size(); }

 private:
  struct Plain;
  struct Stream;

  void open_file(const std::string& file, std::unique_lock<std::mutex>& lock);
  bool read_plain(Plain& file, uint64_t from, uint64_t to, Chunk& chunk);
  bool read_stream(Stream& stream, Chunk& chunk);
  bool is_border(char c) const;
  size_t find_border(std::string_view text, size_t from) const;
  size_t find_last_border(std::string_view text) const;
  [[noreturn]] void too_long(const std::string& file, uint64_t offset) const;

  Options options_;
  std::vector<std::string> files_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t next_file_ = 0;
  int opening_ = 0;
  bool stopped_ = false;
  std::list<std::shared_ptr<Plain>> plain_;
  std::list<std::shared_ptr<Stream>> streams_;
  std::atomic<uint64_t> file_bytes_ = 0;
  std::atomic<uint64_t> text_bytes_ = 0;
  uint64_t total_ = 0;
};

}  // namespace kexue::text::detail
