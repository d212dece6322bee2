#include "kexue/io/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_set>

#include "kexue/base/checked.h"
#include "kexue/io/byte_reader.h"
#include "kexue/io/gguf_types.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/io/utf8.h"

namespace kexue::io {
namespace {

using detail::GgufTensorType;

struct Tensor {
  std::string name;
  Shape shape;  // row-major
  const GgufTensorType* type = nullptr;
  uint64_t offset = 0;  // from the start of the data
  uint64_t bytes = 0;
};

struct Header {
  std::map<std::string, GgufValue> values;
  std::vector<Tensor> tensors;
  uint64_t end = 0;  // of the header, before padding
  uint64_t alignment = detail::kGgufAlignment;
};

class HeaderReader final {
 public:
  HeaderReader(std::span<const std::byte> bytes, const std::string& where)
      : reader_(bytes, where), where_(where) {}

  Header read() {
    if (reader_.text(4, "the magic") != detail::kGgufMagic) {
      fail(Code::kCorruptData, "does not begin with \"GGUF\"");
    }
    check_version(reader_.read<uint32_t>("the version"));
    const uint64_t tensors = count("tensors", limits::kGgufTensors, 24);
    const uint64_t values = count("keys", limits::kGgufKeys, 13);
    for (uint64_t i = 0; i < values; ++i) add_value();
    if (const auto it = header_.values.find("general.alignment");
        it != header_.values.end()) {
      header_.alignment = alignment(it->second);
    }
    for (uint64_t i = 0; i < tensors; ++i) add_tensor();
    header_.end = reader_.offset();
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail(Code code, const std::string& text) const {
    throw Error(code, fmt::format("{}: {}", where_, text));
  }

  void check_version(uint32_t version) const {
    if (version == 2 || version == 3) return;
    if ((version & 0xFFFFu) == 0 && version != 0) {
      fail(Code::kUnsupported, "a big-endian GGUF file");
    }
    fail(Code::kUnsupported,
         fmt::format("GGUF version {}, this program reads 2 and 3", version));
  }

  uint64_t count(const char* what, uint64_t limit, uint64_t smallest) {
    const auto n = reader_.read<uint64_t>(what);
    if (n > limit) {
      fail(Code::kUnsupported,
           fmt::format("{} {}, the limit is {}", n, what, limit));
    }
    reader_.check_count(n, smallest, what);
    return n;
  }

  std::string text(uint64_t limit, const char* what) {
    const auto n = reader_.read<uint64_t>(what);
    reader_.check_count(n, 1, what);
    if (n > limit) {
      fail(Code::kUnsupported,
           fmt::format("{} of {} bytes, the limit is {}", what, n, limit));
    }
    return std::string(reader_.text(n, what));
  }

  // A key or the name of a tensor.
  std::string name(uint64_t limit, const char* what) {
    std::string out = text(limit, what);
    if (out.empty() || !is_utf8(out)) {
      fail(Code::kCorruptData,
           fmt::format("{} \"{}\" is empty or not UTF-8", what, ascii(out)));
    }
    return out;
  }

  GgufType type(const char* what) {
    const auto id = reader_.read<uint32_t>(what);
    if (id > static_cast<uint32_t>(GgufType::kF64)) {
      fail(Code::kUnsupported, fmt::format("{} {} is unknown", what, id));
    }
    return static_cast<GgufType>(id);
  }

  void add_value() {
    const std::string key = name(limits::kGgufKeyBytes, "key");
    GgufValue value;
    value.type = type("type of a value");
    uint64_t n = 1;
    if (value.type == GgufType::kArray) {
      value.is_list = true;
      value.type = type("type of a list");
      if (value.type == GgufType::kArray) {
        fail(Code::kUnsupported,
             fmt::format("key {}: a list of lists", printable(key)));
      }
      n = reader_.read<uint64_t>("length of a list");
    }
    if (value.type == GgufType::kString) {
      reader_.check_count(n, 8, "strings");
      // Grows as it is read: a string takes four times its 8 bytes here.
      for (uint64_t i = 0; i < n; ++i) {
        value.texts.push_back(text(limits::kGgufStringBytes, "string"));
      }
    } else {
      const uint64_t width = detail::gguf_width(value.type);
      reader_.check_count(n, width, "numbers");
      value.raw = reader_.text(checked_mul(n, width, "GGUF list"), "numbers");
    }
    check_bools(key, value);
    if (!header_.values.emplace(key, std::move(value)).second) {
      fail(Code::kCorruptData, fmt::format("key {} twice", printable(key)));
    }
  }

  void check_bools(const std::string& key, const GgufValue& value) const {
    if (value.type != GgufType::kBool) return;
    for (const char c : value.raw) {
      if (c == 0 || c == 1) continue;
      fail(Code::kCorruptData,
           fmt::format("key {}: a bool of {}",
                       printable(key),
                       static_cast<int>(static_cast<uint8_t>(c))));
    }
  }

  uint64_t alignment(const GgufValue& value) const {
    if (value.type != GgufType::kU32 || value.is_list) {
      fail(Code::kCorruptData,
           fmt::format("general.alignment is {}, wanted a u32",
                       value.summary()));
    }
    const auto a = static_cast<uint64_t>(value.integer());
    if (a == 0 || (a & (a - 1)) != 0) {
      fail(Code::kCorruptData,
           fmt::format("general.alignment {} is no power of two", a));
    }
    if (a > limits::kMiB) {
      fail(Code::kUnsupported,
           fmt::format(
               "general.alignment {}, the limit is {}", a, limits::kMiB));
    }
    return a;
  }

  void add_tensor() {
    Tensor t;
    t.name = name(limits::kGgufNameBytes, "tensor name");
    if (!names_.insert(t.name).second) {
      fail(Code::kCorruptData, fmt::format("tensor {} twice", shown(t)));
    }
    const auto rank = reader_.read<uint32_t>("rank");
    if (rank < 1 || rank > 4) {
      fail(rank == 0 ? Code::kCorruptData : Code::kUnsupported,
           fmt::format("tensor {}: rank {}, wanted 1-4", shown(t), rank));
    }
    std::vector<int64_t> dims;
    const std::string what = fmt::format("{}: tensor {}", where_, shown(t));
    uint64_t weights = 1;
    for (uint32_t i = 0; i < rank; ++i) {
      const auto d = reader_.read<uint64_t>("dimension");
      if (d > uint64_t{std::numeric_limits<int64_t>::max()}) {
        fail(Code::kCorruptData,
             fmt::format("tensor {}: dimension {} is too large", shown(t), d));
      }
      weights = checked_mul(weights, d, what.c_str());
      dims.push_back(static_cast<int64_t>(d));
    }
    const auto id = reader_.read<uint32_t>("tensor type");
    t.type = detail::find_gguf_type(id);
    if (t.type == nullptr) {
      fail(Code::kUnsupported,
           fmt::format("tensor {}: type {} is unknown", shown(t), id));
    }
    if (static_cast<uint64_t>(dims[0]) % t.type->block != 0) {
      fail(Code::kCorruptData,
           fmt::format("tensor {}: rows of {} weights, {} has blocks of {}",
                       shown(t),
                       dims[0],
                       t.type->name,
                       t.type->block));
    }
    t.bytes = checked_mul(weights / t.type->block, t.type->bytes, what.c_str());
    t.offset = reader_.read<uint64_t>("offset");
    std::reverse(dims.begin(), dims.end());
    t.shape = Shape(std::move(dims));
    header_.tensors.push_back(std::move(t));
  }

  static std::string shown(const Tensor& t) { return printable(t.name); }

  ByteReader reader_;
  const std::string& where_;
  Header header_;
  std::unordered_set<std::string> names_;
};

// The header's length stands nowhere: read more of the file until it is whole.
Header read_header(const InputFile& file) {
  constexpr uint64_t kFirst = 4 * limits::kMiB;
  for (uint64_t want = kFirst;; want *= 8) {
    const bool whole = want >= file.bytes();
    const bool most = want >= limits::kGgufHeaderBytes;
    const auto part = file.read(0, std::min(want, file.bytes()));
    try {
      return HeaderReader(part.bytes, file.where()).read();
    } catch (const Error&) {
      if (whole) throw;
      if (most) {
        throw Error(Code::kUnsupported,
                    fmt::format("{}: no whole header in the first {} bytes",
                                file.where(),
                                want));
      }
    }
  }
}

uint64_t padded(uint64_t n, uint64_t alignment) {
  return checked_add(n, alignment - 1, "GGUF offset") / alignment * alignment;
}

// Tensors stand one after the other, each padded, and inside the file.
void check_layout(const Header& h, uint64_t data, const InputFile& file) {
  uint64_t at = 0;
  for (const Tensor& t : h.tensors) {
    if (t.offset != at) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: tensor {} at offset {}, wanted {}: the end "
                              "of the one before, aligned to {}",
                              file.where(),
                              printable(t.name),
                              t.offset,
                              at,
                              h.alignment));
    }
    const std::string what =
        fmt::format("{}: tensor {}", file.where(), printable(t.name));
    const uint64_t end = checked_add(at, t.bytes, what.c_str());
    if (checked_add(data, end, what.c_str()) > file.bytes()) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: ends at {}, the file has {} bytes",
                              what,
                              data + end,
                              file.bytes()));
    }
    at = padded(end, h.alignment);
  }
}

}  // namespace

