#include "kexue/io/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace kexue::io {
namespace {

template <class T>
T result(T returned) {
  return returned < 0 ? static_cast<T>(-errno) : returned;
}

class RealFs final : public FileSystem {
 public:
  int open(const std::string& path, int flags, unsigned mode) override {
    return result(::open(path.c_str(), flags | O_CLOEXEC, mode));
  }
  int close(int fd) override { return result(::close(fd)); }
  int64_t read(int fd, void* to, size_t bytes) override {
    return result<int64_t>(::read(fd, to, bytes));
  }
  int64_t read_at(int fd, void* to, size_t bytes, uint64_t at) override {
    return result<int64_t>(::pread(fd, to, bytes, static_cast<off_t>(at)));
  }
  int64_t write(int fd, const void* from, size_t bytes) override {
    return result<int64_t>(::write(fd, from, bytes));
  }
  int fsync(int fd) override { return result(::fsync(fd)); }

  int info(int fd, FileInfo* out) override {
    struct stat s;
    const int rc = result(::fstat(fd, &s));
    if (rc < 0) return rc;
    out->bytes = static_cast<uint64_t>(s.st_size);
    out->is_regular = S_ISREG(s.st_mode);
    out->is_directory = S_ISDIR(s.st_mode);
    return 0;
  }

  int rename(const std::string& from, const std::string& to) override {
    return result(::rename(from.c_str(), to.c_str()));
  }
  int unlink(const std::string& path) override {
    return result(::unlink(path.c_str()));
  }
  int mkdir(const std::string& path, unsigned mode) override {
    return result(::mkdir(path.c_str(), mode));
  }
  int rmdir(const std::string& path) override {
    return result(::rmdir(path.c_str()));
  }

  int list(const std::string& path, std::vector<std::string>* out) override {
    const auto close = [](DIR* d) { ::closedir(d); };
    // Closed as well when there is no memory for a name.
    const std::unique_ptr<DIR, decltype(close)> dir(::opendir(path.c_str()),
                                                    close);
    if (dir == nullptr) return -errno;
    out->clear();
    errno = 0;
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") out->emplace_back(name);
      errno = 0;
    }
    const int failed = errno;
    std::sort(out->begin(), out->end());
    return -failed;
  }

  int free_bytes(const std::string& path, uint64_t* out) override {
    struct statvfs s;
    const int rc = result(::statvfs(path.c_str(), &s));
    if (rc < 0) return rc;
    *out = static_cast<uint64_t>(s.f_bavail) * s.f_frsize;
    return 0;
  }
};

}  // namespace

FileSystem& real_fs() {
  static RealFs fs;
  return fs;
}

Error os_error(std::string_view call,
               const std::string& path,
               int64_t negative_errno) {
  const int code = static_cast<int>(-negative_errno);
  return Error(code == ENOENT ? Code::kNotFound : Code::kIo,
               fmt::format("{} {}: {} (errno {})",
                           call,
                           path,
                           std::generic_category().message(code),
                           code));
}

Descriptor open_for_reading(const std::string& path, FileSystem& fs) {
  int fd = 0;
  do {
    fd = fs.open(path, O_RDONLY, 0);
  } while (fd == -EINTR);
  if (fd < 0) throw os_error("open", path, fd);
  return Descriptor(fs, fd);
}

}  // namespace kexue::io
