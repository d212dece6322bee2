#include "kexue/io/tensor_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "kexue/io/gguf.h"
#include "kexue/io/gguf_types.h"
#include "kexue/io/model_weights.h"
#include "kexue/io/onnx.h"
#include "kexue/io/printable.h"
#include "kexue/io/safetensors_header.h"
#include "kexue/io/tf_checkpoint.h"
#include "kexue/io/tf_table.h"
#include "kexue/io/weights_writer.h"

namespace kexue::io {
namespace {

class SafetensorsSource final : public TensorSource {
 public:
  SafetensorsSource(ModelWeights weights, const std::string& where)
      : TensorSource("safetensors", where), weights_(std::move(weights)) {
    for (const Safetensors& shard : weights_.shards()) {
      for (const TensorEntry& e : shard.entries()) {
        tensors_.push_back({e.name,
                            e.dtype,
                            e.shape,
                            detail::dtype_of_safetensors(e.dtype),
                            e.end - e.begin});
        shards_.push_back(&shard);
      }
      for (const auto& [key, value] : shard.metadata()) {
        metadata_.emplace(key, value);
      }
    }
  }

 protected:
  HostArray read(size_t i) const override {
    return shards_[i]->tensor(tensors()[i].name);
  }

 private:
  ModelWeights weights_;
  std::vector<const Safetensors*> shards_;
};

// Floats converted on the way.
class CastSource final : public TensorSource {
 public:
  CastSource(SourcePtr source, DType dtype)
      : TensorSource(source->format(), source->where()),
        source_(std::move(source)) {
    metadata_ = source_->metadata();
    tensors_ = source_->tensors();
    for (TensorInfo& t : tensors_) {
      if (t.dtype && is_float(*t.dtype)) t.dtype = dtype;
    }
  }

 protected:
  HostArray read(size_t i) const override {
    const HostArray a = source_->tensor(i);
    return a.dtype() == *tensors()[i].dtype ? a : a.cast(*tensors()[i].dtype);
  }

 private:
  SourcePtr source_;
};

enum class Kind { kSafetensors, kGguf, kOnnx, kTensorFlow, kNothing };

Error refused(const std::string& path,
              const std::string& what,
              const std::string& hint = "") {
  return Error(Code::kUnsupported, path + ": " + what, hint);
}

// A table's magic stands at the end.
bool is_table(const InputFile& file) {
  const uint64_t bytes = file.bytes();
  if (bytes < detail::kTableFooterBytes) return false;
  const FileBytes magic = file.read(bytes - 8, 8);
  const uint64_t want = detail::kTableMagic;
  return magic.text() ==
         std::string_view(reinterpret_cast<const char*>(&want), 8);
}

bool is_onnx(std::string_view first) {
  // ir_version comes first, a small number.
  return first.size() >= 2 && first[0] == '\x08' && first[1] > 0 &&
         first[1] < 0x20;
}

Kind kind_of(const InputFile& file) {
  const std::string& path = file.where();
  const FileBytes head = file.read(0, std::min<uint64_t>(file.bytes(), 16));
  const std::string_view first = head.text();
  const bool json_follows = first.size() > 8 && first[8] == '{';
  if (detail::looks_like_pickle(first) && !json_follows) {
    detail::refuse_pickle(path);
  }
  if (first.starts_with("\x89HDF\r\n\x1a\n")) {
    throw refused(path,
                  "an HDF5 file",
                  "save it from Keras as a TensorFlow checkpoint: "
                  "model.save_weights(\"name\")");
  }
  if (first.starts_with("ggml") || first.starts_with("ggjt") ||
      first.starts_with("lmgg") || first.starts_with("tjgg")) {
    throw refused(path, "a file of llama.cpp from before GGUF");
  }
  if (first.starts_with(detail::kGgufMagic)) return Kind::kGguf;
  if (json_follows || path.ends_with(".safetensors")) {
    return Kind::kSafetensors;
  }
  if (is_table(file)) return Kind::kTensorFlow;
  return is_onnx(first) ? Kind::kOnnx : Kind::kNothing;
}

SourcePtr open_safetensors(const std::string& path,
                           Access access,
                           FileSystem& fs) {
  return std::make_shared<SafetensorsSource>(
      open_model_weights(path, {.access = access}, fs), path);
}

// The only file with this ending; "" if there is none.
std::string only_file(const std::string& folder,
                      const std::vector<std::string>& names,
                      std::string_view end) {
  std::string found;
  for (const std::string& name : names) {
    if (name.size() <= end.size() || !name.ends_with(end)) continue;
    if (!found.empty()) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("{}: {} and {} are there", folder, found, name),
                  "name the file");
    }
    found = name;
  }
  return found.empty() ? "" : folder + "/" + found;
}

