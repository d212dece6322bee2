#include "kexue/io/onnx_tensor.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <vector>

#include "kexue/base/checked.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/limits.h"
#include "kexue/io/model_weights.h"
#include "kexue/io/onnx_types.h"
#include "kexue/io/printable.h"

namespace kexue::io::detail {
namespace {

constexpr uint64_t kMaxDim = uint64_t{std::numeric_limits<int64_t>::max()};

// TensorProto: 1 dims, 2 data_type, 3 segment, 8 name, 9 raw_data,
// 13 external_data, 14 data_location; the typed fields of onnx_types.h.
class TensorReader final {
 public:
  TensorReader(WireReader reader,
               const std::string& where,
               const std::shared_ptr<const void>& owner,
               OnnxFolder* folder)
      : reader_(std::move(reader)),
        where_(where),
        owner_(owner),
        folder_(folder) {}

  OnnxTensor read() {
    WireField f;
    while (reader_.next(&f)) field(f);
    type_ = find_onnx_type(type_id_);
    if (type_ == nullptr) {
      fail(Code::kUnsupported, fmt::format("data type {}", type_id_));
    }
    OnnxTensor out;
    out.type = type_->id;
    out.info.name = name_;
    out.info.stored = std::string(type_->name);
    out.info.dtype = type_->result();
    set_shape(out.info);
    if (external_) {
      set_external(out);
    } else if (type_->bits == 0) {
      out.info.bytes = 0;  // text, which is only listed
    } else {
      set_data(out);
    }
    return out;
  }

 private:
  [[noreturn]] void fail(Code code, const std::string& text) const {
    throw Error(
        code, fmt::format("{}: tensor {}: {}", where_, printable(name_), text));
  }

  void field(const WireField& f) {
    switch (f.number) {
      case 1:
        return reader_.append_varints(f, dims_);
      case 2:
        type_id_ = reader_.varint(f);
        return;
      case 3:
        fail(Code::kUnsupported, "stored in segments");
      case 8:
        name_ = reader_.text(f, limits::kOnnxTextBytes);
        return;
      case 9:
        raw_ = reader_.bytes(f);
        return;
      case 13:
        return add_external(reader_.message(f));
      case 14:
        external_ = reader_.varint(f) == 1;
        return;
      case kFloatData:
      case kDoubleData:
      case kInt32Data:
      case kInt64Data:
      case kUint64Data:
        return typed(f);
      default:
        return;
    }
  }

  // Numbers are gathered as 8-byte words, or as the floats that they are.
  void typed(const WireField& f) {
    if (typed_field_ != 0 && typed_field_ != f.number) {
      fail(Code::kCorruptData, "numbers in two fields");
    }
    typed_field_ = f.number;
    if (f.number != kFloatData && f.number != kDoubleData) {
      return reader_.append_varints(f, words_);
    }
    const bool single = f.number == kFloatData;
    if (f.type == WireType::kBytes) {
      floats_.append(f.text());
    } else if (f.type == (single ? WireType::kFixed32 : WireType::kFixed64)) {
      floats_.append(reinterpret_cast<const char*>(&f.value), single ? 4 : 8);
    } else {
      fail(Code::kCorruptData, fmt::format("field {} is no float", f.number));
    }
  }

  void set_shape(TensorInfo& info) {
    if (name_.empty()) fail(Code::kCorruptData, "an initialiser without name");
    if (dims_.size() > limits::kTensorRank) {
      fail(Code::kUnsupported,
           fmt::format(
               "rank {}, the limit is {}", dims_.size(), limits::kTensorRank));
    }
    std::vector<int64_t> dims;
    const std::string what =
        fmt::format("{}: tensor {}", where_, printable(name_));
    uint64_t bits = type_->bits;
    for (const uint64_t d : dims_) {
      if (d > kMaxDim) {
        fail(Code::kCorruptData,
             fmt::format("dimension {}", static_cast<int64_t>(d)));
      }
      bits = checked_mul(bits, d, what.c_str());
      dims.push_back(static_cast<int64_t>(d));
    }
    info.shape = Shape(std::move(dims));
    info.bytes = bits / 8 + (bits % 8 == 0 ? 0 : 1);
  }

  void set_data(OnnxTensor& out) {
    if (raw_ && typed_field_ != 0) {
      fail(Code::kCorruptData, "both raw data and numbers");
    }
    if (raw_) {
      out.data = {*raw_, owner_};
    } else if (typed_field_ != 0) {
      out.data = typed_data();
    }
    if (out.data.bytes.size() == out.info.bytes) return;
    fail(Code::kCorruptData,
         fmt::format("{} {} takes {} bytes, {} are there",
                     type_->name,
                     out.info.shape.str(),
                     out.info.bytes,
                     out.data.bytes.size()));
  }

