#include "kexue/io/write_all.h"

#include <cerrno>

namespace kexue::io {

int64_t write_all(FileSystem& fs, int fd, std::span<const std::byte>* rest) {
  while (!rest->empty()) {
    const int64_t n = fs.write(fd, rest->data(), rest->size());
    if (n == -EINTR) continue;
    if (n <= 0) return n == 0 ? -EIO : n;
    *rest = rest->subspan(static_cast<size_t>(n));
  }
  return 0;
}

int64_t write_all(FileSystem& fs, int fd, std::string_view text) {
  auto rest = std::as_bytes(std::span(text.data(), text.size()));
  return write_all(fs, fd, &rest);
}

Error write_error(std::string_view call,
                  const std::string& path,
                  int64_t negative_errno,
                  const char* hint_if_full) {
  const bool full = negative_errno == -ENOSPC || negative_errno == -EDQUOT ||
                    negative_errno == -EFBIG;
  return Error(Code::kIo,
               os_error(call, path, negative_errno).text(),
               full ? hint_if_full : "");
}

}  // namespace kexue::io
