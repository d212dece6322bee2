#include "kexue/io/onnx.h"

#include <fmt/format.h>

#include <utility>

#include "kexue/io/limits.h"
#include "kexue/io/onnx_tensor.h"
#include "kexue/io/onnx_types.h"
#include "kexue/io/printable.h"
#include "kexue/io/wire_reader.h"

namespace kexue::io {
namespace {

// Operators whose meaning is known; com.microsoft: onnxruntime's fusions.
bool is_known_domain(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx" || domain == "ai.onnx.ml" ||
         domain == "com.microsoft";
}

}  // namespace

// Fills an Onnx from a ModelProto.
class OnnxReader final {
 public:
  OnnxReader(Onnx& out, const InputFile& file, detail::OnnxFolder* folder)
      : out_(out),
        file_(file),
        where_(file.where()),
        folder_(folder),
        whole_(file.read(0, file.bytes())) {}

  // 1 ir_version, 2 producer_name, 3 producer_version, 7 graph, 8 opset_import
  // (1 domain, 2 version), 14 metadata_props (1 key, 2 value), 25 functions.
  void read() {
    WireReader model(whole_.bytes, where_);
    WireField f;
    bool has_graph = false;
    while (model.next(&f)) {
      if (f.number == 1) {
        out_.metadata_["ir_version"] = std::to_string(model.varint(f));
      }
      if (f.number == 2) note("producer", model, f);
      if (f.number == 3) note("producer_version", model, f);
      if (f.number == 8) read_pair(model.message(f), "opset ");
      if (f.number == 14) read_pair(model.message(f), "");
      if (f.number == 25) {
        fail(Code::kUnsupported, "the model has functions of its own");
      }
      if (f.number != 7) continue;
      if (std::exchange(has_graph, true)) {
        fail(Code::kCorruptData, "a second graph");
      }
      read_graph(model.message(f));
    }
    if (!has_graph) fail(Code::kCorruptData, "no graph: is this ONNX?");
  }

 private:
  [[noreturn]] void fail(Code code, const std::string& text) const {
    throw Error(code, fmt::format("{}: {}", where_, text));
  }

  void note(const std::string& key, const WireReader& r, const WireField& f) {
    const std::string value = r.text(f, limits::kOnnxTextBytes);
    if (!value.empty()) out_.metadata_[key] = printable(value);
  }

  void read_pair(WireReader pair, const std::string& prefix) {
    WireField f;
    std::string key;
    std::string value;
    while (pair.next(&f)) {
      if (f.number == 1) key = pair.text(f, limits::kOnnxTextBytes);
      if (f.number != 2) continue;
      value = f.type == WireType::kVarint
                  ? std::to_string(f.value)
                  : printable(pair.text(f, limits::kOnnxTextBytes));
    }
    if (key.empty()) key = "ai.onnx";
    out_.metadata_[prefix + printable(key)] = value;
  }

  // 1 node, 5 initializer.
  void read_graph(WireReader graph) {
    WireField f;
    while (graph.next(&f)) {
      if (f.number == 1) add_node(graph.message(f));
      if (f.number == 5) add_tensor(graph.message(f));
    }
  }

  // 1 input, 2 output, 3 name, 4 op_type, 5 attribute, 7 domain.
  void add_node(WireReader reader) {
    if (out_.nodes_.size() == limits::kOnnxNodes) {
      fail(Code::kUnsupported,
           fmt::format("more than {} nodes", limits::kOnnxNodes));
    }
    OnnxNode node;
    WireField f;
    while (reader.next(&f)) {
      if (f.number == 1) add_edge(reader, f, node.inputs);
      if (f.number == 2) add_edge(reader, f, node.outputs);
      if (f.number == 3) node.name = reader.text(f, limits::kOnnxTextBytes);
      if (f.number == 4) node.op = reader.text(f, limits::kOnnxTextBytes);
      if (f.number == 5) add_attribute(reader.message(f), node);
      if (f.number != 7) continue;
      const std::string domain = reader.text(f, limits::kOnnxTextBytes);
      if (is_known_domain(domain)) continue;
      fail(Code::kUnsupported,
           fmt::format("an operator of domain \"{}\"", printable(domain)));
    }
    out_.nodes_.push_back(std::move(node));
  }

  void add_edge(const WireReader& reader,
                const WireField& f,
                std::vector<std::string>& to) {
    if (++edges_ > limits::kOnnxEdges) {
      fail(Code::kUnsupported,
           fmt::format("more than {} inputs and outputs", limits::kOnnxEdges));
    }
    to.push_back(reader.text(f, limits::kOnnxTextBytes));
  }

  // 1 name, 3 i.
  void add_attribute(WireReader reader, OnnxNode& node) const {
    WireField f;
    std::string name;
    std::optional<int64_t> value;
    while (reader.next(&f)) {
      if (f.number == 1) name = reader.text(f, limits::kOnnxTextBytes);
      if (f.number == 3) value = static_cast<int64_t>(reader.varint(f));
    }
    if (value) node.integers[name] = *value;
  }

  void add_tensor(WireReader reader) {
    if (out_.tensors_.size() == limits::kOnnxTensors) {
      fail(Code::kUnsupported,
           fmt::format("more than {} initialisers", limits::kOnnxTensors));
    }
    detail::OnnxTensor t = detail::read_onnx_tensor(
        std::move(reader), where_, whole_.owner, folder_);
    if (!out_.index_.emplace(t.info.name, out_.tensors_.size()).second) {
      fail(Code::kCorruptData,
           fmt::format("initialiser {} twice", printable(t.info.name)));
    }
    out_.places_.push_back(
        {t.type, std::move(t.data), std::move(t.file), t.at});
    out_.tensors_.push_back(std::move(t.info));
  }

  Onnx& out_;
  const InputFile& file_;
  const std::string& where_;
  detail::OnnxFolder* folder_;
  FileBytes whole_;
  uint64_t edges_ = 0;
};

Onnx::Onnx(const InputFile& file) : TensorSource("onnx", file.where()) {}

std::shared_ptr<const Onnx> Onnx::from_file(const InputFile& file) {
  std::shared_ptr<Onnx> out(new Onnx(file));
  OnnxReader(*out, file, nullptr).read();
  return out;
}

std::shared_ptr<const Onnx> Onnx::open(const std::string& path,
                                       Access access,
                                       FileSystem& fs) {
  const InputFile file = InputFile::open(path, access, fs);
  detail::OnnxFolder folder(path, access, fs);
  std::shared_ptr<Onnx> out(new Onnx(file));
  OnnxReader(*out, file, &folder).read();
  return out;
}

std::optional<size_t> Onnx::find(const std::string& name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? std::nullopt : std::optional(it->second);
}

HostArray Onnx::read(size_t i) const {
  const TensorInfo& t = tensors()[i];
  const Place& place = places_[i];
  const FileBytes data =
      place.file ? place.file->read(place.at, t.bytes) : place.data;
  const auto& type = *detail::find_onnx_type(static_cast<uint64_t>(place.type));
  if (type.narrow) {
    return detail::widened(*type.narrow, t.shape, data, where(), t.name);
  }
  return array_of_bytes({*t.dtype, t.shape}, data, where(), t.name);
}

}  // namespace kexue::io