  // The typed field's numbers in the width of the data type.
  FileBytes typed_data() {
    if (typed_field_ != type_->typed) {
      fail(Code::kCorruptData,
           fmt::format("{} in field {}", type_->name, typed_field_));
    }
    auto bytes = std::make_shared<std::string>(std::move(floats_));
    const size_t width = type_->bits / 8;
    if (typed_field_ == kInt32Data || typed_field_ == kInt64Data ||
        typed_field_ == kUint64Data) {
      bytes->reserve(words_.size() * width);
      for (const uint64_t word : words_) {
        check_width(word, width);
        bytes->append(reinterpret_cast<const char*>(&word), width);
      }
    }
    return {std::as_bytes(std::span(bytes->data(), bytes->size())), bytes};
  }

  // A varint must be the number it stands for: sign- or zero-extended.
  void check_width(uint64_t word, size_t width) const {
    if (width == 8) return;
    const uint64_t high = word >> (8 * width - 1);
    const bool fits_signed =
        high == 0 || high == ~uint64_t{0} >> (8 * width - 1);
    if (fits_signed || word >> (8 * width) == 0) return;
    fail(Code::kCorruptData,
         fmt::format("{} is no {}", static_cast<int64_t>(word), type_->name));
  }

  // StringStringEntryProto: 1 key, 2 value.
  void add_external(WireReader pair) {
    WireField f;
    std::string key;
    std::string value;
    while (pair.next(&f)) {
      if (f.number == 1) key = pair.text(f, limits::kOnnxTextBytes);
      if (f.number == 2) value = pair.text(f, limits::kOnnxTextBytes);
    }
    if (key != "location" && key != "offset" && key != "length" &&
        key != "checksum") {
      fail(Code::kUnsupported,
           fmt::format("external data with \"{}\"", printable(key)));
    }
    if (!keys_.emplace(key, value).second) {
      fail(Code::kCorruptData, fmt::format("external {} twice", key));
    }
  }

  uint64_t external_number(const char* key, uint64_t otherwise) const {
    const auto it = keys_.find(key);
    if (it == keys_.end()) return otherwise;
    const std::string& text = it->second;
    uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    fail(Code::kCorruptData,
         fmt::format("external {} \"{}\"", key, printable(text)));
  }

  void set_external(OnnxTensor& out) {
    if (raw_ || typed_field_ != 0) {
      fail(Code::kCorruptData, "both external and inner data");
    }
    if (folder_ == nullptr) {
      fail(Code::kUnsupported, "external data of a model without a folder");
    }
    const auto it = keys_.find("location");
    if (it == keys_.end()) {
      fail(Code::kCorruptData, "external data without a location");
    }
    if (!is_safe_file_name(it->second)) {
      fail(Code::kCorruptData,
           fmt::format("external location \"{}\" is no plain file name",
                       printable(it->second)));
    }
    const InputFile& file = folder_->file(it->second, where_);
    out.at = external_number("offset", 0);
    const uint64_t length = external_number("length", out.info.bytes);
    if (length != out.info.bytes) {
      fail(Code::kCorruptData,
           fmt::format("{} {} takes {} bytes, {} are external",
                       type_->name,
                       out.info.shape.str(),
                       out.info.bytes,
                       length));
    }
    if (checked_add(out.at, length, "external data") > file.bytes()) {
      fail(Code::kCorruptData,
           fmt::format("{} bytes at {} of {}, which has {}",
                       length,
                       out.at,
                       file.where(),
                       file.bytes()));
    }
    out.file = file;
  }

  WireReader reader_;
  const std::string& where_;
  const std::shared_ptr<const void>& owner_;
  OnnxFolder* folder_;

  std::string name_;
  std::vector<uint64_t> dims_;
  uint64_t type_id_ = 0;
  const OnnxType* type_ = nullptr;
  std::optional<std::span<const std::byte>> raw_;
  uint32_t typed_field_ = 0;
  std::vector<uint64_t> words_;
  std::string floats_;
  bool external_ = false;
  std::map<std::string, std::string> keys_;
};

}  // namespace

OnnxFolder::OnnxFolder(const std::string& model_path,
                       Access access,
                       FileSystem& fs)
    : folder_(parent_folder(model_path)), access_(access), fs_(fs) {}

const InputFile& OnnxFolder::file(const std::string& name,
                                  const std::string& where) {
  const auto it = files_.find(name);
  if (it != files_.end()) return it->second;
  try {
    const auto file = InputFile::open(folder_ + "/" + name, access_, fs_);
    return files_.emplace(name, file).first->second;
  } catch (const Error& e) {
    throw Error(
        e.code(), fmt::format("{}, wanted by {}", e.text(), where), e.hint());
  }
}

OnnxTensor read_onnx_tensor(WireReader reader,
                            const std::string& where,
                            const std::shared_ptr<const void>& owner,
                            OnnxFolder* folder) {
  return TensorReader(std::move(reader), where, owner, folder).read();
}

}  // namespace kexue::io::detail
