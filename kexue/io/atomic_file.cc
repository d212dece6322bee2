#include "kexue/io/atomic_file.h"
#include "kexue/io/write_all.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>

namespace kexue::io {
namespace {

constexpr int kCreateFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
constexpr int kNameAttempts = 16;

constexpr const char* kHintIfFull =
    "free some space; the previous file, if any, is unchanged";

std::string temporary_name(const std::string& path) {
  std::random_device random;
  return fmt::format("{}/.tmp-{}-{:08x}{:08x}",
                     parent_folder(path),
                     ::getpid(),
                     random(),
                     random());
}

// Sets *name to what was created.
int create_temporary(FileSystem& fs,
                     const std::string& path,
                     std::string* name) {
  int fd = -EEXIST;
  for (int i = 0; i < kNameAttempts && (fd == -EEXIST || fd == -EINTR); ++i) {
    *name = temporary_name(path);
    fd = fs.open(*name, kCreateFlags, 0666);
  }
  if (fd < 0)
    throw write_error("create a temporary file for", path, fd, kHintIfFull);
  return fd;
}

}  // namespace

AtomicFile::AtomicFile(std::string path, FileSystem& fs)
    : fs_(fs),
      path_(std::move(path)),
      file_(fs, create_temporary(fs, path_, &temporary_)),
      exists_(true) {}

AtomicFile::~AtomicFile() {
  file_.close();
  remove_temporary();
}

void AtomicFile::remove_temporary() noexcept {
  if (exists_) fs_.unlink(temporary_);
  exists_ = false;
}

void AtomicFile::fail(std::string_view call, int64_t negative_errno) {
  file_.close();
  remove_temporary();
  throw write_error(call, path_, negative_errno, kHintIfFull);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (file_.get() < 0) {
    throw Error(Code::kInternal, "write to a finished file " + path_);
  }
  const int64_t rc = write_all(fs_, file_.get(), &bytes);
  if (rc < 0) fail("write", rc);
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void AtomicFile::commit() {
  if (file_.get() < 0) {
    throw Error(Code::kInternal, "commit of a finished file " + path_);
  }
  // A failed fsync is final: the kernel may have dropped the pages already.
  if (const int rc = fs_.fsync(file_.get()); rc < 0) fail("fsync", rc);
  if (const int rc = file_.close(); rc < 0) fail("close", rc);
  if (const int rc = fs_.rename(temporary_, path_); rc < 0) fail("rename", rc);
  exists_ = false;

  const std::string folder = parent_folder(path_);
  const int fd = fs_.open(folder, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0)
    throw write_error(
        "written, but cannot open folder", folder, fd, kHintIfFull);
  Descriptor dir(fs_, fd);
  // EINVAL: this file system has no fsync for folders.
  if (const int rc = fs_.fsync(fd); rc < 0 && rc != -EINVAL) {
    throw write_error(
        "written, but not yet durable: fsync", folder, rc, kHintIfFull);
  }
}

void write_file(const std::string& path,
                std::span<const std::byte> bytes,
                FileSystem& fs) {
  require_free_space(parent_folder(path), bytes.size(), fs);
  AtomicFile file(path, fs);
  file.write(bytes);
  file.commit();
}

void write_file(const std::string& path,
                std::string_view text,
                FileSystem& fs) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())), fs);
}

std::string read_file(const std::string& path,
                      uint64_t max_bytes,
                      FileSystem& fs) {
  const Descriptor file = open_for_reading(path, fs);
  FileInfo info;
  if (const int rc = fs.info(file.get(), &info); rc < 0) {
    throw os_error("stat", path, rc);
  }
  const auto too_big = [&](uint64_t bytes) {
    return Error(
        Code::kUnsupported,
        fmt::format(
            "{}: {} bytes or more, the limit is {}", path, bytes, max_bytes));
  };
  if (info.is_regular && info.bytes > max_bytes) throw too_big(info.bytes);

  // One byte more than expected shows the end, or a file that grows.
  constexpr size_t kChunk = 65'536;
  size_t want = info.is_regular ? static_cast<size_t>(info.bytes) + 1 : kChunk;
  std::string out;
  for (;;) {
    const size_t have = out.size();
    out.resize(have + want);
    const int64_t n = fs.read(file.get(), out.data() + have, want);
    out.resize(have + static_cast<size_t>(std::max<int64_t>(n, 0)));
    if (n == 0) return out;
    if (n < 0 && n != -EINTR) throw os_error("read", path, n);
    if (out.size() > max_bytes) throw too_big(out.size());
    want = kChunk;
  }
}

void require_free_space(const std::string& folder,
                        uint64_t bytes,
                        FileSystem& fs) {
  uint64_t free = 0;
  if (const int rc = fs.free_bytes(folder, &free); rc < 0) {
    throw write_error("statvfs", folder, rc, kHintIfFull);
  }
  const uint64_t tenth = bytes / 10;
  if (free < bytes || free - bytes < tenth) {
    throw Error(Code::kIo,
                fmt::format("{}: {} bytes wanted with a tenth to spare, {} "
                            "free on this file system",
                            folder,
                            bytes,
                            free),
                "free some space or choose another folder");
  }
}

std::string parent_folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace kexue::io
