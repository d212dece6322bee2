#include "kexue/text/detail/chunk_source.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "kexue/base/error.h"
#include "kexue/text/detail/add_words.h"

namespace kexue::text::detail {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadOn = size_t{1} << 16;  // after a chunk, for its border

Error listing_error(const std::string& path, const std::error_code& error) {
  return io::os_error("read folder", path, -error.value());
}

void read_exactly(
    int fd, char* to, size_t n, uint64_t at, const std::string& name) {
  while (n > 0) {
    const int64_t got = io::real_fs().read_at(fd, to, n, at);
    if (got == -EINTR) continue;
    if (got < 0) throw io::os_error("read", name, got);
    if (got == 0) {
      throw Error(
          Code::kIo,
          fmt::format(
              "{}: became shorter while it was read (byte {})", name, at));
    }
    to += got;
    n -= static_cast<size_t>(got);
    at += static_cast<uint64_t>(got);
  }
}

std::shared_ptr<const void> map_file(int fd,
                                     size_t n,
                                     const std::string& name) {
  void* const at = ::mmap(nullptr, n, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) throw io::os_error("mmap", name, -errno);
  ::madvise(at, n, MADV_SEQUENTIAL);
  return {at, [n](const void* p) { ::munmap(const_cast<void*>(p), n); }};
}

}  // namespace

char* Chunk::reserve(size_t n, size_t kept) {
  if (n + kPadding > capacity_) {
    const size_t capacity = std::max(n + kPadding, capacity_ * 3 / 2);
    auto bigger = std::make_unique_for_overwrite<char[]>(capacity);
    if (kept > 0) std::memcpy(bigger.get(), memory_.get(), kept);
    memory_ = std::move(bigger);
    capacity_ = capacity;
  }
  return memory_.get();
}

std::vector<std::string> list_files(const std::string& input) {
  std::error_code error;
  if (input == "-" || !fs::is_directory(input, error)) return {input};
  std::vector<std::string> files;
  auto it = fs::recursive_directory_iterator(input, error);
  if (error) throw listing_error(input, error);
  std::string at = input;
  while (it != fs::recursive_directory_iterator()) {
    at = it->path().string();
    if (it->is_regular_file(error)) files.push_back(at);
    it.increment(error);
    if (error) throw listing_error(at, error);
  }
  if (files.empty()) {
    throw Error(Code::kNotFound, input + ": no file in this folder");
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct ChunkSource::Plain {
  io::Descriptor file;
  const std::string* name;
  uint64_t bytes;
  std::shared_ptr<const void> mapping;
  uint64_t next = 0;
};

struct ChunkSource::Stream {
  std::mutex mutex;
  io::CompressedFile file;
  const std::string* name;
  std::string rest = {};  // of the last read, after its last border
  uint64_t counted = 0;   // bytes of the file that progress knows
  bool ended = false;
};

ChunkSource::ChunkSource(std::vector<std::string> files, const Options& options)
    : options_(options), files_(std::move(files)) {
  for (const std::string& file : files_) {
    struct stat s;
    if (file == "-" || ::stat(file.c_str(), &s) != 0 || !S_ISREG(s.st_mode)) {
      total_ = 0;
      return;
    }
    total_ += static_cast<uint64_t>(s.st_size);
  }
}

ChunkSource::~ChunkSource() = default;

bool ChunkSource::is_border(char c) const {
  return options_.unit == WordSplitter::Unit::kLine
             ? c == '\n'
             : is_space_byte(static_cast<unsigned char>(c));
}

// After the first border at or behind `from`; npos without one.
size_t ChunkSource::find_border(std::string_view text, size_t from) const {
  if (options_.unit == WordSplitter::Unit::kLine) {
    const size_t at = text.find('\n', from);
    return at == std::string_view::npos ? at : at + 1;
  }
  for (; from < text.size(); ++from) {
    if (is_border(text[from])) return from + 1;
  }
  return std::string_view::npos;
}

// After the last border; 0 without one.
size_t ChunkSource::find_last_border(std::string_view text) const {
  size_t n = text.size();
  while (n > 0 && !is_border(text[n - 1])) --n;
  return n;
}

void ChunkSource::too_long(const std::string& file, uint64_t offset) const {
  throw Error(
      Code::kUnsupported,
      fmt::format("{}: more than {} bytes from byte {} on without {}",
                  file == "-" ? "standard input" : file,
                  options_.max_unit,
                  offset,
                  options_.unit == WordSplitter::Unit::kLine ? "a line end"
                                                             : "white space"));
}

void ChunkSource::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

// Adds an open file to one of the lists.
void ChunkSource::open_file(const std::string& file,
                            std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  io::FileSystem& os = io::real_fs();
  const int copy = file == "-" ? ::dup(STDIN_FILENO) : -1;
  if (file == "-" && copy < 0) {
    throw io::os_error("read", "standard input", -errno);
  }
  auto open =
      file == "-" ? io::Descriptor(os, copy) : io::open_for_reading(file, os);
  io::FileInfo info;
  if (const int rc = os.info(open.get(), &info); rc < 0) {
    throw io::os_error("stat", file, rc);
  }
  if (info.is_directory) {
    throw io::os_error("read", file, -EISDIR);
  }
  char first[4] = {};
  int64_t n = 0;
  if (info.is_regular && file != "-") {
    n = os.read_at(open.get(), first, sizeof(first), 0);
    if (n < 0) throw io::os_error("read", file, n);
  }
  const bool is_plain = info.is_regular && file != "-" &&
                        io::compression_of({first, static_cast<size_t>(n)}) ==
                            io::Compression::kNone;
  if (is_plain) {
    auto mapping = options_.map_files && info.bytes > 0
                       ? map_file(open.get(), info.bytes, file)
                       : nullptr;
    auto plain = std::make_shared<Plain>(
        Plain{std::move(open), &file, info.bytes, std::move(mapping)});
    lock.lock();
    if (info.bytes > 0) plain_.push_back(std::move(plain));
    return;
  }
  io::CompressedFile packed(std::move(open),
                            file == "-" ? "standard input" : file);
  auto stream = std::shared_ptr<Stream>(
      new Stream{.mutex = {}, .file = std::move(packed), .name = &file});
  lock.lock();
  streams_.push_back(std::move(stream));
}

bool ChunkSource::next(Chunk& chunk) {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (!plain_.empty()) {
      const std::shared_ptr<Plain> file = plain_.front();
      const uint64_t from = file->next;
      const uint64_t to =
          std::min<uint64_t>(from + options_.chunk_bytes, file->bytes);
      file->next = to;
      if (to == file->bytes) plain_.pop_front();
      lock.unlock();
      if (read_plain(*file, from, to, chunk)) return true;
      lock.lock();
      continue;
    }
    if (next_file_ < files_.size()) {
      const std::string& file = files_[next_file_++];
      ++opening_;
      try {
        open_file(file, lock);
      } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        --opening_;
        changed_.notify_all();
        throw;
      }
      --opening_;
      changed_.notify_all();
      continue;
    }
    // Streams that nobody reads first, else wait at one.
    std::shared_ptr<Stream> free;
    std::unique_lock<std::mutex> turn;
    for (const auto& stream : streams_) {
      free = stream;
      turn = std::unique_lock(stream->mutex, std::try_to_lock);
      if (turn) break;
    }
    if (free) {
      lock.unlock();
      if (!turn) turn = std::unique_lock(free->mutex);
      const bool more = !free->ended && read_stream(*free, chunk);
      turn.unlock();
      if (more) return true;
      lock.lock();
      streams_.remove(free);
      continue;
    }
    if (opening_ == 0) return false;
    changed_.wait(lock);
  }
  return false;
}

