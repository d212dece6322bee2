// One face for every file of weights: a list of tensors, read one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/io/file_system.h"
#include "kexue/io/input_file.h"

namespace kexue::io {

struct TensorInfo {
  std::string name;
  std::string stored;  // the format's own word: "F32", "Q4_1", "DT_HALF"
  Shape shape;         // row-major, outermost first, whatever the format says
  // What tensor() gives; nothing for what can be listed but not read.
  std::optional<DType> dtype;
  uint64_t bytes = 0;  // in the file
};

// Opened and checked. const access is safe for threads.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  const std::string& format() const { return format_; }  // "gguf", ...
  const std::string& where() const { return where_; }    // path, for messages
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  // What else the file says, as text for people; long lists are summed up.
  const std::map<std::string, std::string>& metadata() const {
    return metadata_;
  }

  // Tensor i of the list, converted as the list says: quantised ones to f32,
  // 8- and 16-bit integers to i32, u64 to i64. A view where that is possible.
  // Errors: kUnsupported for a tensor without dtype; kCorruptData for a bad
  //         checksum or value; kIo.
  HostArray tensor(size_t i) const;
  // Errors also kNotFound naming the file and a similar name.
  size_t index_of(std::string_view name) const;

 protected:
  TensorSource(std::string format, std::string where)
      : format_(std::move(format)), where_(std::move(where)) {}
  virtual HostArray read(size_t i) const = 0;

  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;

 private:
  std::string format_;
  std::string where_;
};

using SourcePtr = std::shared_ptr<const TensorSource>;

// Looks at the content, not at the name's ending: safetensors (one file, or a
// folder with an index of shards), GGUF, ONNX, TensorFlow checkpoints (the
// prefix, the .index file or one of the .data files).
//
// Errors: as the readers'; kNotFound; kUnsupported with a hint for PyTorch
//         pickles, TensorFlow's old one-file checkpoints, HDF5 and what is none
//         of these.
SourcePtr open_tensors(const std::string& path,
                       Access access = Access::kCopy,
                       FileSystem& fs = real_fs());

// The name that shares the longest beginning and ending with the wanted one; ""
// if none shares half of it.
std::string similar_name(const std::vector<TensorInfo>& tensors,
                         std::string_view wanted);

}  // namespace kexue::io