Gguf::Gguf(const InputFile& file)
    : TensorSource("gguf", file.where()), file_(file) {
  Header h = read_header(file);
  const uint64_t data = padded(h.end, h.alignment);
  check_layout(h, data, file);
  for (Tensor& t : h.tensors) {
    places_.push_back({t.type->id, data + t.offset});
    tensors_.push_back({std::move(t.name),
                        std::string(t.type->name),
                        std::move(t.shape),
                        t.type->result(),
                        t.bytes});
  }
  values_ = std::move(h.values);
  for (const auto& [key, value] : values_) metadata_[key] = value.summary();
  detail::check_gguf_model(*this);
}

std::shared_ptr<const Gguf> Gguf::from_file(const InputFile& file) {
  return std::shared_ptr<const Gguf>(new Gguf(file));
}

std::shared_ptr<const Gguf> Gguf::open(const std::string& path,
                                       Access access,
                                       FileSystem& fs) {
  return from_file(InputFile::open(path, access, fs));
}

const GgufValue* Gguf::find(const std::string& key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

HostArray Gguf::read(size_t i) const {
  const TensorInfo& t = tensors()[i];
  const GgufTensorType& type = *detail::find_gguf_type(places_[i].type);
  const FileBytes data = file_.read(places_[i].at, t.bytes);
  if (type.quant) {
    HostArray out(DType::kF32, t.shape);
    dequantize(*type.quant, data.bytes, out.mutable_span<float>());
    return out;
  }
  if (type.narrow) {
    return detail::widened(*type.narrow, t.shape, data, where(), t.name);
  }
  return array_of_bytes({*t.dtype, t.shape}, data, where(), t.name);
}

}  // namespace kexue::io
