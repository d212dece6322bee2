// Whole files: read with a limit, and written so that a reader sees the old
// content or the new, never a mixture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kexue/io/file_system.h"

namespace kexue::io {

// Writes to a temporary name in the target's folder; commit() makes it real.
//
// Protocol: O_CREAT|O_EXCL|O_NOFOLLOW, loop over short writes and EINTR,
//           fsync, close, rename, fsync of the folder.
// Errors:   kIo with path and errno text (a full disk: ENOSPC, EDQUOT, EFBIG);
//           the temporary file is removed and the old target is untouched. Only
//           an error of the last fsync comes after the new content is in place;
//           its text says so. A failed object cannot be used again.
class AtomicFile final {
 public:
  explicit AtomicFile(std::string path, FileSystem& fs = real_fs());
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(std::string_view call, int64_t negative_errno);
  void remove_temporary() noexcept;

  FileSystem& fs_;
  std::string path_;
  std::string temporary_;
  Descriptor file_;
  bool exists_ = false;  // the temporary name is on disk
};

void write_file(const std::string& path,
                std::span<const std::byte> bytes,
                FileSystem& fs = real_fs());
void write_file(const std::string& path,
                std::string_view text,
                FileSystem& fs = real_fs());

// The content; kUnsupported above max_bytes (pipes too), kNotFound, kIo.
std::string read_file(const std::string& path,
                      uint64_t max_bytes,
                      FileSystem& fs = real_fs());

// kIo unless the file system of `folder` has 1.1 x `bytes` left.
void require_free_space(const std::string& folder,
                        uint64_t bytes,
                        FileSystem& fs = real_fs());

// "a/b" -> "a", "b" -> ".", "/b" -> "/".
std::string parent_folder(const std::string& path);

}  // namespace kexue::io
