#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/pjrt/detail/api.h"
#include "kexue/pjrt/plugin.h"

namespace kexue::pjrt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHexDigits = 32;
constexpr size_t kMaxEntryBytes = 8192;

class File final {
 public:
  File(const fs::path& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // Bytes read into `to`, fewer only at the end; -1 with errno.
  ssize_t read(std::span<char> to) const {
    size_t done = 0;
    while (done < to.size()) {
      const ssize_t n = ::read(fd_, to.data() + done, to.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return -1;
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return static_cast<ssize_t>(done);
  }

 private:
  int fd_;
};

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
  throw Error(Code::kIo, fmt::format("plugin {}: {}", path.string(), why));
}

// Changes whenever the file is replaced or written to.
std::string identity(const fs::path& path, const struct stat& s) {
  return fmt::format("kexue plugin hash 1\n{}\n{} {} {} {}.{:09} {}.{:09}\n",
                     path.string(),
                     s.st_size,
                     s.st_dev,
                     s.st_ino,
                     s.st_mtim.tv_sec,
                     s.st_mtim.tv_nsec,
                     s.st_ctim.tv_sec,
                     s.st_ctim.tv_nsec);
}

std::string hash_file(const fs::path& path, const File& file) {
  std::vector<char> block(size_t{1} << 20);
  Hasher hasher;
  for (;;) {
    const ssize_t n = file.read(block);
    if (n < 0) fail(path, std::strerror(errno));
    if (n == 0) return hasher.hex();
    hasher.update(std::string_view(block.data(), static_cast<size_t>(n)));
  }
}

// The hash kept for `id`; empty if there is none that we may believe.
std::string kept_hash(const fs::path& entry, const std::string& id) {
  const File file(entry, O_RDONLY | O_NOFOLLOW);
  struct stat s {};
  if (!file.ok() || ::fstat(file.fd(), &s) != 0 || s.st_uid != ::geteuid() ||
      (s.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "";
  }
  std::string text(kMaxEntryBytes, '\0');
  const ssize_t n = file.read(text);
  if (n < 0) return "";
  text.resize(static_cast<size_t>(n));
  if (text.size() != id.size() + kHexDigits || !text.starts_with(id)) return "";
  std::string hash = text.substr(id.size());
  const bool hex = std::all_of(hash.begin(), hash.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  return hex ? hash : "";
}

// Best effort: without the entry the next process reads the file again.
void keep_hash(const fs::path& entry, const std::string& text) {
  std::error_code ignored;
  if (fs::create_directories(entry.parent_path(), ignored)) {
    fs::permissions(entry.parent_path(), fs::perms::owner_all, ignored);
  }
  fs::path temporary = entry;
  temporary += fmt::format(".tmp-{}", ::getpid());
  {
    const File file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!file.ok()) return;
    const ssize_t n = ::write(file.fd(), text.data(), text.size());
    if (n != static_cast<ssize_t>(text.size())) {
      fs::remove(temporary, ignored);
      return;
    }
  }
  fs::rename(temporary, entry, ignored);
  if (ignored) fs::remove(temporary, ignored);
}

}  // namespace

std::string Plugin::fingerprint(const fs::path& cache_folder) const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->fingerprint.empty()) return state_->fingerprint;
  const File file(state_->path, O_RDONLY);
  struct stat now {};
  if (!file.ok() || ::fstat(file.fd(), &now) != 0) {
    fail(state_->path, std::strerror(errno));
  }
  const std::string id = identity(state_->path, now);
  if (id != identity(state_->path, state_->file)) {
    fail(state_->path, "the file changed after it was opened; start again");
  }
  std::string hash;
  fs::path entry;
  if (!cache_folder.empty()) {
    entry = cache_folder /
            fmt::format("plugin-{}.hash", hash128(state_->path.string()));
    hash = kept_hash(entry, id);
  }
  if (hash.empty()) {
    hash = hash_file(state_->path, file);
    if (!entry.empty()) keep_hash(entry, id + hash);
  }
  state_->fingerprint = hash;
  return hash;
}

}  // namespace kexue::pjrt
