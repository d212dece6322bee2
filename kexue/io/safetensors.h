// The safetensors format: one JSON header, then the bytes of all tensors.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/io/file_system.h"
#include "kexue/io/input_file.h"

namespace kexue::io {

// One header entry; offsets count from the end of the header.
struct TensorEntry {
  std::string name;
  std::string dtype;  // as in the file: "F32", "F8_E4M3", ...
  Shape shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// A validated file. Copies share it; const access is safe for threads.
//
// Checks: 8-byte length, 2..100,000,000 and inside the file; header starts with
//         "{", is UTF-8 JSON without duplicate keys, only spaces follow it;
//         entries have exactly dtype, shape, data_offsets; known dtype, rank
//         <= 16; bytes = product(shape) * width exactly; sorted tensors fill
//         the file without gap or overlap. __metadata__ maps text to text.
// Errors: kCorruptData naming tensor, rule and both numbers; kUnsupported for
//         limits, unknown dtypes and pickles; kNotFound, kIo for the file.
class Safetensors final {
 public:
  using Access = io::Access;
  struct Options {
    Access access = Access::kCopy;
    // Accept bytes after the last tensor, which some writers leave.
    bool allow_trailing_bytes = false;
  };

  static Safetensors open(const std::string& path,
                          Options options,
                          FileSystem& fs = real_fs());
  static Safetensors open(const std::string& path);
  // A file image in memory that `owner` keeps alive; tensor() gives views.
  static Safetensors from_bytes(std::span<const std::byte> bytes,
                                std::shared_ptr<const void> owner,
                                const std::string& where,
                                bool allow_trailing_bytes = false);

  // In file order.
  const std::vector<TensorEntry>& entries() const;
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const;
  const std::string& where() const;  // path, for messages

  // Errors: kNotFound naming the file and a similar name; kUnsupported for a
  //         dtype that has no DType (I8, I16, U16, U64, F8_*, F4, F6_*).
  const TensorEntry& entry(std::string_view name) const;
  TensorType type(std::string_view name) const;
  // Read-only and 64-byte aligned with kCopy; clone() to change it. Errors
  // also kCorruptData for a BOOL byte other than 0 and 1, and kIo when the
  // file cannot be read any more.
  HostArray tensor(std::string_view name) const;

 private:
  struct File;
  explicit Safetensors(std::shared_ptr<const File> file);
  static Safetensors from_file(InputFile in, bool allow_trailing_bytes);
  std::shared_ptr<const File> file_;
};

// Writes tensors in the given order, atomically (AtomicFile), with the header
// padded to a multiple of 8 bytes. The folder must have 1.1 x the size free.
//
// Errors: kInvalidArgument for duplicate names, "__metadata__" as a name, or
//         text that is not UTF-8; kUnsupported for c128, which the format
//         lacks; kIo.
void save_safetensors(
    const std::string& path,
    const std::vector<std::pair<std::string, HostArray>>& tensors,
    const std::map<std::string, std::string>& metadata = {},
    FileSystem& fs = real_fs());

}  // namespace kexue::io
