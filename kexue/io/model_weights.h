// All weights of a model folder, in one safetensors file or in several.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/safetensors.h"

namespace kexue::io {

class ModelWeights final {
 public:
  explicit ModelWeights(std::vector<Safetensors> shards);

  const std::vector<Safetensors>& shards() const { return shards_; }
  std::vector<std::string> names() const;  // shard by shard, in file order
  bool contains(std::string_view name) const;
  // Errors as in Safetensors.
  TensorType type(std::string_view name) const;
  HostArray tensor(std::string_view name) const;

 private:
  const Safetensors& shard(std::string_view name) const;

  std::vector<Safetensors> shards_;
};

// model.safetensors, else the shards of model.safetensors.index.json; a path
// to a .safetensors file is taken as it is.
//
// Errors: kNotFound naming both when neither is there; kUnsupported with a
//         conversion hint for .bin, .pt, .pth, .ckpt and .pkl pickles;
//         kCorruptData for an index that disagrees with its shards, or whose
//         file names are paths.
ModelWeights open_model_weights(const std::string& folder_or_file,
                                Safetensors::Options options = {},
                                FileSystem& fs = real_fs());

// 1-255 of A-Z a-z 0-9 . _ -, not starting with ".": what a file may name.
bool is_safe_file_name(std::string_view name);

}  // namespace kexue::io
