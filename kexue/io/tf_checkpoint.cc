#include "kexue/io/tf_checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "kexue/base/checked.h"
#include "kexue/io/crc32c.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/io/tf_table.h"
#include "kexue/io/utf8.h"
#include "kexue/io/widen.h"
#include "kexue/io/wire_reader.h"

namespace kexue::io {
namespace {

using detail::Narrow;
using detail::TableEntry;

struct TfType {
  int32_t id;
  std::string_view name;
  uint64_t width;  // 0: not a fixed number of bytes
  std::optional<DType> dtype;
  std::optional<Narrow> narrow;
};

constexpr auto kNone = std::nullopt;

// tensorflow/core/framework/types.proto
constexpr std::array<TfType, 23> kTypes = {{
    {1, "DT_FLOAT", 4, DType::kF32, kNone},
    {2, "DT_DOUBLE", 8, DType::kF64, kNone},
    {3, "DT_INT32", 4, DType::kI32, kNone},
    {4, "DT_UINT8", 1, DType::kU8, kNone},
    {5, "DT_INT16", 2, kNone, Narrow::kI16},
    {6, "DT_INT8", 1, kNone, Narrow::kI8},
    {7, "DT_STRING", 0, kNone, kNone},
    {8, "DT_COMPLEX64", 8, DType::kC64, kNone},
    {9, "DT_INT64", 8, DType::kI64, kNone},
    {10, "DT_BOOL", 1, DType::kBool, kNone},
    {11, "DT_QINT8", 1, kNone, kNone},
    {12, "DT_QUINT8", 1, kNone, kNone},
    {13, "DT_QINT32", 4, kNone, kNone},
    {14, "DT_BFLOAT16", 2, DType::kBF16, kNone},
    {15, "DT_QINT16", 2, kNone, kNone},
    {16, "DT_QUINT16", 2, kNone, kNone},
    {17, "DT_UINT16", 2, kNone, Narrow::kU16},
    {18, "DT_COMPLEX128", 16, DType::kC128, kNone},
    {19, "DT_HALF", 2, DType::kF16, kNone},
    {20, "DT_RESOURCE", 0, kNone, kNone},
    {21, "DT_VARIANT", 0, kNone, kNone},
    {22, "DT_UINT32", 4, DType::kU32, kNone},
    {23, "DT_UINT64", 8, kNone, Narrow::kU64},
}};

const TfType* find_type(uint64_t id) {
  for (const auto& t : kTypes) {
    if (static_cast<uint64_t>(t.id) == id) return &t;
  }
  return nullptr;
}

// BundleEntryProto.
struct Entry {
  const TfType* type = nullptr;
  Shape shape;
  uint64_t shard = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t crc = 0;
};

[[noreturn]] void fail(const std::string& where,
                       Code code,
                       const std::string& text,
                       const std::string& hint = "") {
  throw Error(code, fmt::format("{}: {}", where, text), hint);
}

// BundleHeaderProto: 1 num_shards, 2 endianness, 3 version.
uint64_t read_header(const TableEntry& e, const std::string& where) {
  WireReader reader(e.value.bytes, where, e.offset);
  WireField f;
  uint64_t shards = 1;
  while (reader.next(&f)) {
    if (f.number == 1 && f.type == WireType::kBytes) {
      fail(where,
           Code::kUnsupported,
           "a TensorFlow checkpoint of format V1",
           "load it in TensorFlow 1 and save it with "
           "tf.train.Saver(write_version=V2)");
    }
    if (f.number == 1) shards = reader.varint(f);
    if (f.number == 2 && reader.varint(f) != 0) {
      fail(where, Code::kUnsupported, "a big-endian checkpoint");
    }
    if (f.number != 3) continue;
    WireReader version = reader.message(f);
    WireField v;
    while (version.next(&v)) {
      if (v.number != 2 || version.varint(v) <= 1) continue;
      fail(where,
           Code::kUnsupported,
           fmt::format("needs a reader of version {}, this is 1", v.value));
    }
  }
  if (shards < 1 || shards > limits::kCheckpointShards) {
    fail(where,
         shards == 0 ? Code::kCorruptData : Code::kUnsupported,
         fmt::format(
             "{} shards, wanted 1..{}", shards, limits::kCheckpointShards));
  }
  return shards;
}

// TensorShapeProto: 2 dim (1 size, 2 name), 3 unknown_rank.
Shape read_shape(WireReader reader,
                 const std::string& where,
                 const std::string& name) {
  std::vector<int64_t> dims;
  WireField f;
  while (reader.next(&f)) {
    if (f.number == 3 && reader.varint(f) != 0) {
      fail(where, Code::kCorruptData, "tensor " + name + ": unknown rank");
    }
    if (f.number != 2) continue;
    if (dims.size() == limits::kTensorRank) {
      fail(where,
           Code::kUnsupported,
           fmt::format("tensor {}: rank above {}", name, limits::kTensorRank));
    }
    WireReader dim = reader.message(f);
    WireField d;
    uint64_t size = 0;
    while (dim.next(&d)) {
      if (d.number == 1) size = dim.varint(d);
    }
    if (size > uint64_t{std::numeric_limits<int64_t>::max()}) {
      fail(where,
           Code::kCorruptData,
           fmt::format(
               "tensor {}: dimension {}", name, static_cast<int64_t>(size)));
    }
    dims.push_back(static_cast<int64_t>(size));
  }
  return Shape(std::move(dims));
}

uint64_t bytes_of(const Shape& shape, uint64_t width, const std::string& what) {
  uint64_t n = width;
  for (const int64_t d : shape) {
    n = checked_mul(n, static_cast<uint64_t>(d), what.c_str());
  }
  return n;
}

// 1 dtype, 2 shape, 3 shard_id, 4 offset, 5 size, 6 crc32c, 7 slices.
Entry read_entry(const TableEntry& e,
                 const std::string& where,
                 const std::string& name) {
  WireReader reader(e.value.bytes, where, e.offset);
  WireField f;
  Entry out;
  uint64_t type = 0;
  while (reader.next(&f)) {
    if (f.number == 1) type = reader.varint(f);
    if (f.number == 2) out.shape = read_shape(reader.message(f), where, name);
    if (f.number == 3) out.shard = reader.varint(f);
    if (f.number == 4) out.offset = reader.varint(f);
    if (f.number == 5) out.size = reader.varint(f);
    if (f.number == 6) {
      if (f.type != WireType::kFixed32) {
        fail(where, Code::kCorruptData, "tensor " + name + ": no 32-bit CRC");
      }
      out.crc = static_cast<uint32_t>(f.value);
    }
    if (f.number == 7) {
      fail(where,
           Code::kUnsupported,
           "tensor " + name + ": a partitioned variable, stored in slices",
           "save the model again without a partitioner");
    }
  }
  out.type = find_type(type);
  if (out.type == nullptr) {
    fail(where,
         Code::kUnsupported,
         fmt::format("tensor {}: DataType {} is unknown", name, type));
  }
  if (out.type->width == 0) return out;
  const uint64_t want =
      bytes_of(out.shape, out.type->width, where + ": tensor " + name);
  if (out.size != want) {
    fail(where,
         Code::kCorruptData,
         fmt::format("tensor {}: {} {} takes {} bytes, {} declared",
                     name,
                     out.type->name,
                     out.shape.str(),
                     want,
                     out.size));
  }
  return out;
}

std::string shard_path(const std::string& prefix, uint64_t i, uint64_t count) {
  return fmt::format("{}.data-{:05}-of-{:05}", prefix, i, count);
}

}  // namespace

struct TfCheckpoint::Index {
  uint64_t shards = 1;
  std::vector<TableEntry> table;  // the first is the header

