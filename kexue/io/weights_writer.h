// Writing what a TensorSource gives, one tensor at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kexue/io/tensor_source.h"

namespace kexue::io {

// Floats of `source` as `dtype` (one rounding each); the rest as it is.
// Errors: kInvalidArgument for a dtype that is no float.
SourcePtr with_float_dtype(SourcePtr source, DType dtype);

// One safetensors file, atomically; never more than one tensor in memory.
// Errors: as save_safetensors; kUnsupported naming a tensor that cannot be
//         read.
void save_safetensors(const std::string& path,
                      const TensorSource& source,
                      const std::map<std::string, std::string>& metadata = {},
                      FileSystem& fs = real_fs());

// model.safetensors, or, if that would be larger than `max_shard_bytes` (not
// counting headers), model-00001-of-0000N.safetensors and the index that names
// each tensor's shard, written last. A tensor is never split: a larger one has
// a shard of its own. Names of the files, in the order written.
// Errors: as above; kInvalidArgument for more than 99,999 shards.
std::vector<std::string> save_safetensors_folder(
    const std::string& folder,
    const TensorSource& source,
    uint64_t max_shard_bytes,
    const std::map<std::string, std::string>& metadata = {},
    FileSystem& fs = real_fs());

}  // namespace kexue::io
