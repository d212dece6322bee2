// A file to read from: mapped into memory, or read piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kexue/base/host_array.h"
#include "kexue/io/file_system.h"

namespace kexue::io {

enum class Access {
  kCopy,  // each read fills memory of its own
  kMap,   // each read is a view of the mapped file. If another process
          // shortens the file, touching the view raises SIGBUS
};

// Bytes, and what keeps them alive.
struct FileBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// A regular file, or an image of one in memory. Copies share it; safe for
// threads.
// Errors: kNotFound, kIo; kUnsupported for what is no regular file.
class InputFile final {
 public:
  static InputFile open(const std::string& path,
                        Access access,
                        FileSystem& fs = real_fs());
  static InputFile from_bytes(std::span<const std::byte> bytes,
                              std::shared_ptr<const void> owner,
                              const std::string& where);

  uint64_t bytes() const;            // when it was opened
  const std::string& where() const;  // path, for messages

  // Exactly `count` bytes, 64-byte aligned with kCopy.
  // Errors: kCorruptData if the file ends before; kIo (memory, too).
  FileBytes read(uint64_t at, uint64_t count) const;

 private:
  struct State;
  explicit InputFile(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

// The bytes as an array, without a copy unless they are misaligned for the
// dtype. `name` is the tensor's, for messages.
// Errors: kCorruptData for a bool other than 0 and 1.
HostArray array_of_bytes(const TensorType& type,
                         const FileBytes& data,
                         const std::string& where,
                         std::string_view name);

// The path of the file that is mapped at this address, or null. Calls only
// what a signal handler may: that of SIGBUS can name the file.
const char* mapped_path_at(const void* address) noexcept;

}  // namespace kexue::io
