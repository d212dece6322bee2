// Private to io: one TensorProto of an ONNX model.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "kexue/io/tensor_source.h"
#include "kexue/io/wire_reader.h"

namespace kexue::io::detail {

// The files beside a model, each opened once.
class OnnxFolder final {
 public:
  OnnxFolder(const std::string& model_path, Access access, FileSystem& fs);
  // Errors: kCorruptData for a name that is a path; as InputFile::open.
  const InputFile& file(const std::string& name, const std::string& where);

 private:
  std::string folder_;
  Access access_;
  FileSystem& fs_;
  std::map<std::string, InputFile> files_;
};

struct OnnxTensor {
  TensorInfo info;
  int32_t type = 0;
  FileBytes data;
  std::optional<InputFile> file;  // external data
  uint64_t at = 0;
};

// `owner` keeps the reader's bytes alive; `folder` may be null.
OnnxTensor read_onnx_tensor(WireReader reader,
                            const std::string& where,
                            const std::shared_ptr<const void>& owner,
                            OnnxFolder* folder);

}  // namespace kexue::io::detail
