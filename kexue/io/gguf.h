// GGUF: key-values and tensors of llama.cpp and its relatives.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/tensor_source.h"

namespace kexue::io {

// Numbers as in the file.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// A key's value: one element, or a list of them.
struct GgufValue {
  GgufType type = GgufType::kU8;  // of the elements; never kArray
  bool is_list = false;
  std::vector<std::string> texts;  // kString
  std::string raw;                 // the others: little-endian, as in the file

  uint64_t size() const;
  // Element i. Errors: kInvalidArgument for another type or an i beyond the
  // end; kUnsupported for a u64 above 2^63-1.
  int64_t integer(uint64_t i = 0) const;  // integers and bools
  double number(uint64_t i = 0) const;    // any number
  const std::string& text(uint64_t i = 0) const;
  std::string summary() const;  // "f32 1e-05", "49152 strings"
};

// A validated file.
//
// Checks: magic; version 2 or 3, little-endian; at most 65,536 keys and as
//         many tensors; keys of 1-256 bytes, tensor names of 1-255, both
//         unique UTF-8; strings <= 16 MiB; bools 0 or 1; no lists of lists;
//         alignment a u32 power of two up to 1 MiB; rank 1-4; the first
//         dimension a multiple of the block; known tensor types; tensors one
//         after the other, each padded to the alignment, all inside the file;
//         tokenizer lists of one length, special ids inside the vocabulary,
//         byte tokens <0xHH>; block_count <= 1024 and a tensor for each block.
// Errors: kCorruptData with the offset or the name and both numbers;
//         kUnsupported for limits and other versions.
class Gguf final : public TensorSource {
 public:
  static std::shared_ptr<const Gguf> open(const std::string& path,
                                          Access access = Access::kCopy,
                                          FileSystem& fs = real_fs());
  static std::shared_ptr<const Gguf> from_file(const InputFile& file);

  const std::map<std::string, GgufValue>& values() const { return values_; }
  // Null if there is no such key.
  const GgufValue* find(const std::string& key) const;

 protected:
  HostArray read(size_t i) const override;

 private:
  explicit Gguf(const InputFile& file);

  struct Place {
    uint32_t type = 0;  // the format's number
    uint64_t at = 0;    // in the file
  };
  InputFile file_;
  std::map<std::string, GgufValue> values_;
  std::vector<Place> places_;
};

// How the writer stores floats; other dtypes stay what they are.
enum class GgufFloats { kAsTheyAre, kQ8_0 };

// Writes version 3, atomically, reading one tensor after the other. With kQ8_0
// float matrices whose rows are multiples of 32 long become Q8_0; everything
// else stays as it is, a scalar as [1].
// Errors: kInvalidArgument for names and ranks that the format lacks;
//         kUnsupported for bool, u8, u32 and complex; kIo.
void save_gguf(const std::string& path,
               const TensorSource& tensors,
               const std::map<std::string, GgufValue>& values,
               GgufFloats floats = GgufFloats::kAsTheyAre,
               FileSystem& fs = real_fs());

}  // namespace kexue::io
