#include "kexue/io/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <unordered_map>

#include "kexue/io/byte_reader.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/io/safetensors_header.h"

namespace kexue::io {
namespace {

// Reads exactly `bytes`; a file that got shorter is kCorruptData.
void read_exactly(FileSystem& fs,
                  int fd,
                  std::byte* to,
                  uint64_t bytes,
                  uint64_t at,
                  const std::string& path) {
  while (bytes > 0) {
    const int64_t n = fs.read_at(fd, to, bytes, at);
    if (n == -EINTR) continue;
    if (n < 0) throw os_error("read", path, n);
    if (n == 0) {
      throw Error(
          Code::kCorruptData,
          fmt::format("{}: ends at byte {}, {} more wanted", path, at, bytes));
    }
    to += n;
    at += static_cast<uint64_t>(n);
    bytes -= static_cast<uint64_t>(n);
  }
}

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

std::shared_ptr<const void> map_file(int fd,
                                     uint64_t bytes,
                                     const std::string& path) {
  void* p = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) throw os_error("mmap", path, -errno);
  return {p, [bytes](const void* q) { ::munmap(const_cast<void*>(q), bytes); }};
}

// Not zero-filled, unlike HostArray's own: every byte is read into at once.
std::shared_ptr<std::byte> allocate(uint64_t bytes, const std::string& path) {
  constexpr size_t kAlignment = 64;  // as HostArray
  const size_t padded = (bytes / kAlignment + 1) * kAlignment;
  void* p = std::aligned_alloc(kAlignment, padded);
  if (p == nullptr) {
    throw Error(Code::kIo,
                fmt::format("{}: out of memory: {} bytes", path, bytes));
  }
  return {static_cast<std::byte*>(p), [](std::byte* q) { std::free(q); }};
}

void check_bools(const HostArray& a,
                 const std::string& where,
                 std::string_view name) {
  if (a.dtype() != DType::kBool) return;
  const auto* end = a.data() + a.bytes();
  const auto* bad =
      std::find_if(a.data(), end, [](std::byte b) { return b > std::byte{1}; });
  if (bad == end) return;
  throw Error(Code::kCorruptData,
              fmt::format("{}: tensor {}: BOOL byte {} at element {}",
                          where,
                          printable(name),
                          static_cast<int>(*bad),
                          bad - a.data()));
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
  std::string where;
  detail::SafetensorsHeader header;
  std::unordered_map<std::string_view, size_t> index;
  uint64_t data_offset = 0;

  // Either memory, or a descriptor to read from.
  const std::byte* memory = nullptr;
  std::shared_ptr<const void> owner;
  FileSystem* fs = nullptr;
  std::optional<Descriptor> descriptor;

  void build_index() {
    index.reserve(header.entries.size());
    for (size_t i = 0; i < header.entries.size(); ++i) {
      index.emplace(header.entries[i].name, i);
    }
  }
};

Safetensors::Safetensors(std::shared_ptr<const File> file)
    : file_(std::move(file)) {}

Safetensors Safetensors::open(const std::string& path) {
  return open(path, Options{});
}

Safetensors Safetensors::open(const std::string& path,
                              Options options,
                              FileSystem& fs) {
  auto file = std::make_shared<File>();
  file->where = path;
  file->fs = &fs;
  file->descriptor.emplace(open_for_reading(path, fs));
  const int fd = file->descriptor->get();
  FileInfo info;
  if (const int rc = fs.info(fd, &info); rc < 0) {
    throw os_error("stat", path, rc);
  }
  if (!info.is_regular) {
    throw Error(Code::kUnsupported, path + ": not a regular file");
  }
  std::byte first[16];
  const uint64_t some = std::min<uint64_t>(sizeof(first), info.bytes);
  read_exactly(fs, fd, first, some, 0, path);
  const uint64_t length = header_length({first, some}, info.bytes, path);

  std::string json(length, '\0');
  read_exactly(
      fs, fd, reinterpret_cast<std::byte*>(json.data()), length, 8, path);
  file->data_offset = 8 + length;
  file->header = detail::parse_safetensors_header(
      json, info.bytes - file->data_offset, path, options.allow_trailing_bytes);
  file->build_index();
  if (options.access == Access::kMap) {
    file->owner = map_file(fd, info.bytes, path);
    file->memory = static_cast<const std::byte*>(file->owner.get());
    file->descriptor.reset();
  }
  return Safetensors(std::move(file));
}

Safetensors Safetensors::from_bytes(std::span<const std::byte> bytes,
                                    std::shared_ptr<const void> owner,
                                    const std::string& where,
                                    bool allow_trailing_bytes) {
  const auto first = bytes.first(std::min<size_t>(bytes.size(), 16));
  const uint64_t length = header_length(first, bytes.size(), where);
  auto file = std::make_shared<File>();
  file->where = where;
  file->data_offset = 8 + length;
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()) + 8,
                              length);
  file->header = detail::parse_safetensors_header(
      json, bytes.size() - file->data_offset, where, allow_trailing_bytes);
  file->build_index();
  file->memory = bytes.data();
  file->owner = std::move(owner);
  return Safetensors(std::move(file));
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
  return file_->where;
}

const TensorEntry& Safetensors::entry(std::string_view name) const {
  const auto it = file_->index.find(name);
  if (it != file_->index.end()) return entries()[it->second];
  const auto similar = similar_name(entries(), name);
  throw Error(Code::kNotFound,
              fmt::format("{}: no tensor {} among {}",
                          file_->where,
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
                            file_->where,
                            printable(name),
                            e.dtype));
  }
  return {*dtype, e.shape};
}

HostArray Safetensors::tensor(std::string_view name) const {
  const TensorEntry& e = entry(name);
  const TensorType t = type(name);
  const uint64_t begin = file_->data_offset + e.begin;
  HostArray a;
  if (file_->memory == nullptr) {
    const auto memory = allocate(e.end - e.begin, file_->where);
    read_exactly(*file_->fs,
                 file_->descriptor->get(),
                 memory.get(),
                 e.end - e.begin,
                 begin,
                 file_->where);
    a = HostArray(t, memory.get(), memory);
  } else {
    const std::byte* data = file_->memory + begin;
    a = HostArray(t, data, file_->owner);
    // Nothing in the format aligns tensors; typed access needs it.
    if (reinterpret_cast<uintptr_t>(data) % size_bytes(t.dtype) != 0) {
      a = a.clone();
    }
  }
  check_bools(a, file_->where, name);
  return a;
}

}  // namespace kexue::io