  explicit Index(const InputFile& file) {
    if (file.bytes() > limits::kCheckpointIndexBytes) {
      fail(file.where(),
           Code::kUnsupported,
           fmt::format("{} bytes, the limit is {}",
                       file.bytes(),
                       limits::kCheckpointIndexBytes));
    }
    table = detail::read_table(file);
    if (table.empty() || !table[0].key.empty()) {
      fail(file.where(), Code::kCorruptData, "the table has no header entry");
    }
    shards = read_header(table[0], file.where());
  }
};

TfCheckpoint::TfCheckpoint(const std::string& where,
                           Index index,
                           std::vector<InputFile> shards)
    : TensorSource("tensorflow", where), shards_(std::move(shards)) {
  for (size_t i = 1; i < index.table.size(); ++i) {
    const TableEntry& e = index.table[i];
    // A part of a variable; the variable's own entry says so by name.
    if (e.key[0] == '\0') continue;
    const std::string name = printable(e.key);
    if (!is_utf8(e.key)) {
      fail(where, Code::kCorruptData, "tensor " + ascii(e.key) + ": not UTF-8");
    }
    const Entry entry = read_entry(e, where, name);
    if (entry.shard >= shards_.size()) {
      fail(where,
           Code::kCorruptData,
           fmt::format(
               "tensor {}: shard {} of {}", name, entry.shard, shards_.size()));
    }
    const InputFile& shard = shards_[entry.shard];
    if (checked_add(entry.offset, entry.size, name.c_str()) > shard.bytes()) {
      fail(shard.where(),
           Code::kCorruptData,
           fmt::format("tensor {}: {} bytes at {}, the file has {}",
                       name,
                       entry.size,
                       entry.offset,
                       shard.bytes()));
    }
    places_.push_back({entry.type->id,
                       static_cast<uint32_t>(entry.shard),
                       entry.offset,
                       entry.crc});
    tensors_.push_back({e.key,
                        std::string(entry.type->name),
                        entry.shape,
                        entry.type->narrow
                            ? std::optional(wide_dtype(*entry.type->narrow))
                            : entry.type->dtype,
                        entry.size});
  }
}

std::shared_ptr<const TfCheckpoint> TfCheckpoint::from_files(
    const InputFile& file, const std::vector<InputFile>& shards) {
  Index index(file);
  if (shards.size() != index.shards) {
    fail(file.where(),
         Code::kCorruptData,
         fmt::format(
             "{} shards declared, {} given", index.shards, shards.size()));
  }
  return std::shared_ptr<const TfCheckpoint>(
      new TfCheckpoint(file.where(), std::move(index), shards));
}

std::shared_ptr<const TfCheckpoint> TfCheckpoint::open(const std::string& path,
                                                       Access access,
                                                       FileSystem& fs) {
  const std::string prefix = tf_checkpoint_prefix(path);
  Index index(InputFile::open(prefix + ".index", access, fs));
  std::vector<InputFile> shards;
  for (uint64_t i = 0; i < index.shards; ++i) {
    shards.push_back(
        InputFile::open(shard_path(prefix, i, index.shards), access, fs));
  }
  return std::shared_ptr<const TfCheckpoint>(
      new TfCheckpoint(prefix + ".index", std::move(index), std::move(shards)));
}

HostArray TfCheckpoint::read(size_t i) const {
  const TensorInfo& t = tensors()[i];
  const Place& place = places_[i];
  const InputFile& shard = shards_[place.shard];
  const FileBytes data = shard.read(place.at, t.bytes);
  const uint32_t found = mask_crc(crc32c(data.bytes));
  if (found != place.crc) {
    fail(shard.where(),
         Code::kCorruptData,
         fmt::format("tensor {}: CRC is {:08x}, {:08x} is stored",
                     printable(t.name),
                     found,
                     place.crc));
  }
  const TfType& type = *find_type(static_cast<uint64_t>(place.type));
  if (type.narrow) {
    return detail::widened(*type.narrow, t.shape, data, shard.where(), t.name);
  }
  return array_of_bytes({*t.dtype, t.shape}, data, shard.where(), t.name);
}

std::string tf_checkpoint_prefix(const std::string& path) {
  constexpr std::string_view kIndex = ".index";
  if (path.size() > kIndex.size() && path.ends_with(kIndex)) {
    return path.substr(0, path.size() - kIndex.size());
  }
  const size_t data = path.rfind(".data-");
  const size_t slash = path.rfind('/');
  const bool in_name =
      data != std::string::npos && (slash == std::string::npos || data > slash);
  return in_name ? path.substr(0, data) : path;
}

}  // namespace kexue::io
