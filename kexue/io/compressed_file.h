// Files as streams of bytes, gzip and zstd unpacked on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kexue/io/file_system.h"
#include "kexue/io/limits.h"

namespace kexue::io {

enum class Compression { kNone, kGzip, kZstd };

// By the first bytes, four are enough: names do not count.
Compression compression_of(std::string_view first_bytes);

// One pass over a file, a pipe or standard input. Several gzip members or
// zstd frames after each other are one text, as their own programs have it.
//
// Errors: kCorruptData with the name and the offsets in the file and in the
//         text, for a broken or cut stream and a wrong checksum; kUnsupported
//         beyond max_bytes of text or a zstd window of 128 MiB; kNotFound, kIo.
//         After an error the object is of no use. The checksum stands at the
//         end, so only a pass that has come to the end has seen good data.
class CompressedFile final {
 public:
  explicit CompressedFile(const std::string& path,
                          FileSystem& fs = real_fs(),
                          uint64_t max_bytes = limits::kUnpackedBytes);
  // `name` stands for the file in errors.
  CompressedFile(Descriptor file,
                 std::string name,
                 FileSystem& fs = real_fs(),
                 uint64_t max_bytes = limits::kUnpackedBytes);
  CompressedFile(CompressedFile&&) noexcept;
  ~CompressedFile();

  // Fills `to` unless the text ends before; 0 at the end.
  size_t read(std::span<char> to);
  // The rest of the text.
  std::string read_all();

  Compression compression() const;
  uint64_t text_bytes() const;  // returned so far
  uint64_t file_bytes() const;  // consumed so far
  const std::string& name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kexue::io
