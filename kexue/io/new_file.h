// Private to io: the files of a checkpoint while they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/hash.h"
#include "kexue/io/checkpoint_manifest.h"
#include "kexue/io/file_system.h"

namespace kexue::io::detail {

// Throws kIo; a full disk gets a hint.
[[noreturn]] void fail_to_save(const char* call,
                               const std::string& path,
                               int64_t negative_errno);

// A file that must not exist yet, hashed while it is written. finish() makes
// it durable; a failed fsync is final, for the kernel may have dropped pages.
//
// A large one goes past the page cache (O_DIRECT) where the file system can do
// that: filling the cache takes several times the processor time of all the
// rest, and pushes out of it what is in use.
class NewFile final {
 public:
  // `bytes`: about how many will come.
  NewFile(const std::string& folder,
          const char* name,
          uint64_t bytes,
          FileSystem& fs);

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  ManifestEntry finish();

 private:
  void write_plainly(std::span<const std::byte> bytes);
  void flush();

  FileSystem& fs_;
  std::string path_;
  Descriptor file_;                   // appends
  std::optional<Descriptor> direct_;  // of the same file
  std::vector<std::byte> memory_;     // block_ is inside, aligned
  std::byte* block_ = nullptr;
  size_t filled_ = 0;
  Hasher hasher_;
  ManifestEntry entry_;
};

}  // namespace kexue::io::detail
