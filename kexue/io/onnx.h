// ONNX models: the initialisers, and as much of the graph as names them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kexue/io/tensor_source.h"

namespace kexue::io {

// One node of the main graph, without what weights do not need.
struct OnnxNode {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, int64_t> integers;  // attributes: transB, axis, ...
};

// Every initialiser under its own name, as it is stored.
//
// Checks: the wire format (wire_reader.h); one graph, at most 1,000,000 nodes
//         and initialisers and 4,000,000 inputs and outputs; names unique
//         UTF-8; data type known; rank <= 16; exactly as many numbers as the
//         shape has, from raw data, one typed field or an external file.
//         External files: a plain name beside the model, a regular file, known
//         keys, offset + length inside it.
// Errors: kCorruptData with offset or name and both numbers; kUnsupported for
//         segments, functions, operators of other domains and limits;
//         kNotFound for a missing external file.
class Onnx final : public TensorSource {
 public:
  static std::shared_ptr<const Onnx> open(const std::string& path,
                                          Access access = Access::kCopy,
                                          FileSystem& fs = real_fs());
  // External data is kUnsupported without a folder.
  static std::shared_ptr<const Onnx> from_file(const InputFile& file);

  const std::vector<OnnxNode>& nodes() const { return nodes_; }
  std::optional<size_t> find(const std::string& name) const;

 protected:
  HostArray read(size_t i) const override;

 private:
  friend class OnnxReader;
  explicit Onnx(const InputFile& file);

  struct Place {
    int32_t type = 0;  // onnx.TensorProto.DataType
    FileBytes data;    // in the file, or decoded from a typed field
    // Else: external data.
    std::optional<InputFile> file;
    uint64_t at = 0;
  };
  std::vector<Place> places_;
  std::vector<OnnxNode> nodes_;
  std::map<std::string, size_t> index_;
};

// The model's weights as everybody else names and stores them.
//
// - Tensors called *.weight or *.bias keep their names.
// - The matrix of a MatMul or Gemm, which exporters call onnx::MatMul_123 and
//   store [in,out], is called after the bias that is added to its product
//   (x.bias -> x.weight), else after the node (/a/b/MatMul -> a.b.weight), and
//   is given [out,in].
// - X_quantized with X_scale and X_zero_point becomes X = (q - zero) * scale in
//   f32, rounded once; scales for the whole tensor or for each column.
// Constants, scales and zero points are left out. Keeps `model` alive.
// Errors: kUnsupported if two tensors would get one name.
SourcePtr onnx_modules(std::shared_ptr<const Onnx> model);

}  // namespace kexue::io
