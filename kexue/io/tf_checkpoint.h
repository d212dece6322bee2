// TensorFlow checkpoints (format V2), without TensorFlow.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kexue/io/tensor_source.h"

namespace kexue::io {

// PREFIX.index lists the tensors, PREFIX.data-NNNNN-of-NNNNN hold their bytes.
//
// Checks: the table's (CRC of each block, order of keys); a header with 1 to
//         10,000 shards, little-endian; tensor names of valid UTF-8; known
//         types; rank <= 16; size = product(shape) * width, inside the shard;
//         when a tensor is read, its CRC.
// Errors: kCorruptData naming the tensor and both numbers; kUnsupported for
//         sliced (partitioned) variables, big-endian files, format V1 and
//         limits; kNotFound naming a missing shard; kIo.
class TfCheckpoint final : public TensorSource {
 public:
  // The prefix, or the path of the index or of a shard.
  static std::shared_ptr<const TfCheckpoint> open(const std::string& path,
                                                  Access access = Access::kCopy,
                                                  FileSystem& fs = real_fs());
  static std::shared_ptr<const TfCheckpoint> from_files(
      const InputFile& index, const std::vector<InputFile>& shards);

 protected:
  HostArray read(size_t i) const override;

 private:
  struct Place {
    int32_t type = 0;  // tensorflow.DataType
    uint32_t shard = 0;
    uint64_t at = 0;
    uint32_t crc = 0;  // masked
  };
  struct Index;
  TfCheckpoint(const std::string& where,
               Index index,
               std::vector<InputFile> shards);

  std::vector<InputFile> shards_;
  std::vector<Place> places_;
};

// "a/model.ckpt" for that, "a/model.ckpt.index" and "a/model.ckpt.data-...".
std::string tf_checkpoint_prefix(const std::string& path);

}  // namespace kexue::io
