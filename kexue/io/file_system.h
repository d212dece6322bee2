// The operating system's files as an interface, so that tests can fail each
// call in turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/error.h"

namespace kexue::io {

struct FileInfo {
  uint64_t bytes = 0;
  bool is_regular = false;
  bool is_directory = false;
};

// Every call returns >= 0, or -errno. Nothing throws, nothing retries: callers
// loop over EINTR and short transfers. Safe for concurrent use.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // `flags` as in open(2); O_CLOEXEC is added. Returns a descriptor.
  virtual int open(const std::string& path, int flags, unsigned mode) = 0;
  virtual int close(int fd) = 0;
  virtual int64_t read(int fd, void* to, size_t bytes) = 0;
  virtual int64_t read_at(int fd, void* to, size_t bytes, uint64_t at) = 0;
  virtual int64_t write(int fd, const void* from, size_t bytes) = 0;
  virtual int fsync(int fd) = 0;
  virtual int info(int fd, FileInfo* out) = 0;

  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int unlink(const std::string& path) = 0;
  virtual int mkdir(const std::string& path, unsigned mode) = 0;
  virtual int rmdir(const std::string& path) = 0;
  // Names in a folder without "." and "..", sorted.
  virtual int list(const std::string& path, std::vector<std::string>* out) = 0;
  // Bytes an unprivileged user may still write on the file system of `path`.
  virtual int free_bytes(const std::string& path, uint64_t* out) = 0;
};

FileSystem& real_fs();

// kNotFound for ENOENT, else kIo: "open /a/b: Permission denied (errno 13)".
[[nodiscard]] Error os_error(std::string_view call,
                             const std::string& path,
                             int64_t negative_errno);

// Closes a descriptor on every way out; close() reports, the destructor cannot.
class Descriptor final {
 public:
  Descriptor(FileSystem& fs, int fd) : fs_(&fs), fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fs_(other.fs_), fd_(other.fd_) {
    other.fd_ = -1;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  int close() {
    if (fd_ < 0) return 0;
    const int fd = fd_;
    fd_ = -1;
    return fs_->close(fd);
  }

 private:
  FileSystem* fs_;
  int fd_;
};

// The descriptor of an existing file; kNotFound or kIo with the path.
Descriptor open_for_reading(const std::string& path, FileSystem& fs);

}  // namespace kexue::io