SourcePtr open_folder(const std::string& path, Access access, FileSystem& fs) {
  std::vector<std::string> names;
  if (const int rc = fs.list(path, &names); rc < 0) {
    throw os_error("list", path, rc);
  }
  const bool has_safetensors =
      std::any_of(names.begin(), names.end(), [](const std::string& n) {
        return n == "model.safetensors" || n == "model.safetensors.index.json";
      });
  for (const char* end : {".gguf", ".onnx", ".index"}) {
    if (has_safetensors) break;
    const std::string file = only_file(path, names, end);
    if (!file.empty()) return open_tensors(file, access, fs);
  }
  return open_safetensors(path, access, fs);
}

// A path that is no file: a checkpoint's prefix?
SourcePtr open_missing(const std::string& path,
                       Access access,
                       FileSystem& fs,
                       const Error& missing) {
  const std::string index = tf_checkpoint_prefix(path) + ".index";
  const int fd = fs.open(index, 0, 0);
  if (fd == -ENOENT || fd == -ENOTDIR) throw missing;
  if (fd < 0) throw os_error("open", index, fd);
  fs.close(fd);
  return TfCheckpoint::open(path, access, fs);
}

bool is_folder(const std::string& path, FileSystem& fs) {
  const Descriptor d = open_for_reading(path, fs);
  FileInfo info;
  if (const int rc = fs.info(d.get(), &info); rc < 0) {
    throw os_error("stat", path, rc);
  }
  return info.is_directory;
}

}  // namespace

HostArray TensorSource::tensor(size_t i) const {
  if (i >= tensors_.size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: tensor {} of {}", where_, i, tensors_.size()));
  }
  const TensorInfo& t = tensors_[i];
  if (t.dtype) return read(i);
  throw Error(Code::kUnsupported,
              fmt::format("{}: tensor {}: {} is not supported",
                          where_,
                          printable(t.name),
                          t.stored));
}

size_t TensorSource::index_of(std::string_view name) const {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].name == name) return i;
  }
  const std::string similar = similar_name(tensors_, name);
  throw Error(Code::kNotFound,
              fmt::format("{}: no tensor {} among {}",
                          where_,
                          printable(name),
                          tensors_.size()),
              similar.empty() ? "" : "it has " + printable(similar));
}

std::string similar_name(const std::vector<TensorInfo>& tensors,
                         std::string_view wanted) {
  size_t best = 0;
  std::string result;
  for (const auto& t : tensors) {
    const auto [a, b] = std::mismatch(
        wanted.rbegin(), wanted.rend(), t.name.rbegin(), t.name.rend());
    const auto [c, d] = std::mismatch(
        wanted.begin(), wanted.end(), t.name.begin(), t.name.end());
    const auto common =
        static_cast<size_t>((a - wanted.rbegin()) + (c - wanted.begin()));
    if (common > best && common > wanted.size() / 2) {
      best = common;
      result = t.name;
    }
  }
  return result;
}

SourcePtr open_tensors(const std::string& path, Access access, FileSystem& fs) {
  try {
    if (is_folder(path, fs)) return open_folder(path, access, fs);
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    return open_missing(path, access, fs, e);
  }
  const InputFile file = InputFile::open(path, access, fs);
  switch (kind_of(file)) {
    case Kind::kSafetensors:
      return open_safetensors(path, access, fs);
    case Kind::kGguf:
      return Gguf::from_file(file);
    case Kind::kOnnx:
      return Onnx::open(path, access, fs);
    case Kind::kTensorFlow:
      return TfCheckpoint::open(path, access, fs);
    default:
      break;
  }
  // One of a checkpoint's data files has no mark of its own.
  if (tf_checkpoint_prefix(path) != path) {
    return TfCheckpoint::open(path, access, fs);
  }
  throw refused(path,
                "no safetensors, GGUF, ONNX or TensorFlow checkpoint",
                "the first bytes fit none of them; is the file whole?");
}

SourcePtr with_float_dtype(SourcePtr source, DType dtype) {
  if (!is_float(dtype)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{} is no float", name(dtype)));
  }
  return std::make_shared<CastSource>(std::move(source), dtype);
}

}  // namespace kexue::io
