#include "kexue/io/new_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/io/write_all.h"

namespace kexue::io::detail {
namespace {

constexpr int kCreateFlags =
    O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW;
// Fits into a second-level cache, where it is hashed.
constexpr size_t kBlock = 1U << 20;
// Of memory, lengths and places in the file; disks want 512 or 4096.
constexpr size_t kAlignment = 4096;

int create(const std::string& path, FileSystem& fs) {
  int fd = 0;
  do {
    fd = fs.open(path, kCreateFlags, 0666);
  } while (fd == -EINTR);
  if (fd < 0) fail_to_save("create", path, fd);
  return fd;
}

}  // namespace

void fail_to_save(const char* call,
                  const std::string& path,
                  int64_t negative_errno) {
  throw write_error(call,
                    path,
                    negative_errno,
                    "free some space; older checkpoints are unchanged");
}

NewFile::NewFile(const std::string& folder,
                 const char* name,
                 uint64_t bytes,
                 FileSystem& fs)
    : fs_(fs),
      path_(folder + "/" + name),
      file_(fs, create(path_, fs)),
      entry_{.name = name, .bytes = 0, .xxh3_128 = ""} {
  if (bytes < kBlock) return;
  const int fd = fs_.open(path_, O_WRONLY | O_DIRECT | O_NOFOLLOW, 0);
  if (fd < 0) return;  // tmpfs, say
  direct_.emplace(fs_, fd);
  memory_.resize(kBlock + kAlignment);
  void* at = memory_.data();
  size_t room = memory_.size();
  block_ = static_cast<std::byte*>(std::align(kAlignment, kBlock, at, room));
}

void NewFile::write(std::span<const std::byte> bytes) {
  entry_.bytes += bytes.size();
  while (direct_ && !bytes.empty()) {
    const size_t n = std::min(bytes.size(), kBlock - filled_);
    std::memcpy(block_ + filled_, bytes.data(), n);
    hasher_.update(std::span(block_ + filled_, n));
    filled_ += n;
    bytes = bytes.subspan(n);
    if (filled_ == kBlock) flush();
  }
  hasher_.update(bytes);
  write_plainly(bytes);
}

void NewFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void NewFile::write_plainly(std::span<const std::byte> bytes) {
  const int64_t rc = write_all(fs_, file_.get(), &bytes);
  if (rc < 0) fail_to_save("write", path_, rc);
}

// What cannot be written directly (a disk may want larger blocks, or have
// stopped in the middle of one) is appended plainly, and so is all after it.
void NewFile::flush() {
  std::span<const std::byte> rest(block_, std::exchange(filled_, 0));
  if (direct_) {
    const int64_t rc = write_all(fs_, direct_->get(), &rest);
    if (rc < 0 && rc != -EINVAL) fail_to_save("write", path_, rc);
    if (rc == -EINVAL) direct_.reset();
  }
  write_plainly(rest);
}

ManifestEntry NewFile::finish() {
  direct_.reset();  // the rest is no whole block
  flush();
  if (const int rc = fs_.fsync(file_.get()); rc < 0) {
    fail_to_save("fsync", path_, rc);
  }
  if (const int rc = file_.close(); rc < 0) fail_to_save("close", path_, rc);
  entry_.xxh3_128 = hasher_.hex();
  return entry_;
}

}  // namespace kexue::io::detail
