#include "kexue/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "kexue/io/byte_reader.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/io/safetensors_header.h"

namespace kexue::io {
namespace {

// The header's length, from the first bytes of the file (16 at most).
uint64_t header_length(std::span<const std::byte> first,
                       uint64_t file_bytes,
                       const std::string& where) {
  ByteReader reader(first, where);
  const std::string_view text(reinterpret_cast<const char*>(first.data()),
                              first.size());
  const bool may_be_pickle = detail::looks_like_pickle(text);
  if (may_be_pickle && (first.size() < 9 || text[8] != '{')) {
    detail::refuse_pickle(where);
  }
  const auto length = reader.read<uint64_t>("the header length");
  if (length < 2 || length > file_bytes - 8) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: header of {} bytes, wanted 2..{}",
                            where,
                            length,
                            file_bytes - 8));
  }
  if (length > limits::kSafetensorsHeaderBytes) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: header of {} bytes, the limit is {}",
                            where,
                            length,
                            limits::kSafetensorsHeaderBytes));
  }
  return length;
}

// The name that shares the longest ending with the wanted one.
std::string similar_name(const std::vector<TensorEntry>& entries,
                         std::string_view want) {
  size_t best = 0;
  std::string result;
  for (const auto& e : entries) {
    const auto [a, b] = std::mismatch(
        want.rbegin(), want.rend(), e.name.rbegin(), e.name.rend());
    const auto common = static_cast<size_t>(a - want.rbegin());
    if (common > best && common > want.size() / 2) {
      best = common;
      result = e.name;
    }
  }
  return result;
}

}  // namespace

struct Safetensors::File {
  explicit File(InputFile in) : file(std::move(in)) {}

  InputFile file;
  detail::SafetensorsHeader header;
  std::unordered_map<std::string_view, size_t> index;
  uint64_t data_offset = 0;
};

Safetensors::Safetensors(std::shared_ptr<const File> file)
    : file_(std::move(file)) {}

Safetensors Safetensors::from_file(InputFile in, bool allow_trailing_bytes) {
  const std::string where = in.where();
  const uint64_t bytes = in.bytes();
  const FileBytes first = in.read(0, std::min<uint64_t>(bytes, 16));
  const uint64_t length = header_length(first.bytes, bytes, where);
  auto file = std::make_shared<File>(std::move(in));
  file->data_offset = 8 + length;
  file->header =
      detail::parse_safetensors_header(file->file.read(8, length).text(),
                                       bytes - file->data_offset,
                                       where,
                                       allow_trailing_bytes);
  const auto& entries = file->header.entries;
  file->index.reserve(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    file->index.emplace(entries[i].name, i);
  }
  return Safetensors(std::move(file));
}

Safetensors Safetensors::open(const std::string& path) {
  return open(path, Options{});
}

Safetensors Safetensors::open(const std::string& path,
                              Options options,
                              FileSystem& fs) {
  return from_file(InputFile::open(path, options.access, fs),
                   options.allow_trailing_bytes);
}

Safetensors Safetensors::from_bytes(std::span<const std::byte> bytes,
                                    std::shared_ptr<const void> owner,
                                    const std::string& where,
                                    bool allow_trailing_bytes) {
  return from_file(InputFile::from_bytes(bytes, std::move(owner), where),
                   allow_trailing_bytes);
}

const std::vector<TensorEntry>& Safetensors::entries() const {
  return file_->header.entries;
}

std::vector<std::string> Safetensors::names() const {
  std::vector<std::string> out;
  out.reserve(entries().size());
  for (const auto& e : entries()) out.push_back(e.name);
  return out;
}

bool Safetensors::contains(std::string_view name) const {
  return file_->index.count(name) != 0;
}

const std::map<std::string, std::string>& Safetensors::metadata() const {
  return file_->header.metadata;
}

const std::string& Safetensors::where() const {
  return file_->file.where();
}

const TensorEntry& Safetensors::entry(std::string_view name) const {
  const auto it = file_->index.find(name);
  if (it != file_->index.end()) return entries()[it->second];
  const auto similar = similar_name(entries(), name);
  throw Error(Code::kNotFound,
              fmt::format("{}: no tensor {} among {}",
                          file_->file.where(),
                          printable(name),
                          entries().size()),
              similar.empty() ? "" : "it has " + printable(similar));
}

TensorType Safetensors::type(std::string_view name) const {
  const TensorEntry& e = entry(name);
  const auto dtype = detail::dtype_of_safetensors(e.dtype);
  if (!dtype) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: tensor {}: dtype {} is not supported",
                            file_->file.where(),
                            printable(name),
                            e.dtype));
  }
  return {*dtype, e.shape};
}

HostArray Safetensors::tensor(std::string_view name) const {
  const TensorEntry& e = entry(name);
  const TensorType t = type(name);
  const FileBytes data =
      file_->file.read(file_->data_offset + e.begin, e.end - e.begin);
  return array_of_bytes(t, data, file_->file.where(), name);
}

}  // namespace kexue::io
