#include "kexue/io/compressed_file.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "kexue/base/error.h"

namespace kexue::io {
namespace {

constexpr size_t kInputBytes = size_t{1} << 17;
constexpr size_t kFirstBytes = 4;
constexpr size_t kMostAtOnce = size_t{1} << 30;  // zlib counts in 32 bits
constexpr int kGzipOnly = 15 + 16;               // window bits, format

void require_memory(bool good) {
  if (!good) throw std::bad_alloc();
}

}  // namespace

Compression compression_of(std::string_view first) {
  using namespace std::string_view_literals;
  if (first.starts_with("\x1f\x8b\x08"sv)) return Compression::kGzip;
  if (first.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::kZstd;
  // A zstd frame to skip: its magic number has 16 values.
  if (first.size() >= kFirstBytes && (first[0] & 0xf0) == 0x50 &&
      first.substr(1, 3) == "\x2a\x4d\x18"sv) {
    return Compression::kZstd;
  }
  return Compression::kNone;
}

struct CompressedFile::State {
  State(Descriptor f, std::string n, FileSystem& s, uint64_t max)
      : fs(s), file(std::move(f)), name(std::move(n)), max_bytes(max) {
    input.resize(kInputBytes);
    while (end < kFirstBytes && fill()) {
    }
    kind = compression_of({input.data(), end});
    if (kind == Compression::kGzip) {
      require_memory(inflateInit2(&gzip, kGzipOnly) == Z_OK);
      has_gzip = true;
    } else if (kind == Compression::kZstd) {
      zstd = ZSTD_createDStream();
      require_memory(zstd != nullptr);
      ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, limits::kZstdWindowLog);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (has_gzip) inflateEnd(&gzip);
    ZSTD_freeDStream(zstd);
  }

  [[noreturn]] void fail(Code code, std::string_view what) const {
    throw Error(code,
                fmt::format("{}: {} (byte {} of the file, {} of its text)",
                            name,
                            what,
                            consumed + at,
                            text));
  }

  // Appends what the file gives next to the input; false at its end.
  bool fill() {
    if (at == end) {
      consumed += at;
      at = end = 0;
    }
    int64_t n = 0;
    do {
      n = fs.read(file.get(), input.data() + end, input.size() - end);
    } while (n == -EINTR);
    if (n < 0) throw os_error("read", name, n);
    end += static_cast<size_t>(n);
    return n > 0;
  }

  size_t read(std::span<char> to);
  size_t read_plain(std::span<char> to);
  size_t read_gzip(std::span<char> to);
  size_t read_zstd(std::span<char> to);

  FileSystem& fs;
  Descriptor file;
  std::string name;
  uint64_t max_bytes;
  std::vector<char> input;
  size_t at = 0;  // input[at, end) is not used yet
  size_t end = 0;
  uint64_t consumed = 0;  // bytes of the file before input
  uint64_t text = 0;
  Compression kind = Compression::kNone;
  bool inside = true;  // of a member or frame that must still end
  z_stream gzip = {};
  bool has_gzip = false;
  ZSTD_DStream* zstd = nullptr;
};

size_t CompressedFile::State::read_plain(std::span<char> to) {
  if (at < end) {
    const size_t n = std::min(to.size(), end - at);
    std::copy_n(input.data() + at, n, to.data());
    at += n;
    return n;
  }
  consumed += at;
  at = end = 0;
  int64_t n = 0;
  do {
    n = fs.read(file.get(), to.data(), to.size());
  } while (n == -EINTR);
  if (n < 0) throw os_error("read", name, n);
  consumed += static_cast<uint64_t>(n);
  return static_cast<size_t>(n);
}

// 0 only at the end of the file.
size_t CompressedFile::State::read_gzip(std::span<char> to) {
  for (;;) {
    if (at == end && !fill()) {
      if (inside) fail(Code::kCorruptData, "the gzip stream is cut short");
      return 0;
    }
    if (!inside) {
      if (input[at] == '\0') {  // padding, as tape and gzip itself allow
        ++at;
        continue;
      }
      require_memory(inflateReset(&gzip) == Z_OK);
      inside = true;
    }
    gzip.next_in = reinterpret_cast<Bytef*>(input.data() + at);
    gzip.avail_in = static_cast<uInt>(end - at);
    gzip.next_out = reinterpret_cast<Bytef*>(to.data());
    gzip.avail_out = static_cast<uInt>(to.size());
    const int rc = inflate(&gzip, Z_NO_FLUSH);
    at = end - gzip.avail_in;
    if (rc == Z_MEM_ERROR) throw std::bad_alloc();
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
      fail(Code::kCorruptData,
           fmt::format("broken gzip: {}",
                       gzip.msg != nullptr ? gzip.msg : "unknown data"));
    }
    if (rc == Z_STREAM_END) inside = false;
    const size_t n = to.size() - gzip.avail_out;
    if (n > 0) return n;
  }
}

size_t CompressedFile::State::read_zstd(std::span<char> to) {
  ZSTD_outBuffer out{to.data(), to.size(), 0};
  // All input may be taken in while text is still waiting to come out.
  for (bool waiting = inside;; waiting = false) {
    // At the end of a frame the next bytes start another one, or nothing.
    if (at == end && !waiting && !fill()) {
      if (inside) fail(Code::kCorruptData, "the zstd stream is cut short");
      return 0;
    }
    ZSTD_inBuffer in{input.data(), end, at};
    const size_t rc = ZSTD_decompressStream(zstd, &out, &in);
    at = in.pos;
    if (ZSTD_isError(rc) != 0) {
      const std::string_view what = ZSTD_getErrorName(rc);
      if (what.find("too much memory") != std::string_view::npos) {
        fail(Code::kUnsupported, "a zstd window above 128 MiB");
      }
      fail(Code::kCorruptData, fmt::format("broken zstd: {}", what));
    }
    inside = rc != 0;
    if (out.pos > 0) return out.pos;
  }
}

size_t CompressedFile::State::read(std::span<char> to) {
  size_t done = 0;
  while (done < to.size()) {
    const auto rest = to.subspan(done, std::min(to.size() - done, kMostAtOnce));
    const size_t n = kind == Compression::kGzip   ? read_gzip(rest)
                     : kind == Compression::kZstd ? read_zstd(rest)
                                                  : read_plain(rest);
    if (n == 0) break;
    done += n;
    text += n;
    if (kind != Compression::kNone && text > max_bytes) {
      fail(Code::kUnsupported,
           fmt::format("unpacks to more than {} bytes", max_bytes));
    }
  }
  return done;
}

CompressedFile::CompressedFile(const std::string& path,
                               FileSystem& fs,
                               uint64_t max_bytes)
    : CompressedFile(open_for_reading(path, fs), path, fs, max_bytes) {}

CompressedFile::CompressedFile(Descriptor file,
                               std::string name,
                               FileSystem& fs,
                               uint64_t max_bytes)
    : state_(std::make_unique<State>(
          std::move(file), std::move(name), fs, max_bytes)) {}

CompressedFile::CompressedFile(CompressedFile&&) noexcept = default;
CompressedFile::~CompressedFile() = default;

size_t CompressedFile::read(std::span<char> to) {
  return state_->read(to);
}

std::string CompressedFile::read_all() {
  std::string out;
  for (size_t have = 0;;) {
    out.resize(std::max(have + kInputBytes, 2 * have));
    const size_t n = read({out.data() + have, out.size() - have});
    have += n;
    if (n == 0 || have < out.size()) {
      out.resize(have);
      return out;
    }
  }
}

Compression CompressedFile::compression() const {
  return state_->kind;
}
uint64_t CompressedFile::text_bytes() const {
  return state_->text;
}
uint64_t CompressedFile::file_bytes() const {
  return state_->consumed + state_->at;
}
const std::string& CompressedFile::name() const {
  return state_->name;
}

}  // namespace kexue::io