// The units that begin in [from, to): those after the first border at or
// behind from - 1, up to the first border at or behind to - 1.
bool ChunkSource::read_plain(Plain& file,
                             uint64_t from,
                             uint64_t to,
                             Chunk& chunk) {
  file_bytes_ += to - from;
  text_bytes_ += to - from;
  const uint64_t before = from > 0 ? from - 1 : 0;
  size_t have = static_cast<size_t>(to - before);
  size_t begin = 0;
  chunk.mapping = file.mapping;
  const char* const map = static_cast<const char*>(file.mapping.get());
  // The last bytes of a mapping have no padding behind them.
  bool is_mapped = map != nullptr && to + kReadOn <= file.bytes;
  char* own = nullptr;
  if (!is_mapped) {
    own = chunk.reserve(have + kReadOn);
    if (map != nullptr) {
      std::memcpy(own, map + before, have);
    } else {
      read_exactly(file.file.get(), own, have, before, *file.name);
    }
  }
  const auto text = [&] {
    return std::string_view(is_mapped ? map + before : own, have);
  };
  if (from > 0) begin = find_border(text(), 0);
  if (begin == std::string_view::npos || begin >= have) return false;

  size_t end = to == file.bytes ? have : find_border(text(), have - 1);
  while (end == std::string_view::npos) {
    const uint64_t at = before + have;
    if (have - begin > options_.max_unit + options_.chunk_bytes) {
      too_long(*file.name,
               before + begin + find_last_border(text().substr(begin)));
    }
    const auto more =
        static_cast<size_t>(std::min<uint64_t>(kReadOn, file.bytes - at));
    if (more == 0) {
      end = have;
      break;
    }
    if (is_mapped && at + more + kReadOn > file.bytes) {
      // The unit reaches into the last bytes of the file.
      own = chunk.reserve(have + more + kReadOn);
      std::memcpy(own, map + before, have);
      is_mapped = false;
    }
    if (!is_mapped) {
      own = chunk.reserve(have + more + kReadOn, have);
      if (map != nullptr) {
        std::memcpy(own + have, map + at, more);
      } else {
        read_exactly(file.file.get(), own + have, more, at, *file.name);
      }
    }
    const size_t searched = have;
    have += more;
    end = find_border(text(), searched);
  }
  chunk.text = text().substr(begin, end - begin);
  chunk.file = file.name;
  chunk.offset = before + begin;
  return true;
}

bool ChunkSource::read_stream(Stream& stream, Chunk& chunk) {
  size_t have = stream.rest.size();
  const uint64_t offset = stream.file.text_bytes() - have;
  chunk.mapping = nullptr;
  char* own = chunk.reserve(have + options_.chunk_bytes);
  std::memcpy(own, stream.rest.data(), have);
  size_t end = 0;
  while (end == 0 && !stream.ended) {
    own = chunk.reserve(have + options_.chunk_bytes, have);
    const size_t n = stream.file.read({own + have, options_.chunk_bytes});
    stream.ended = n < options_.chunk_bytes;
    text_bytes_ += n;
    const size_t searched = have;
    have += n;
    end = find_last_border({own + searched, n});
    if (end > 0) end += searched;
    if (end == 0 && have > options_.max_unit) {
      too_long(*stream.name, offset);
    }
  }
  file_bytes_ += stream.file.file_bytes() - stream.counted;
  stream.counted = stream.file.file_bytes();
  if (stream.ended) end = have;
  stream.rest.assign(own + end, have - end);
  chunk.text = {own, end};
  chunk.file = stream.name;
  chunk.offset = offset;
  return end > 0;
}

}  // namespace kexue::text::detail
